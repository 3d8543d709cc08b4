/**
 * Walk of folders, several parents to a query: all of a folder scope; in a flat scope the folders
 * that a change log brought back.
 *
 * Grouped queries are twenty times as fast and not to be trusted: Drive is known to leave whole
 * folders out of an answer that claims to be complete (https://github.com/rclone/rclone/issues/3114
 * and 9810). So silence is not believed: a folder of which nothing was shown is asked again alone.
 * If it then shows something, its group is proven to have been answered badly, and those of the
 * group that did answer are asked again alone too, since part of their content may be missing as
 * well. Nor is the silence of a later page believed, to which the page before it has led: all are
 * asked again alone. What is left unseen is a folder that lost a part of its content in a group that
 * lost no other folder, which nobody has reported.
 */
import { z } from "zod";
import { isUnanswered, SyncError } from "../../errors.ts";
import type { JsonObject, Page, ProviderContext, Task, TaskSeed } from "../types.ts";
import type { GoogleDriveConfig, GoogleDriveScope } from "./config.ts";
import { corpusOf, isOutside } from "./corpus.ts";
import { readItems, sortItems } from "./items.ts";
import { EMPTY_PAGE, parseCursor, receipt } from "../pages.ts";
import { type Answer, askPage, incompleteSearch, type Position, position } from "./paging.ts";
import { ALL_FOLDERS, childrenOf, listUrl } from "./query.ts";
import { type DriveItem, fileList, parseAnswer } from "./schemas.ts";
import { isAboutOneFolder } from "./scope.ts";
import { skippedFolder } from "../unreadable.ts";

type Context = ProviderContext<GoogleDriveConfig>;
type ListAnswer = Extract<Answer, { type: "page" }>;

const groupCursor = position.extend({
  /** Folders of the group of which at least one child has been seen. */
  answered: z.array(z.string()).default([]),
});

const singleCursor = position.extend({
  folder_id: z.string().min(1),
  /** Folders of its group that did answer: to be asked alone too if this one is not empty. */
  group: z.array(z.string()).default([]),
  /** Whether its group answered for it, so that it has been counted as read. */
  is_recheck: z.boolean().default(false),
});

/** One reading of folders, alone or in a group. */
interface Reading {
  /** At least one. */
  readonly folderIds: readonly string[];
  readonly at: Position;
  readonly answered: ReadonlySet<string>;
  /** As in the cursor of a folder asked alone. */
  readonly group: readonly string[];
  readonly isRecheck: boolean;
  /** What the cursor holds besides the position. */
  readonly remember: (answered: ReadonlySet<string>) => JsonObject;
}

/** One page of the children of a group of folders. */
export async function readGroupPage(task: Task, context: Context): Promise<Page> {
  const { answered, ...at } = parseCursor(groupCursor, task.cursor ?? {});
  if (task.folder_ids.length === 0) return { ...EMPTY_PAGE, next: { type: "done" } };
  return await readChildren({
    folderIds: task.folder_ids,
    at,
    answered: new Set(answered),
    group: [],
    isRecheck: false,
    remember: (ids) => ({ answered: [...ids] }),
  }, context);
}

/** One page of the children of one folder, asked alone because its group is not believed. */
export async function readSinglePage(task: Task, context: Context): Promise<Page> {
  const { folder_id, group, is_recheck, ...at } = parseCursor(singleCursor, task.cursor);
  return await readChildren({
    folderIds: [folder_id],
    at,
    answered: new Set<string>(),
    group,
    isRecheck: is_recheck,
    remember: (ids) => ({ folder_id, is_recheck, group: ids.size > 0 ? [] : group }),
  }, context);
}

async function readChildren(reading: Reading, context: Context): Promise<Page> {
  const request = {
    query: childrenOf(reading.folderIds),
    corpus: corpusOf(context.config.scope),
  };
  let answer: Answer;
  try {
    answer = await askPage(request, reading.at, context, "folder");
  } catch (error) {
    const isTheirs = isAboutOneFolder(error) || isUnanswered(error) && await canDriveList(context);
    if (!isTheirs) throw error;
    return giveUp(reading.folderIds, error);
  }
  if (answer.type === "page") return toPage(reading, answer, context.config);
  // The query begins again, and who answers this time remains to be seen.
  const cursor = { ...answer.nextPosition, ...reading.remember(new Set()) };
  return { ...EMPTY_PAGE, receipt: { restarts: 1 }, next: { type: "more", cursor } };
}

/**
 * Whether Drive answers other lists: then a folder that it cannot list, however often it is asked, stops
 * no other. Where it lists nothing, that is the whole run's matter.
 */
async function canDriveList(context: Context): Promise<boolean> {
  const corpus = corpusOf(context.config.scope);
  const request = { query: ALL_FOLDERS, corpus, pageSize: 1, pageToken: null };
  try {
    const answer = await context.getJson(listUrl(context.apiUrl, request), "probe");
    parseAnswer(fileList, answer, "files.list");
    return true;
  } catch (thrown) {
    // The end of the slice, and a lost lease, are no answers.
    if (!(thrown instanceof SyncError)) throw thrown;
    return false;
  }
}

/**
 * Ends a task whose query was refused, or never answered properly. Drive does not say which folder
 * of a group it may not show, so each is asked alone; one refused alone is reported, and stops no other.
 */
function giveUp(folderIds: readonly string[], error: SyncError): Page {
  const isGroup = folderIds.length > 1;
  return {
    ...EMPTY_PAGE,
    seeds: isGroup ? askAlone(folderIds, {}) : [],
    skipped: isGroup ? [] : folderIds.map((id) => skippedFolder(id, error)),
    receipt: isGroup
      ? { groups: 1, groups_asked_again: 1, folders_asked_again: folderIds.length }
      : { folders_skipped: 1 },
    next: { type: "done" },
  };
}

function askAlone(folderIds: readonly string[], more: JsonObject): TaskSeed[] {
  return folderIds.map((id) => ({ kind: "walk_one", key: id, cursor: { folder_id: id, ...more } }));
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
  const asked = new Set(reading.folderIds);
  const { items, unreadable } = readItems(list.files, reading.folderIds[0] ?? "");
  const placed = items.filter((item) => foundIn(item, asked) !== null);
  const inside = placed.filter((item) => !isOutside(item, config.scope));
  const { unreadableValues, ...rows } = toRows(inside, asked, config.scope);
  const answered = new Set([...reading.answered, ...shownOf(items, asked)]);
  // An item of which no folder of the group can be told makes the whole group worthless; so does an
  // end without anything on it, where the page before had said that something follows.
  const isWorthless = placed.length < items.length || isSilentEnd(reading, answer);
  const isLast = nextPosition === null || isWorthless;
  const doubts = doubtsOf(reading, answered, isWorthless, isLast);
  const incomplete = list.incompleteSearch ? reading.folderIds.map(incompleteSearch) : [];
  const read = isLast ? asked.size - doubts.unread : 0;
  return {
    ...rows,
    seeds: doubts.seeds,
    skipped: [...unreadable, ...incomplete],
    receipt: receipt({
      pages: 1,
      items: list.files.length,
      groups: isLast && asked.size > 1 ? 1 : 0,
      ...doubts.counts,
      [reading.isRecheck ? "folders_read_again" : "folders_read"]: read,
      incomplete_searches: list.incompleteSearch ? 1 : 0,
      items_outside: placed.length - inside.length,
      items_unreadable: unreadable.length,
      values_unreadable: unreadableValues,
    }),
    next: isLast
      ? { type: "done" }
      : { type: "more", cursor: { ...nextPosition, ...reading.remember(answered) } },
  };
}

function isSilentEnd({ at, folderIds }: Reading, { list, nextPosition }: ListAnswer): boolean {
  const isEnd = nextPosition === null && list.files.length === 0;
  return isEnd && at.page_token !== null && folderIds.length > 1;
}

/** The asked folders of which an item was shown; a folder asked alone needs no naming. */
function shownOf(items: readonly DriveItem[], asked: ReadonlySet<string>): readonly string[] {
  if (asked.size === 1) return items.length > 0 ? [...asked] : [];
  return items.flatMap((item) => item.parents ?? []).filter((id) => asked.has(id));
}

/** Which folders are to be asked alone after a page, as described at the top of this file. */
interface Doubts {
  readonly seeds: readonly TaskSeed[];
  /** Folders of this reading that do not count as read yet. */
  readonly unread: number;
  readonly counts: Readonly<Record<string, number>>;
}

function doubtsOf(
  { folderIds, group }: Reading,
  answered: ReadonlySet<string>,
  isWorthless: boolean,
  isLast: boolean,
): Doubts {
  if (folderIds.length === 1) {
    const again = answered.size > 0 ? group : [];
    const counts = { groups_disproved: again.length > 0 ? 1 : 0, folders_rechecked: again.length };
    return { seeds: askAlone(again, { is_recheck: true }), unread: 0, counts };
  }
  const isSilent = (id: string) => isWorthless || !answered.has(id);
  const again = isLast ? folderIds.filter(isSilent) : [];
  const others = folderIds.filter((id) => !isSilent(id));
  const counts = {
    groups_asked_again: again.length > 0 ? 1 : 0,
    folders_asked_again: again.length,
  };
  return { seeds: askAlone(again, { group: others }), unread: again.length, counts };
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
