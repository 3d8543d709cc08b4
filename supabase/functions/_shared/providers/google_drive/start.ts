import { isDeepStrictEqual } from "node:util";
import { isUnanswered, SyncError } from "../../errors.ts";
import type { FeedStart, FolderRecord, ListingStart, ProviderContext, TaskSeed } from "../types.ts";
import type { GoogleDriveConfig, GoogleDriveScope } from "./config.ts";
import { toFolderRecord } from "./file_record.ts";
import { foldersSeed } from "./listing.ts";
import { startFeed } from "./logs.ts";
import type { RootItem } from "./schemas.ts";
import {
  checkAccount,
  checkDrive,
  type CheckedFolder,
  checkFolder,
  isAboutOneFolder,
  type UnreadableFolder,
} from "./scope.ts";
import { unreadableSeed } from "../unreadable.ts";

type Context = ProviderContext<GoogleDriveConfig>;

const CHECKS_AT_ONCE = 8;

/**
 * Checks the scope, takes the change tokens, and says what the listing begins with. The tokens are
 * taken before the first page is read: what changes while the listing runs is then in the feed.
 */
export async function startListing(context: Context): Promise<ListingStart> {
  const { scope } = context.config;
  if (scope.type === "folders") return await startFolders(scope, context);
  return await startCorpus(scope, context);
}

function toRoot(root: RootItem): FolderRecord {
  return toFolderRecord(root, root.parents?.[0] ?? null, true);
}

async function startCorpus(
  scope: Exclude<GoogleDriveScope, { type: "folders" }>,
  context: Context,
): Promise<ListingStart> {
  const driveId = scope.type === "drive" ? scope.driveId : null;
  const root = driveId === null ? await checkAccount(context) : await checkDrive(driveId, context);
  return {
    roots: [toRoot(root)],
    seeds: [foldersSeed(root.id)],
    walk: [],
    feeds: [await startFeed(driveId, context)],
    is_tree: false,
    sweep: "everything",
  };
}

async function startFolders(
  scope: Extract<GoogleDriveScope, { type: "folders" }>,
  context: Context,
): Promise<ListingStart> {
  const first = await checkFolders(scope, context);
  const looked = rootsOf(first);
  const feeds = await startFeeds(looked, context, looked.length < scope.folderIds.length);
  // Which logs there are is known of the folders alone. What became of those before the logs were
  // asked stands in none of them: a folder that went to the trash would merely look empty. What gave no
  // answer is not waited for twice.
  const checked = await checkFolders(scope, context, first.filter(isSilent));
  const roots = rootsOf(checked);
  if (!isDeepStrictEqual(drivesOf(roots), drivesOf(looked))) {
    const message = "A folder of the scope was moved while it was looked at; it is tried again";
    throw new SyncError("unavailable", message);
  }
  return {
    roots: roots.map(toRoot),
    unreadable_roots: checked.flatMap((folder) =>
      folder.type === "unreadable" ? [folder.skipped.external_folder_id] : []
    ),
    seeds: checked.flatMap((folder): TaskSeed[] =>
      folder.type === "unreadable" ? [unreadableSeed(folder.skipped)] : []
    ),
    walk: [...new Set(roots.map((root) => root.id))],
    feeds,
    is_tree: true,
    sweep: "everything",
  };
}

/** The folders that can be read; throws where none of them can. */
function rootsOf(checked: readonly CheckedFolder[]): readonly RootItem[] {
  const roots = checked.flatMap((folder) => folder.type === "readable" ? [folder.root] : []);
  const [first] = checked;
  if (roots.length === 0 && first?.type === "unreadable") throw first.error;
  return roots;
}

/** Which folders can be read, and in which shared drives they lie. */
function drivesOf(roots: readonly RootItem[]): readonly (readonly [string, string | null])[] {
  return roots.map(({ id, driveId }) => [id, driveId ?? null]);
}

/** Whether Drive, which answers for other folders, gave no answer for this one. */
function isSilent(folder: CheckedFolder): folder is UnreadableFolder {
  return folder.type === "unreadable" && isUnanswered(folder.error);
}

/** Looks at each folder of the scope that is not `known`, a few at a time. */
async function checkFolders(
  scope: Extract<GoogleDriveScope, { type: "folders" }>,
  context: Context,
  known: readonly UnreadableFolder[] = [],
): Promise<readonly CheckedFolder[]> {
  const checked: CheckedFolder[] = [];
  const look = async (id: string) =>
    known.find(({ skipped }) => skipped.external_folder_id === id) ??
      await checkFolder(id, scope, context);
  for (let at = 0; at < scope.folderIds.length; at += CHECKS_AT_ONCE) {
    const ids = scope.folderIds.slice(at, at + CHECKS_AT_ONCE);
    const settled = await Promise.allSettled(ids.map(look));
    for (const result of settled) {
      // The first failure in the order of the configuration, whichever was answered first.
      if (result.status === "rejected") throw result.reason;
      checked.push(result.value);
    }
  }
  return checked;
}

/**
 * The logs for folders: that of each shared drive they lie in, and the user's own where one lies in
 * a My Drive. A folder of a shared drive that is shared with a non-member appears in the user's log
 * alone, and the drive's log refuses them. A folder that cannot be read now may come back in either,
 * and is in the user's log if it is not in a drive that is followed.
 */
async function startFeeds(
  roots: readonly RootItem[],
  context: Context,
  isAnyUnreadable: boolean,
): Promise<readonly FeedStart[]> {
  const driveIds = new Set(roots.flatMap(({ driveId }) => driveId ?? []));
  let needsUserLog = isAnyUnreadable || roots.some(({ driveId }) => driveId === undefined);
  const feeds: FeedStart[] = [];
  for (const driveId of driveIds) {
    const feed = await startDriveFeed(driveId, roots, context);
    if (feed === null) needsUserLog = true;
    else feeds.push(feed);
  }
  return needsUserLog ? [await startFeed(null, context), ...feeds] : feeds;
}

/** A shared drive's log; `null` for who is no member: what they see of it is in their own. */
async function startDriveFeed(
  driveId: string,
  roots: readonly RootItem[],
  context: Context,
): Promise<FeedStart | null> {
  const known = roots.filter((root) => root.driveId === driveId)
    .map(({ capabilities }) => capabilities?.canReadDrive);
  try {
    return known.includes(false) ? null : await startFeed(driveId, context);
  } catch (error) {
    if (!isAboutOneFolder(error)) throw error;
    if (!known.includes(true)) return null;
    // At times Drive does not find what is there. Who followed another log would miss what changes.
    throw new SyncError(
      "unavailable",
      "Google Drive refuses the change log of a shared drive that this account may read; it is " +
        "tried again shortly",
      { cause: error },
    );
  }
}
