/** Flat listing of a whole corpus: all folders first, so that files find their paths, then files. */
import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { Json, Page, ProviderContext, Task, TaskSeed } from "../types.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { corpusOf, isOutside } from "./corpus.ts";
import { firstParent, readItems, sortItems } from "./items.ts";
import { EMPTY_PAGE, parseCursor, receipt } from "../pages.ts";
import { askPage, incompleteSearch, position } from "./paging.ts";
import { ALL_FILES, ALL_FOLDERS, createdWithin } from "./query.ts";
import type { DriveItem, FileList } from "./schemas.ts";
import { type CreatedWindow, createdWindow, cutWindow, firstWindows, older } from "./windows.ts";

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
});

type FlatCursor = z.infer<typeof flatCursor>;

/** The seed of a flat listing: its folders. When they are all read, its files follow. */
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
  nextPosition: { readonly [name: string]: Json } | null,
  items: readonly DriveItem[],
  context: Context,
): Onward {
  if (kind === "folders") return goOnWithFolders(cursor, nextPosition, items, context);
  if (nextPosition === null) return { seeds: [], counts: {}, next: { type: "done" } };
  const seeds = cut(cursor, items, context.idleLanes);
  return seeds.length > 0
    ? { seeds, counts: { windows_cut: 1, windows: seeds.length }, next: { type: "done" } }
    : { seeds, counts: {}, next: { type: "more", cursor: { ...cursor, ...nextPosition } } };
}

/** After the last page of folders come the files, in one task or in windows. */
function goOnWithFolders(
  read: FlatCursor,
  nextPosition: { readonly [name: string]: Json } | null,
  items: readonly DriveItem[],
  { idleLanes, now }: Context,
): Onward {
  const oldest = items.reduce((time, item) => older(time, item.createdTime), read.oldest);
  const cursor = { ...read, oldest };
  if (nextPosition !== null) {
    return {
      seeds: [],
      counts: {},
      next: { type: "more", cursor: { ...cursor, ...nextPosition } },
    };
  }
  const { root_id, pages } = cursor;
  const windows = firstWindows({ pages, oldest, idleLanes, now: now() });
  const seeds = windows.length > 0
    ? windows.map((window) => windowSeed(root_id, window, 1))
    : [{ kind: "files", key: "files", cursor: { root_id } }];
  return {
    seeds,
    counts: windows.length > 0 ? { windows: windows.length } : {},
    next: { type: "done" },
  };
}

function windowSeed(rootId: string, window: CreatedWindow, depth: number): TaskSeed {
  return {
    kind: "files",
    key: `files ${window.from ?? ""}/${window.to ?? ""}`,
    cursor: { root_id: rootId, ...window, depth },
  };
}

/**
 * The windows in place of a task, where it is worth while. What has been read of it is kept, and
 * read again by them. Windows only ever shrink, so no two of one listing have the same key.
 */
function cut(cursor: FlatCursor, items: readonly DriveItem[], idleLanes: number): TaskSeed[] {
  const { root_id, from, to, pages, depth } = cursor;
  const createdTimes = items.map((item) => item.createdTime);
  const windows = cutWindow({ window: { from, to }, pages, depth, idleLanes }, createdTimes);
  return windows.map((window) => windowSeed(root_id, window, depth + 1));
}
