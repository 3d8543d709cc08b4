/** Looks at the tops of a scope before a listing begins. */
import { isUnanswered, SyncError } from "../../errors.ts";
import type { CallPurpose, ProviderContext, SkippedSubtree } from "../types.ts";
import type { GoogleDriveConfig, GoogleDriveScope } from "./config.ts";
import { aboutUrl, FOLDER_MIME_TYPE, rootUrl, SHORTCUT_MIME_TYPE } from "./query.ts";
import { skippedFolder } from "../unreadable.ts";
import { about, parseAnswer, type RootItem, rootItem } from "./schemas.ts";

type Context = ProviderContext<GoogleDriveConfig>;

/** Whether a failure is about one folder alone, so that others of the same endpoint can be read. */
export function isAboutOneFolder(error: unknown): error is SyncError {
  return error instanceof SyncError &&
    (error.code === "scope_not_found" || error.code === "access_denied");
}

/** The e-mail address of the account that reads: people must know whom to share with. */
async function accountName(context: Context): Promise<string> {
  try {
    const answer = await context.getJson(aboutUrl(context.apiUrl));
    return parseAnswer(about, answer, "about.get").user.emailAddress;
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof SyncError)) throw error;
    // The failure being explained is reported either way, only less helpfully.
    return "the connected account (for a service account: its client_email)";
  }
}

async function getRoot(id: string, context: Context, purpose: CallPurpose): Promise<RootItem> {
  const answer = await context.getJson(rootUrl(context.apiUrl, id), purpose);
  return parseAnswer(rootItem, answer, "files.get");
}

/** Adds to a refusal what the owner of the endpoint can do about it. */
export async function explain(
  error: SyncError,
  what: string,
  context: Context,
): Promise<SyncError> {
  const account = await accountName(context);
  const verb = error.code === "access_denied" ? "read" : "find";
  return new SyncError(
    error.code,
    `Cannot ${verb} ${what}: share it with ${account}, or correct endpoint_config`,
    { cause: error },
  );
}

async function getExplained(
  id: string,
  what: string,
  context: Context,
  purpose: CallPurpose = "run",
): Promise<RootItem> {
  try {
    return await getRoot(id, context, purpose);
  } catch (error) {
    if (!isAboutOneFolder(error)) throw error;
    throw await explain(error, what, context);
  }
}

/** The top of the account's My Drive, with its real id. */
export async function checkAccount(context: Context): Promise<RootItem> {
  return await getExplained("root", "the account's My Drive", context);
}

/** The top of a shared drive; refuses an id that belongs to a mere folder or file. */
export async function checkDrive(driveId: string, context: Context): Promise<RootItem> {
  const root = await getExplained(driveId, `the shared drive "${driveId}"`, context);
  const isTop = root.id === driveId && (root.driveId ?? driveId) === driveId &&
    root.mimeType === FOLDER_MIME_TYPE && (root.parents ?? []).length === 0;
  if (isTop) return root;
  throw new SyncError(
    "config_invalid",
    "Cannot read endpoint_config as drive_id must be the id of a shared drive, and a folder " +
      `belongs into folder_id: current value is "${driveId}"`,
  );
}

/** A folder of the scope, looked at; or why it cannot be read, while others may be. */
export type CheckedFolder =
  | { readonly type: "readable"; readonly root: RootItem }
  | UnreadableFolder;

/** Why a folder of the scope cannot be read. */
export interface UnreadableFolder {
  readonly type: "unreadable";
  readonly error: SyncError;
  readonly skipped: SkippedSubtree;
}

/** A folder of the scope. Throws `config_invalid` for what can never be a folder of this scope. */
export async function checkFolder(
  folderId: string,
  { driveId, folderIds }: Extract<GoogleDriveScope, { type: "folders" }>,
  context: Context,
): Promise<CheckedFolder> {
  const purpose = folderIds.length > 1 ? "folder" : "run";
  try {
    const root = await getExplained(folderId, `the folder "${folderId}"`, context, purpose);
    return { type: "readable", root: refuseUnfit(folderId, driveId, root) };
  } catch (error) {
    if (!isAboutOneFolder(error) && !isUnanswered(error)) throw error;
    return { type: "unreadable", error, skipped: skippedFolder(folderId, error) };
  }
}

function refuseUnfit(folderId: string, driveId: string | null, root: RootItem): RootItem {
  const refuse = (rule: string) =>
    new SyncError(
      "config_invalid",
      `Cannot read endpoint_config as ${rule}: current value is "${folderId}"`,
    );
  if (root.mimeType === SHORTCUT_MIME_TYPE) {
    const target = root.shortcutDetails?.targetId;
    const hint = target === undefined ? "" : ` (this one leads to "${target}")`;
    throw refuse(`folder_id must be the id of a folder itself, not of a shortcut${hint}`);
  }
  if (root.mimeType !== FOLDER_MIME_TYPE) throw refuse("folder_id must be a folder, not a file");
  if (driveId !== null && root.driveId !== driveId) {
    throw refuse(`folder_id must lie in the shared drive "${driveId}"`);
  }
  if (root.trashed) {
    throw new SyncError(
      "scope_not_found",
      `Cannot read the folder "${folderId}" as it is in the trash: restore it, or correct ` +
        "endpoint_config",
    );
  }
  return root;
}
