import { isUnanswered, SyncError } from "../../errors.ts";
import type { ListingStart, ProviderContext, SkippedSubtree, TaskSeed } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { toFolderRecord, toWalk } from "./folder_record.ts";
import { inGroups } from "./groups.ts";
import { chooseHub, isRefusal, verifyProject } from "./project.ts";
import { folderAnswer, type FolderResource, parseAnswer } from "./schemas.ts";
import { skippedFolder, unreadableSeed } from "../unreadable.ts";
import { folderUrl } from "./urls.ts";

type Context = ProviderContext<AutodeskConfig>;

/**
 * Says what a listing begins with. A full one checks the scope first; an incremental one trusts what
 * the last one saw, and its first page tells where that is no longer so.
 */
export async function startListing(context: Context): Promise<ListingStart> {
  return context.config.folderIds.length > 0
    ? await startFolders(context)
    : await startProject(context);
}

type Shape = Pick<ListingStart, "feeds" | "is_tree" | "sweep" | "confirms_absence">;

function shape({ mode }: Context): Shape {
  const sweep = mode === "full" ? "everything" : "walked_folders";
  return { feeds: [], is_tree: true, sweep, confirms_absence: true };
}

/**
 * The root stands for the project itself and has its id: the highest folders that can be seen hang
 * below it, wherever they are in truth, and are read as its content.
 */
async function startProject(context: Context): Promise<ListingStart> {
  const { projectId } = context.config;
  const hubId = context.mode === "full" ? await verifyProject(context) : await chooseHub(context);
  const root = {
    external_folder_id: projectId,
    external_parent_id: null,
    folder_name: projectId,
    is_root: true,
  };
  return {
    ...shape(context),
    roots: [root],
    seeds: [],
    walk: [projectId],
    memory: { hub_id: hubId },
  };
}

/** A folder of the scope, looked at; or why it cannot be read, while others may be. */
type CheckedFolder =
  | { readonly type: "readable"; readonly folder: FolderResource }
  | { readonly type: "unreadable"; readonly error: SyncError; readonly skipped: SkippedSubtree };

async function startFolders(context: Context): Promise<ListingStart> {
  const checked = await inGroups(context.config.folderIds, (id) => checkFolder(id, context));
  const roots = checked.flatMap((found) =>
    found.type === "readable"
      ? [toFolderRecord(found.folder, found.folder.relationships?.parent?.data.id ?? null, context)]
      : []
  );
  const [first] = checked;
  if (roots.length === 0 && first?.type === "unreadable") {
    // No folder at all: where the project cannot be seen either, that is the news.
    await verifyProject(context);
    throw first.error;
  }
  return {
    ...shape(context),
    roots,
    unreadable_roots: checked.flatMap((found) =>
      found.type === "unreadable" ? [found.skipped.external_folder_id] : []
    ),
    seeds: checked.flatMap((found): TaskSeed[] =>
      found.type === "unreadable" ? [unreadableSeed(found.skipped)] : []
    ),
    ...toWalk(roots, context),
  };
}

async function checkFolder(folderId: string, context: Context): Promise<CheckedFolder> {
  const { apiUrl, config } = context;
  const purpose = config.folderIds.length > 1 ? "folder" : "run";
  try {
    const answer = await context.getJson(folderUrl(apiUrl, folderId, config), purpose);
    const folder = parseAnswer(folderAnswer, answer, "a folder").data;
    if (!folder.attributes.hidden) return { type: "readable", folder };
    return toUnreadable(folderId, deleted(folderId));
  } catch (error) {
    // Where no folder answers, the project is asked.
    if (isUnanswered(error)) return toUnreadable(folderId, error);
    if (!isRefusal(error)) throw error;
    return toUnreadable(folderId, explain(error, folderId, config));
  }
}

function toUnreadable(folderId: string, error: SyncError): CheckedFolder {
  return { type: "unreadable", error, skipped: skippedFolder(folderId, error) };
}

function deleted(folderId: string): SyncError {
  const message = `Cannot read folder "${folderId}" as it was deleted: restore it, or correct ` +
    "folder_ids in endpoint_config";
  return new SyncError("scope_not_found", message);
}

function explain(error: SyncError, folderId: string, { projectId }: AutodeskConfig): SyncError {
  const message = error.code === "access_denied"
    ? `Cannot read folder "${folderId}": a project admin must give permission for it`
    : `Cannot find folder "${folderId}" in project "${projectId}": it belongs to another project, ` +
      "or is not shown to this client id or user; correct folder_ids or project_id in endpoint_config";
  return new SyncError(error.code, message, { cause: error });
}
