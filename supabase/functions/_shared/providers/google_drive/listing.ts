/**
 * Flat listing of a whole corpus: folders first, so that files find their paths, then files. Where there
 * is more than a page of folders both are cut into windows of time, which are read side by side.
 */
import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { JsonObject, Page, ProviderContext, Task, TaskSeed } from "../types.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { corpusOf, isOutside } from "./corpus.ts";
import { firstParent, readItems, sortItems } from "./items.ts";
import { EMPTY_PAGE, parseCursor, receipt } from "../pages.ts";
import { askPage, incompleteSearch, position } from "./paging.ts";
import { ALL_FILES, ALL_FOLDERS, createdWithin } from "./query.ts";
import type { DriveItem, FileList } from "./schemas.ts";
import {
  type CreatedWindow,
  createdWindow,
  cutFolders,
  cutWindow,
  firstWindows,
  isDated,
  older,
} from "./windows.ts";

type Context = ProviderContext<GoogleDriveConfig>;

/** The two kinds of task of a flat listing. */
export type FlatKind = "folders" | "files";

const flatCursor = position.extend({
  /** The corpus' own top folder. */
  root_id: z.string().min(1),
  ...createdWindow,
  /** Pages of this window read so far. */
  pages: z.number().int().nonnegative().default(0),
  /** How often what is now this window has been cut. */
  depth: z.number().int().nonnegative().default(0),
  /** When the oldest of the folders read so far was created. */
  oldest: z.iso.datetime().nullable().default(null),
  /** Whether one of them does not say when: then the files are read in one list, without windows. */
  is_undated: z.boolean().default(false),
});

type FlatCursor = z.infer<typeof flatCursor>;

/** The seed of a flat listing: its folders, which lead to its files. */
export function foldersSeed(rootId: string): TaskSeed {
  return { kind: "folders", key: "folders", cursor: { root_id: rootId } };
}

/** One page of the flat listing of folders, or of files. */
export async function readFlatPage(kind: FlatKind, task: Task, context: Context): Promise<Page> {
  const cursor = parseCursor(flatCursor, task.cursor);
  const { scope } = context.config;
  if (scope.type === "folders") {
    throw new SyncError(
      "cursor_expired",
      "Cannot go on with this listing as it belongs to another endpoint_config; it begins again",
    );
  }
  const query = createdWithin(kind === "folders" ? ALL_FOLDERS : ALL_FILES, cursor);
  const answer = await askPage({ query, corpus: corpusOf(scope) }, cursor, context);
  if (answer.type === "restart") {
    // The window stays: its neighbours hold nothing of it.
    const again = { ...cursor, ...answer.nextPosition, pages: 0 };
    return { ...EMPTY_PAGE, receipt: { restarts: 1 }, next: { type: "more", cursor: again } };
  }
  const { list, nextPosition } = answer;
  const { root_id } = cursor;
  const { items, unreadable } = readItems(list.files, root_id);
  const inside = items.filter((item) => !isOutside(item, scope));
  const { files, folders, unreadableValues } = sortItems(inside, (item) => ({
    parentId: firstParent(item),
    isRoot: item.id === root_id,
  }));
  const onward = goOn(kind, { ...cursor, pages: cursor.pages + 1 }, nextPosition, inside, context);
  return {
    ...EMPTY_PAGE,
    files,
    folders,
    seeds: onward.seeds,
    skipped: list.incompleteSearch ? [...unreadable, incompleteSearch(root_id)] : unreadable,
    receipt: receipt({
      ...countPage(list),
      ...onward.counts,
      items_outside: items.length - inside.length,
      items_unreadable: unreadable.length,
      values_unreadable: unreadableValues,
    }),
    next: onward.next,
  };
}

function countPage(list: FileList): Record<string, number> {
  const incomplete_searches = list.incompleteSearch ? 1 : 0;
  return { pages: 1, items: list.files.length, incomplete_searches };
}

/** What follows a page: the next one, the windows the task is cut into, the files, or nothing. */
interface Onward extends Pick<Page, "seeds" | "next"> {
  readonly counts: Readonly<Record<string, number>>;
}

function goOn(
  kind: FlatKind,
  cursor: FlatCursor,
  nextPosition: JsonObject | null,
  items: readonly DriveItem[],
  context: Context,
): Onward {
  // From the first cut on the files are tasks of their own.
  if (kind === "folders" && cursor.depth === 0) {
    return goOnWithFolders(cursor, nextPosition, items, context);
  }
  if (nextPosition === null) return DONE;
  const seeds = cut(kind, cursor, items, context.idleLanes);
  return seeds.length > 0 ? cutInto(seeds) : readOn(cursor, nextPosition);
}

const DONE: Onward = { seeds: [], counts: {}, next: { type: "done" } };

function readOn(cursor: FlatCursor, nextPosition: JsonObject): Onward {
  return { seeds: [], counts: {}, next: { type: "more", cursor: { ...cursor, ...nextPosition } } };
}

function cutInto(seeds: readonly TaskSeed[]): Onward {
  return { ...DONE, seeds, counts: { windows_cut: 1, windows: seeds.length } };
}

/**
 * After a page of folders come further ones, and the files: beside them where there are enough folders
 * to tell that the files are many, else after the last. A file read before its folder gets its path
 * when the folder is there.
 */
function goOnWithFolders(
  read: FlatCursor,
  nextPosition: JsonObject | null,
  items: readonly DriveItem[],
  { idleLanes, now }: Context,
): Onward {
  const { root_id, pages } = read;
  const createdTimes = items.map((item) => item.createdTime);
  const is_undated = read.is_undated || !createdTimes.every(isDated);
  const oldest = is_undated ? null : createdTimes.filter(isDated).reduce(older, read.oldest);
  const isMore = nextPosition !== null;
  const windows = firstWindows({ pages, isMore, oldest, idleLanes, now: now() });
  const files = windows.map((window) => windowSeed("files", root_id, window, 1));
  const counts = files.length > 0 ? { windows: files.length } : {};
  if (nextPosition === null) {
    const whole = { kind: "files", key: "files", cursor: { root_id } };
    return { ...DONE, counts, seeds: files.length > 0 ? files : [whole] };
  }
  if (files.length === 0) return readOn({ ...read, oldest, is_undated }, nextPosition);
  const folders = cutFolders({ pages, idleLanes }, createdTimes)
    .map((window) => windowSeed("folders", root_id, window, 1));
  return folders.length > 0
    ? cutInto([...folders, ...files])
    : { ...readOn({ ...read, oldest, depth: 1 }, nextPosition), counts, seeds: files };
}

function windowSeed(
  kind: FlatKind,
  rootId: string,
  window: CreatedWindow,
  depth: number,
): TaskSeed {
  return {
    kind,
    key: `${kind} ${window.from ?? ""}/${window.to ?? ""}`,
    cursor: { root_id: rootId, ...window, depth },
  };
}

/**
 * The windows in place of a task, where it is worth while. What has been read of it is kept, and
 * read again by them. Windows only ever shrink, so no two of one listing have the same key.
 */
function cut(
  kind: FlatKind,
  cursor: FlatCursor,
  items: readonly DriveItem[],
  idleLanes: number,
): TaskSeed[] {
  const { root_id, from, to, pages, depth } = cursor;
  const createdTimes = items.map((item) => item.createdTime);
  const windows = cutWindow({ window: { from, to }, pages, depth, idleLanes }, createdTimes);
  return windows.map((window) => windowSeed(kind, root_id, window, depth + 1));
}
