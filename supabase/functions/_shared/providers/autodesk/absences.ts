/** Telling deleted things from those that are merely out of sight. */
import { isUnanswered } from "../../errors.ts";
import type {
  AbsenceVerdicts,
  AbsentItem,
  FileRecord,
  FolderRecord,
  ProviderContext,
} from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { joinTip } from "./entries.ts";
import { isDeleted, type ListedFile, toFileRecord } from "./file_record.ts";
import { toFolderRecord } from "./folder_record.ts";
import { inGroups } from "./groups.ts";
import { isProjectThere, isRefusal } from "./project.ts";
import { folderAnswer, type FolderResource, itemAnswer, parseAnswer } from "./schemas.ts";
import { isSystemFolder } from "./system_folders.ts";
import { skippedFolder } from "../unreadable.ts";
import { folderUrl, itemUrl } from "./urls.ts";

type Context = ProviderContext<AutodeskConfig>;

/** Folders may be nested this deep, and the project's root is above them. */
const DEEPEST_FOLDER = 26;

type Fate =
  | { readonly type: "gone"; readonly id: string }
  | { readonly type: "unknown"; readonly item: AbsenceVerdicts["unknown"][number] }
  | { readonly type: "file"; readonly file: FileRecord }
  | { readonly type: "folder"; readonly folder: FolderRecord };

/** Looks at a folder; `null`: it is not shown. */
type LookAtFolder = (folderId: string) => Promise<FolderResource | null>;

/**
 * Asks Autodesk for each item by its id. Nothing is purged there, so what was deleted can still be
 * seen, as hidden. What cannot be seen is another matter: a folder, because permissions are given
 * by folder, is then lost sight of; a file is gone only if its folder can still be seen.
 */
export async function confirmGone(
  items: readonly AbsentItem[],
  context: Context,
): Promise<AbsenceVerdicts> {
  const look = createLook(context);
  const fates = await inGroups(items, (item) => judge(item, look, context));
  return {
    gone: fates.flatMap((fate) => fate.type === "gone" ? [fate.id] : []),
    unknown: fates.flatMap((fate) => fate.type === "unknown" ? [fate.item] : []),
    present_files: fates.flatMap((fate) => fate.type === "file" ? [fate.file] : []),
    present_folders: fates.flatMap((fate) => fate.type === "folder" ? [fate.folder] : []),
  };
}

/** What became of an item. One that Autodesk gives no answer about, while it gives others, is kept. */
async function judge(item: AbsentItem, look: LookAtFolder, context: Context): Promise<Fate> {
  try {
    return await (item.is_folder ? judgeFolder : judgeFile)(item, look, context);
  } catch (error) {
    if (!isUnanswered(error) || !await isProjectThere(context)) throw error;
    const { code, message } = skippedFolder(item.external_id, error);
    return { type: "unknown", item: { ...item, code, message } };
  }
}

/** The item stays as it is: that it is not shown may mean that access to it was lost. */
function lostSight(item: AbsentItem): Fate {
  const what = item.is_folder ? "folder" : "file";
  const message =
    `Autodesk no longer shows the ${what} to this client id or user; it is kept as it ` +
    "was. A project admin must give permission for the folder, if it is still there";
  return { type: "unknown", item: { ...item, code: "access_denied", message } };
}

/** Looks at each folder once, however many of the items were in it. */
function createLook(context: Context): LookAtFolder {
  const seen = new Map<string, Promise<FolderResource | null>>();
  return (folderId) => {
    const known = seen.get(folderId) ?? lookAtFolder(folderId, context);
    seen.set(folderId, known);
    return known;
  };
}

async function lookAtFolder(
  folderId: string,
  { getJson, apiUrl, config }: Context,
): Promise<FolderResource | null> {
  try {
    const answer = await getJson(folderUrl(apiUrl, folderId, config), "folder");
    return parseAnswer(folderAnswer, answer, "a folder").data;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return null;
  }
}

/**
 * Whether a folder is no part of the scope, or no longer: it lies outside, or in a deleted folder, or
 * is one. What is in a deleted folder is not marked itself. The way up ends where the account sees no
 * further; as permissions are inherited, a folder named by the scope is met before that.
 */
async function isBeyondScope(
  folderId: string,
  look: LookAtFolder,
  { config }: Context,
): Promise<boolean> {
  const way: FolderResource[] = [];
  let id: string | undefined = folderId;
  while (id !== undefined && way.length < DEEPEST_FOLDER) {
    const folder: FolderResource | null = await look(id);
    if (folder === null) break;
    if (folder.attributes.hidden) return true;
    way.push(folder);
    id = folder.relationships?.parent?.data.id;
  }
  if (config.folderIds.length > 0) return !way.some(({ id }) => config.folderIds.includes(id));
  // The last one is the root of the project, and below it are its top folders.
  const top = id === undefined ? way.at(-2) : undefined;
  return top !== undefined && isSystemFolder(top, config);
}

async function judgeFolder(item: AbsentItem, look: LookAtFolder, context: Context): Promise<Fate> {
  const { external_id: id } = item;
  // The root that stands for the project is no folder of the API.
  if (id === context.config.projectId) return lostSight(item);
  const folder = await look(id);
  if (folder === null) return lostSight(item);
  if (await isBeyondScope(id, look, context)) return { type: "gone", id };
  const parentId = await findParent(folder, look, context);
  return { type: "folder", folder: toFolderRecord(folder, parentId, context) };
}

/**
 * The folder above. In a whole project, what has nothing above it but the project's own root, or
 * nothing that can be seen, is a top folder: it hangs below the root that stands for the project.
 */
async function findParent(
  { relationships }: FolderResource,
  look: LookAtFolder,
  { config }: Context,
): Promise<string | null> {
  const parentId = relationships?.parent?.data.id ?? null;
  if (config.folderIds.length > 0) return parentId;
  const parent = parentId === null ? null : await look(parentId);
  return parent?.relationships?.parent === undefined ? config.projectId : parentId;
}

async function judgeFile(item: AbsentItem, look: LookAtFolder, context: Context): Promise<Fate> {
  const { external_id: id, external_parent_id: lastParentId = null } = item;
  const listed = await lookAtFile(id, context);
  if (listed === "refused") return lostSight(item);
  if (listed === "missing") {
    const isFolderSeen = lastParentId !== null && await look(lastParentId) !== null;
    return isFolderSeen ? { type: "gone", id } : lostSight(item);
  }
  if (isDeleted(listed)) return { type: "gone", id };
  const parentId = listed.item.relationships?.parent?.data.id ?? lastParentId;
  if (parentId === null || await look(parentId) === null) return lostSight(item);
  if (await isBeyondScope(parentId, look, context)) return { type: "gone", id };
  return { type: "file", file: toFileRecord(listed, parentId, context.config).file };
}

async function lookAtFile(
  id: string,
  { getJson, apiUrl, config }: Context,
): Promise<ListedFile | "missing" | "refused"> {
  try {
    const answer = await getJson(itemUrl(apiUrl, id, config), "folder");
    const { data, included } = parseAnswer(itemAnswer, answer, "a file");
    return joinTip(data, included ?? []);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error.code === "scope_not_found" ? "missing" : "refused";
  }
}
