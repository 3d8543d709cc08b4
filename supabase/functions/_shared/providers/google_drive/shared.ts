/**
 * A look at what is shared with the account one by one. When a folder is no longer shared, the log
 * tells of the folder alone; what lies below it and is shared by itself as well stays, unmentioned.
 */
import type { Page, ProviderContext, Task, TaskSeed } from "../types.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { corpusOf, isOutside } from "./corpus.ts";
import { firstParent, readItems, sortItems } from "./items.ts";
import { EMPTY_PAGE, parseCursor, receipt } from "../pages.ts";
import { askPage, incompleteSearch, position } from "./paging.ts";
import { SHARED_WITH_ME } from "./query.ts";

/** What incomplete or unreadable answers are reported about: the list has no folder of its own. */
const THE_LIST = "sharedWithMe";

/** The seed of such a look, one for each page of a log that makes it necessary. */
export function sharedSeed(pageToken: string): TaskSeed {
  return { kind: "shared", key: pageToken, cursor: {} };
}

/** One page of what is shared with the account one by one. */
export async function readSharedPage(
  task: Task,
  context: ProviderContext<GoogleDriveConfig>,
): Promise<Page> {
  const at = parseCursor(position, task.cursor);
  const { scope } = context.config;
  const answer = await askPage({ query: SHARED_WITH_ME, corpus: corpusOf(scope) }, at, context);
  if (answer.type === "restart") {
    const next = { type: "more", cursor: answer.nextPosition } as const;
    return { ...EMPTY_PAGE, receipt: { restarts: 1 }, next };
  }
  const { list, nextPosition } = answer;
  const { items, unreadable } = readItems(list.files, THE_LIST);
  const inside = items.filter((item) => !isOutside(item, scope));
  const { files, folders, unreadableValues } = sortItems(inside, (item) => ({
    parentId: firstParent(item),
    isRoot: false,
  }));
  return {
    ...EMPTY_PAGE,
    files,
    folders,
    walk_new: folders.map((folder) => folder.external_folder_id),
    skipped: list.incompleteSearch ? [...unreadable, incompleteSearch(THE_LIST)] : unreadable,
    receipt: receipt({
      pages: 1,
      items: list.files.length,
      incomplete_searches: list.incompleteSearch ? 1 : 0,
      items_unreadable: unreadable.length,
      values_unreadable: unreadableValues,
    }),
    next: nextPosition === null ? { type: "done" } : { type: "more", cursor: nextPosition },
  };
}
