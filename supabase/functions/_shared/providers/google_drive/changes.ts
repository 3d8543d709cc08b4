/** Reading change logs: a user's own, and one of each shared drive. */
import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type {
  ChangePage,
  Feed,
  ProviderContext,
  Removal,
  RemovalReason,
  SkippedSubtree,
} from "../types.ts";
import type { GoogleDriveConfig, GoogleDriveScope } from "./config.ts";
import { isOutside } from "./corpus.ts";
import { firstParent, sortItems } from "./items.ts";
import { driveIdOf, expired } from "./logs.ts";
import { parseCursor, receipt } from "../pages.ts";
import { MOST_REPEATS } from "./paging.ts";
import { changesUrl } from "./query.ts";
import {
  changedItem,
  changeList,
  driveChange,
  type DriveItem,
  driveItem,
  itemChange,
  parseAnswer,
  trashedItem,
} from "./schemas.ts";
import { explain, isAboutOneFolder } from "./scope.ts";
import { sharedSeed } from "./shared.ts";

type Context = ProviderContext<GoogleDriveConfig>;

const feedCursor = z.object({
  page_token: z.string().min(1),
  /** How often in a row a page led back to itself. */
  repeats: z.number().int().nonnegative().default(0),
});

/** One page of a change log. */
export async function readChanges(feed: Feed, context: Context): Promise<ChangePage> {
  const at = parseCursor(feedCursor, feed.cursor);
  const { scope } = context.config;
  const answer = await ask(driveIdOf(feed.key, scope), at.page_token, context);
  const list = parseAnswer(changeList, answer, "changes.list");
  const next = nextOf(list, at);
  const { items, buried, removed, unreadable } = readEntries(list.changes, feed.key, scope);
  const { files, folders, unreadableValues } = sortItems(items, (item) => ({
    parentId: firstParent(item),
    isRoot: isTop(item.id, scope),
  }));
  const isBuried = (id: string) => buried.has(id) ? { is_buried: true } as const : {};
  return {
    files: files.map((file) => ({ ...file, ...isBuried(file.external_file_id) })),
    folders: folders.map((folder) => ({ ...folder, ...isBuried(folder.external_folder_id) })),
    removed,
    seeds_if_folders_go: mayHideShares(removed, scope) ? [sharedSeed(at.page_token)] : [],
    skipped: unreadable,
    receipt: receipt({
      change_pages: 1,
      changes: list.changes.length,
      items_unreadable: unreadable.length,
      values_unreadable: unreadableValues,
    }),
    next,
  };
}

/** Whether below what is gone, if it is a folder, other things may be shared by themselves. */
function mayHideShares(removed: readonly Removal[], scope: GoogleDriveScope): boolean {
  return scope.type === "account" && removed.some(({ reason }) => reason === "removed");
}

async function ask(driveId: string | null, pageToken: string, context: Context): Promise<unknown> {
  const { apiUrl, pageSize, config: { scope } } = context;
  const url = changesUrl(apiUrl, {
    driveId,
    pageToken,
    pageSize,
    includesAllDrives: scope.type !== "account",
  });
  try {
    return await context.getJson(url);
  } catch (error) {
    if (!isAboutOneFolder(error)) throw error;
    throw await explainClosedLog(error, driveId, context);
  }
}

/**
 * What it means that a log is not to be had: never that something was deleted. Of folders, others
 * may still be readable, and each is looked at when the listing begins again.
 */
async function explainClosedLog(
  error: SyncError,
  driveId: string | null,
  context: Context,
): Promise<SyncError> {
  if (driveId === null) {
    // There is always a log of the user's own; what is not found is the place in it.
    return error.code === "scope_not_found"
      ? expired("Google Drive no longer knows the position in the change log", error)
      : error;
  }
  if (context.config.scope.type === "folders") {
    return expired("The change log of a shared drive can no longer be read", error);
  }
  return await explain(error, `the shared drive "${driveId}"`, context);
}

function nextOf(
  { nextPageToken, newStartPageToken }: z.infer<typeof changeList>,
  at: z.infer<typeof feedCursor>,
): ChangePage["next"] {
  if (nextPageToken !== undefined && newStartPageToken === undefined) {
    const repeats = nextPageToken === at.page_token ? at.repeats + 1 : 0;
    if (repeats > MOST_REPEATS) throw invalid("a page of changes that leads back to itself");
    // An empty page may lead anywhere; only a circle is counted.
    const counted = repeats > 0 ? { repeats } : {};
    return { type: "more", cursor: { page_token: nextPageToken, ...counted } };
  }
  if (newStartPageToken !== undefined && nextPageToken === undefined) {
    return { type: "drained", cursor: { page_token: newStartPageToken } };
  }
  throw invalid("a page of changes without a single place to go on");
}

function invalid(what: string): SyncError {
  const message = `Google Drive answers ${what}; it will be tried again`;
  return new SyncError("response_invalid", message);
}

/** What an entry says of an item now. */
type State =
  | {
    readonly type: "shown";
    readonly item: DriveItem;
    /** In the trash with a folder above it. */
    readonly isBuried: boolean;
  }
  | { readonly type: "gone"; readonly removal: Removal };

interface Entries {
  readonly items: readonly DriveItem[];
  /** Those of the items that are in the trash with a folder above them. */
  readonly buried: ReadonlySet<string>;
  readonly removed: readonly Removal[];
  /** A word about each item with an entry that could not be read. It stops no other. */
  readonly unreadable: readonly SkippedSubtree[];
}

/** Reads the entries of a page. Of several about one item the last counts: they are states. */
function readEntries(
  changes: readonly unknown[],
  feedKey: string,
  scope: GoogleDriveScope,
): Entries {
  const states = new Map<string, State>();
  const unreadable: SkippedSubtree[] = [];
  for (const change of changes) {
    // A drive's name and members are no files. An account's own corpus is without shared drives,
    // and a drive that was lost refuses its log.
    if (driveChange.safeParse(change).success) continue;
    const state = readEntry(change, scope);
    if (state !== null) {
      states.set(state.type === "shown" ? state.item.id : state.removal.external_id, state);
      continue;
    }
    const named = changedItem.safeParse(change);
    // What an earlier entry says of the item is no longer so.
    if (named.success) states.delete(named.data.fileId);
    unreadable.push(leftOut(named.success ? named.data.fileId : feedKey));
  }
  const all = [...states.values()];
  return {
    items: all.flatMap((state) => state.type === "shown" ? [state.item] : []),
    buried: new Set(
      all.flatMap((state) => state.type === "shown" && state.isBuried ? [state.item.id] : []),
    ),
    removed: all.flatMap((state) => state.type === "gone" ? [state.removal] : []),
    // One that a later entry describes is known after all.
    unreadable: unreadable.filter(({ external_folder_id }) => !states.has(external_folder_id)),
  };
}

function leftOut(id: string): SkippedSubtree {
  return {
    external_folder_id: id,
    code: "response_invalid",
    message: "Google Drive described a change in an unreadable form; it was left out",
  };
}

/** What an entry says; `null` where it cannot be read. */
function readEntry(value: unknown, scope: GoogleDriveScope): State | null {
  const change = itemChange.safeParse(value);
  if (!change.success) return null;
  const { fileId, removed, file } = change.data;
  const gone = (reason: RemovalReason): State => ({
    type: "gone",
    removal: { external_id: fileId, reason },
  });
  if (removed && file === undefined) return gone("removed");
  // Before the rest is looked at: what is in the trash goes, however it is described.
  const trashed = trashedItem.safeParse(file);
  if (trashed.success && (trashed.data.explicitlyTrashed || isTop(fileId, scope))) {
    return gone("trashed");
  }
  // Moved out of the corpus, however it is described. Folders may lie in both: the parents decide.
  if (removed && scope.type !== "folders") return gone("out_of_scope");
  const item = driveItem.safeParse(file);
  if (!item.success || item.data.id !== fileId) return trashed.success ? gone("trashed") : null;
  const isMovedAway = isOutside(item.data, scope);
  if ((removed || isMovedAway) && isTop(fileId, scope)) {
    throw expired("A folder of the scope moved to where another change log tells of it");
  }
  if (isMovedAway) return gone("out_of_scope");
  return { type: "shown", item: item.data, isBuried: trashed.success };
}

function isTop(id: string, scope: GoogleDriveScope): boolean {
  switch (scope.type) {
    case "account":
      return false;
    case "drive":
      return id === scope.driveId;
    case "folders":
      return scope.folderIds.includes(id);
  }
}
