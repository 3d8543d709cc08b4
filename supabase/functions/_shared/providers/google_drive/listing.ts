/** Flat listing of a whole corpus: all folders first, so that files find their paths, then files. */
import { z } from "zod";
import { assertNever, SyncError } from "../../errors.ts";
import type { Page, ProviderContext, Task, TaskSeed } from "../types.ts";
import type { GoogleDriveConfig, GoogleDriveScope } from "./config.ts";
import { readItems, sortItems } from "./items.ts";
import { askPage, EMPTY_PAGE, incompleteSearch, parseCursor, position, receipt } from "./paging.ts";
import { ALL_FILES, ALL_FOLDERS, type Corpus } from "./query.ts";
import type { DriveItem } from "./schemas.ts";

/** The two kinds of task of a flat listing. */
export type FlatKind = "folders" | "files";

const flatCursor = position.extend({ root_id: z.string().min(1) });

/** A seed of a flat listing. Its cursor carries the id of the corpus' own top folder. */
export function flatSeed(kind: FlatKind, rootId: string): TaskSeed {
  return { kind, key: kind, cursor: { root_id: rootId } };
}

function corpusOf(scope: GoogleDriveScope): Corpus {
  switch (scope.type) {
    case "account":
      return { type: "user" };
    case "drive":
      return { type: "drive", driveId: scope.driveId };
    case "folders":
      throw new SyncError(
        "cursor_expired",
        "Cannot go on with this listing as it belongs to another endpoint_config; it begins again",
      );
    default:
      return assertNever(scope);
  }
}

/** One page of the flat listing of folders, or of files. */
export async function readFlatPage(
  kind: FlatKind,
  task: Task,
  context: ProviderContext<GoogleDriveConfig>,
): Promise<Page> {
  const { root_id, ...at } = parseCursor(flatCursor, task.cursor);
  const query = kind === "folders" ? ALL_FOLDERS : ALL_FILES;
  const answer = await askPage({ query, corpus: corpusOf(context.config.scope) }, at, context);
  if (answer.type === "restart") {
    const cursor = { root_id, ...answer.nextPosition };
    return { ...EMPTY_PAGE, receipt: { restarts: 1 }, next: { type: "more", cursor } };
  }
  const { list, nextPosition } = answer;
  const { items, unreadable } = readItems(list.files, root_id);
  const { files, folders, unreadableValues } = sortItems(items, (item) => placeOf(item, root_id));
  return {
    ...EMPTY_PAGE,
    files,
    folders,
    seeds: kind === "folders" && nextPosition === null ? [flatSeed("files", root_id)] : [],
    skipped: list.incompleteSearch ? [...unreadable, incompleteSearch(root_id)] : unreadable,
    receipt: receipt({
      pages: 1,
      items: list.files.length,
      incomplete_searches: list.incompleteSearch ? 1 : 0,
      items_unreadable: unreadable.length,
      values_unreadable: unreadableValues,
    }),
    next: nextPosition === null
      ? { type: "done" }
      : { type: "more", cursor: { root_id, ...nextPosition } },
  };
}

/** The first parent, as Drive orders them: only items from before 2020 have more than one. */
function placeOf(item: DriveItem, rootId: string) {
  return { parentId: item.parents?.[0] ?? null, isRoot: item.id === rootId };
}
