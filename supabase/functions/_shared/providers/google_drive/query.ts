import type { CreatedWindow } from "./windows.ts";

/** The MIME type by which Drive marks folders. */
export const FOLDER_MIME_TYPE = "application/vnd.google-apps.folder";

/** The MIME type by which Drive marks shortcuts. */
export const SHORTCUT_MIME_TYPE = "application/vnd.google-apps.shortcut";

/** Fields of an item that `file_record.ts` reads. Whatever is not named here is not sent. */
const ITEM_FIELDS = [
  "id",
  "name",
  "mimeType",
  "size",
  "fileExtension",
  "parents",
  "createdTime",
  "modifiedTime",
  "webViewLink",
  "webContentLink",
  "md5Checksum",
  "sha256Checksum",
  "headRevisionId",
  "originalFilename",
  "resourceKey",
  "driveId",
  "sharedWithMeTime",
  "shortcutDetails(targetId,targetMimeType,targetResourceKey)",
  "owners(displayName,emailAddress)",
  "lastModifyingUser(displayName,emailAddress)",
].join(",");

// A mask without nextPageToken makes Drive answer one page and look finished.
const LIST_FIELDS = `nextPageToken,incompleteSearch,files(${ITEM_FIELDS})`;
const CHANGES_FIELDS = "nextPageToken,newStartPageToken," +
  `changes(changeType,removed,fileId,file(trashed,explicitlyTrashed,${ITEM_FIELDS}))`;
const ROOT_FIELDS = "id,name,mimeType,trashed,driveId,parents,sharedWithMeTime," +
  "shortcutDetails(targetId),capabilities(canReadDrive)";
const MOST_ITEMS = 1000;

/** Which items a search looks through. */
export type Corpus =
  /** The account's My Drive and what is shared with it. */
  | { readonly type: "user" }
  /** One shared drive. */
  | { readonly type: "drive"; readonly driveId: string }
  /** Left to Drive, which widens the default when a query names parents. */
  | { readonly type: "by_parents" };

/** One page of a search. `query` and `corpus` must be the same on every page. */
export interface ListRequest {
  readonly query: string;
  readonly corpus: Corpus;
  readonly pageSize: number;
  readonly pageToken: string | null;
}

/** Quotes a value for a search query. */
export function quote(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The query for all folders of a corpus. */
export const ALL_FOLDERS = `trashed = false and mimeType = ${quote(FOLDER_MIME_TYPE)}`;

/** The query for everything of a corpus that is not a folder. */
export const ALL_FILES = `trashed = false and mimeType != ${quote(FOLDER_MIME_TYPE)}`;

/** The query for what is shared with the account by itself, not by a folder above it. */
export const SHARED_WITH_ME = "sharedWithMe = true and trashed = false";

/** Narrows a query to what was created within a window. */
export function createdWithin(query: string, { from, to }: CreatedWindow): string {
  const since = from === null ? "" : ` and createdTime >= ${quote(from)}`;
  const until = to === null ? "" : ` and createdTime < ${quote(to)}`;
  return query + since + until;
}

/** The query for the direct children of the given folders. */
export function childrenOf(folderIds: readonly string[]): string {
  const parents = folderIds.map((id) => `${quote(id)} in parents`).join(" or ");
  return `(${parents}) and trashed = false`;
}

/** The address of one page of files.list. */
export function listUrl(apiUrl: string, request: ListRequest): URL {
  const url = new URL(`${apiUrl}/drive/v3/files`);
  url.searchParams.set("q", request.query);
  url.searchParams.set("fields", LIST_FIELDS);
  url.searchParams.set("spaces", "drive");
  url.searchParams.set("pageSize", allowedPageSize(request.pageSize));
  setCorpus(url.searchParams, request.corpus);
  if (request.pageToken !== null) url.searchParams.set("pageToken", request.pageToken);
  return url;
}

function allowedPageSize(wanted: number): string {
  return String(Math.max(1, Math.min(MOST_ITEMS, Math.floor(wanted))));
}

function setCorpus(parameters: URLSearchParams, corpus: Corpus): void {
  if (corpus.type === "user") {
    parameters.set("corpora", "user");
    return;
  }
  if (corpus.type === "drive") {
    parameters.set("corpora", "drive");
    parameters.set("driveId", corpus.driveId);
  }
  // Both default to false, and either one alone hides everything in shared drives.
  parameters.set("includeItemsFromAllDrives", "true");
  parameters.set("supportsAllDrives", "true");
}

/** The address of files.get for the top of a scope; `root` is the account's My Drive. */
export function rootUrl(apiUrl: string, id: string): URL {
  const url = new URL(`${apiUrl}/drive/v3/files/${encodeURIComponent(id)}`);
  url.searchParams.set("supportsAllDrives", "true");
  url.searchParams.set("fields", ROOT_FIELDS);
  return url;
}

/** The address of changes.getStartPageToken: the user's own log, or a shared drive's. */
export function startPageTokenUrl(apiUrl: string, driveId: string | null): URL {
  const url = new URL(`${apiUrl}/drive/v3/changes/startPageToken`);
  url.searchParams.set("supportsAllDrives", "true");
  if (driveId !== null) url.searchParams.set("driveId", driveId);
  return url;
}

/** One page of a change log. */
export interface ChangesRequest {
  /** The shared drive whose log it is, or `null` for the user's own. */
  readonly driveId: string | null;
  readonly pageToken: string;
  readonly pageSize: number;
  /** Whether the user's log is to tell of items in shared drives that are shared one by one. */
  readonly includesAllDrives: boolean;
}

/** The address of one page of changes.list. */
export function changesUrl(apiUrl: string, request: ChangesRequest): URL {
  const url = new URL(`${apiUrl}/drive/v3/changes`);
  const parameters = url.searchParams;
  parameters.set("pageToken", request.pageToken);
  parameters.set("pageSize", allowedPageSize(request.pageSize));
  parameters.set("fields", CHANGES_FIELDS);
  parameters.set("spaces", "drive");
  parameters.set("includeRemoved", "true");
  parameters.set("supportsAllDrives", "true");
  parameters.set("includeItemsFromAllDrives", String(request.includesAllDrives));
  // What moved to another log is "removed" from this one. Its description, where it can still be
  // read, tells a move from a loss.
  parameters.set("includeCorpusRemovals", "true");
  if (request.driveId !== null) parameters.set("driveId", request.driveId);
  return url;
}

/** The address of about.get for the e-mail address of the account that reads. */
export function aboutUrl(apiUrl: string): URL {
  const url = new URL(`${apiUrl}/drive/v3/about`);
  url.searchParams.set("fields", "user(emailAddress)");
  return url;
}
