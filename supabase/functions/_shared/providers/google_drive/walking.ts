/** Walk of folder scopes, several parents to a query. */
import { z } from "zod";
import type { SyncError } from "../../errors.ts";
import type { JsonObject, Page, ProviderContext, Task, TaskSeed } from "../types.ts";
import type { GoogleDriveConfig, GoogleDriveScope } from "./config.ts";
import { readItems, sortItems } from "./items.ts";
import {
  type Answer,
  askPage,
  EMPTY_PAGE,
  incompleteSearch,
  parseCursor,
  type Position,
  position,
  receipt,
} from "./paging.ts";
import { childrenOf, type Corpus } from "./query.ts";
import type { DriveItem } from "./schemas.ts";
import { isAboutOneFolder } from "./scope.ts";

type Context = ProviderContext<GoogleDriveConfig>;
type ListAnswer = Extract<Answer, { type: "page" }>;

const groupCursor = position.extend({
  /** Folders of the group of which at least one child has been seen. */
  answered: z.array(z.string()).default([]),
});

const singleCursor = position.extend({ folder_id: z.string().min(1) });

/** One reading of folders, alone or in a group. */
interface Reading {
  /** At least one. */
  readonly folderIds: readonly string[];
  readonly at: Position;
  readonly answered: ReadonlySet<string>;
  /** What the cursor holds besides the position. */
  readonly remember: (answered: ReadonlySet<string>) => JsonObject;
}

/** One page of the children of a group of folders. */
export async function readGroupPage(task: Task, context: Context): Promise<Page> {
  const { answered, ...at } = parseCursor(groupCursor, task.cursor ?? {});
  if (task.folder_ids.length === 0) return { ...EMPTY_PAGE, next: { type: "done" } };
  const remember = (ids: ReadonlySet<string>) => ({ answered: [...ids] });
  const folderIds = task.folder_ids;
  return await readChildren({ folderIds, at, answered: new Set(answered), remember }, context);
}

/** One page of the children of one folder, asked alone because its group said nothing of it. */
export async function readSinglePage(task: Task, context: Context): Promise<Page> {
  const { folder_id, ...at } = parseCursor(singleCursor, task.cursor);
  const remember = () => ({ folder_id });
  const reading = { folderIds: [folder_id], at, answered: new Set<string>(), remember };
  return await readChildren(reading, context);
}

function corpusOf(scope: GoogleDriveScope): Corpus {
  // Without a drive named, the folders may lie in My Drive, in shared drives, or in both.
  if (scope.type !== "folders" || scope.driveId === null) return { type: "by_parents" };
  return { type: "drive", driveId: scope.driveId };
}

async function readChildren(reading: Reading, context: Context): Promise<Page> {
  const request = {
    query: childrenOf(reading.folderIds),
    corpus: corpusOf(context.config.scope),
  };
  let answer: Answer;
  try {
    answer = await askPage(request, reading.at, context);
  } catch (error) {
    if (!isAboutOneFolder(error)) throw error;
    return giveUp(reading.folderIds, error);
  }
  if (answer.type === "page") return toPage(reading, answer, context.config);
  const cursor = { ...answer.nextPosition, ...reading.remember(reading.answered) };
  return { ...EMPTY_PAGE, receipt: { restarts: 1 }, next: { type: "more", cursor } };
}

/**
 * Ends a task whose query was refused. Drive does not say which folder of a group it may not show,
 * so each is asked alone; a folder refused alone is reported and stops no other.
 */
function giveUp(folderIds: readonly string[], error: SyncError): Page {
  const { code, message } = error;
  const isGroup = folderIds.length > 1;
  return {
    ...EMPTY_PAGE,
    seeds: isGroup ? askAlone(folderIds) : [],
    skipped: isGroup ? [] : folderIds.map((id) => ({ external_folder_id: id, code, message })),
    receipt: isGroup
      ? { groups: 1, groups_asked_again: 1, folders_asked_again: folderIds.length }
      : { folders_skipped: 1 },
    next: { type: "done" },
  };
}

function askAlone(folderIds: readonly string[]): TaskSeed[] {
  return folderIds.map((id) => ({ kind: "walk_one", key: id, cursor: { folder_id: id } }));
}

/**
 * The folder in which an item was found. An item from before 2020 may list several parents, and
 * the first one in the asked group is the one whose path is known. A folder asked alone needs no
 * naming; an item of a group that names none of it has no place yet (`null`).
 */
function foundIn(item: DriveItem, folderIds: ReadonlySet<string>): string | null {
  const named = item.parents?.find((id) => folderIds.has(id));
  if (named !== undefined) return named;
  const [only] = folderIds;
  return folderIds.size === 1 && only !== undefined ? only : null;
}

function toPage(reading: Reading, answer: ListAnswer, config: GoogleDriveConfig): Page {
  const { list, nextPosition } = answer;
  const group = new Set(reading.folderIds);
  const { items, unreadable } = readItems(list.files, reading.folderIds[0] ?? "");
  const placed = items.filter((item) => foundIn(item, group) !== null);
  const { unreadableValues, ...rows } = toRows(placed, group, config.scope);
  const parents = items.flatMap((item) => item.parents ?? []).filter((id) => group.has(id));
  const answered = new Set([...reading.answered, ...parents]);
  // An item of which no folder of the group can be told makes the whole group worthless.
  const isWorthless = placed.length < items.length;
  const isLast = nextPosition === null || isWorthless;
  const again = isWorthless ? reading.folderIds : isLast ? silent(reading.folderIds, answered) : [];
  const incomplete = list.incompleteSearch ? reading.folderIds.map(incompleteSearch) : [];
  return {
    ...rows,
    seeds: askAlone(again),
    skipped: [...unreadable, ...incomplete],
    receipt: receipt({
      pages: 1,
      items: list.files.length,
      groups: isLast && group.size > 1 ? 1 : 0,
      groups_asked_again: again.length > 0 ? 1 : 0,
      folders_asked_again: again.length,
      folders_read: isLast ? group.size - again.length : 0,
      incomplete_searches: list.incompleteSearch ? 1 : 0,
      items_unreadable: unreadable.length,
      values_unreadable: unreadableValues,
    }),
    next: isLast
      ? { type: "done" }
      : { type: "more", cursor: { ...nextPosition, ...reading.remember(answered) } },
  };
}

function toRows(
  placed: readonly DriveItem[],
  group: ReadonlySet<string>,
  scope: GoogleDriveScope,
) {
  // A folder named by the scope stays a top of it, though it may be met again inside another.
  const roots = new Set(scope.type === "folders" ? scope.folderIds : []);
  const sorted = sortItems(placed, (item) => ({
    parentId: foundIn(item, group),
    isRoot: roots.has(item.id),
  }));
  return { ...sorted, walk: sorted.folders.map((folder) => folder.external_folder_id) };
}

/**
 * The folders of a group of which nothing was shown. Grouped queries silently drop whole folders
 * (https://github.com/rclone/rclone/issues/3114), so silence is not believed.
 */
function silent(folderIds: readonly string[], answered: ReadonlySet<string>): readonly string[] {
  return folderIds.length > 1 ? folderIds.filter((id) => !answered.has(id)) : [];
}
