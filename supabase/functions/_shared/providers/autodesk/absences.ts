/** Telling deleted things from those that are merely out of sight. */
import type { Absences, AbsentItem, FileRecord, FolderRecord, ProviderContext } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { joinTip } from "./entries.ts";
import { isDeleted, type ListedFile, toFileRecord } from "./file_record.ts";
import { toFolderRecord } from "./folder_record.ts";
import { inGroups } from "./groups.ts";
import { isRefusal } from "./project.ts";
import { folderAnswer, type FolderResource, itemAnswer, parseAnswer } from "./schemas.ts";
import { folderUrl, itemUrl } from "./urls.ts";

type Context = ProviderContext<AutodeskConfig>;

/** Folders may be nested this deep, and the project's root is above them. */
const DEEPEST_FOLDER = 26;

type Fate =
  | { readonly type: "gone" | "unknown"; readonly id: string }
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
): Promise<Absences> {
  const look = createLook(context);
  const fates = await inGroups(
    items,
    (item) => item.is_folder ? judgeFolder(item, look, context) : judgeFile(item, look, context),
  );
  const ids = (type: "gone" | "unknown") =>
    fates.flatMap((fate) => fate.type === type ? [fate.id] : []);
  return {
    gone: ids("gone"),
    unknown: ids("unknown"),
    present: fates.flatMap((fate) => fate.type === "file" ? [fate.file] : []),
    present_folders: fates.flatMap((fate) => fate.type === "folder" ? [fate.folder] : []),
  };
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
    const answer = await getJson(folderUrl(apiUrl, folderId, config));
    return parseAnswer(folderAnswer, answer, "a folder").data;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return null;
  }
}

/**
 * Whether a folder lies in a deleted one, or is one: what is in a deleted folder is not marked
 * itself. The way up ends where the account sees no further.
 */
async function isBuried(folderId: string | undefined, look: LookAtFolder): Promise<boolean> {
  let id = folderId;
  for (let steps = 0; id !== undefined && steps < DEEPEST_FOLDER; steps++) {
    const folder: FolderResource | null = await look(id);
    if (folder === null) return false;
    if (folder.attributes.hidden) return true;
    id = folder.relationships?.parent?.data.id;
  }
  return false;
}

async function judgeFolder(item: AbsentItem, look: LookAtFolder, context: Context): Promise<Fate> {
  const { external_id: id, external_parent_id: lastParentId } = item;
  const { projectId } = context.config;
  // The root that stands for the project is no folder of the API.
  if (id === projectId) return { type: "unknown", id };
  const folder = await look(id);
  if (folder === null) return { type: "unknown", id };
  if (await isBuried(id, look)) return { type: "gone", id };
  // A top folder stays below the project's root, whose own id is another one in the API.
  const parentId = lastParentId === projectId
    ? lastParentId
    : folder.relationships?.parent?.data.id ?? lastParentId;
  return { type: "folder", folder: toFolderRecord(folder, parentId, context) };
}

async function judgeFile(item: AbsentItem, look: LookAtFolder, context: Context): Promise<Fate> {
  const { external_id: id, external_parent_id: lastParentId } = item;
  const listed = await lookAtFile(id, context);
  if (listed === "refused") return { type: "unknown", id };
  if (listed === "missing") {
    const isFolderSeen = lastParentId !== null && await look(lastParentId) !== null;
    return { type: isFolderSeen ? "gone" : "unknown", id };
  }
  if (isDeleted(listed)) return { type: "gone", id };
  const parentId = listed.item.relationships?.parent?.data.id ?? lastParentId;
  if (parentId === null || await look(parentId) === null) return { type: "unknown", id };
  if (await isBuried(parentId, look)) return { type: "gone", id };
  return { type: "file", file: toFileRecord(listed, parentId, context.config).file };
}

async function lookAtFile(
  id: string,
  { getJson, apiUrl, config }: Context,
): Promise<ListedFile | "missing" | "refused"> {
  try {
    const answer = await getJson(itemUrl(apiUrl, id, config));
    const { data, included } = parseAnswer(itemAnswer, answer, "a file");
    return joinTip(data, included ?? []);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error.code === "scope_not_found" ? "missing" : "refused";
  }
}
