/** Telling deleted things from those that are merely out of sight. */
import type { Absences, AbsentItem, FileRecord, FolderRecord, ProviderContext } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { joinTip } from "./entries.ts";
import { isDeleted, toFileRecord } from "./file_record.ts";
import { toFolderRecord } from "./folder_record.ts";
import { inGroups } from "./groups.ts";
import { isRefusal } from "./project.ts";
import { folderAnswer, type FolderResource, itemAnswer, parseAnswer } from "./schemas.ts";
import { folderUrl, itemUrl } from "./urls.ts";

type Context = ProviderContext<AutodeskConfig>;

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

async function judgeFolder(item: AbsentItem, look: LookAtFolder, context: Context): Promise<Fate> {
  const { external_id: id, external_parent_id: lastParentId } = item;
  // The root that stands for the project is no folder of the API.
  if (id === context.config.projectId) return { type: "unknown", id };
  const folder = await look(id);
  if (folder === null) return { type: "unknown", id };
  if (folder.attributes.hidden) return { type: "gone", id };
  // A top folder stays below the project's root, whose own id is another one in the API.
  const parentId = lastParentId === context.config.projectId
    ? lastParentId
    : folder.relationships?.parent?.data.id ?? lastParentId;
  return { type: "folder", folder: toFolderRecord(folder, parentId, context) };
}

async function judgeFile(item: AbsentItem, look: LookAtFolder, context: Context): Promise<Fate> {
  const { external_id: id, external_parent_id: lastParentId } = item;
  const { getJson, apiUrl, config } = context;
  try {
    const answer = await getJson(itemUrl(apiUrl, id, config));
    const { data, included } = parseAnswer(itemAnswer, answer, "a file");
    const listed = joinTip(data, included ?? []);
    if (isDeleted(listed)) return { type: "gone", id };
    const parentId = data.relationships?.parent?.data.id ?? lastParentId;
    return { type: "file", file: toFileRecord(listed, parentId, config).file };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const isMissing = error.code === "scope_not_found" && lastParentId !== null &&
      await look(lastParentId) !== null;
    return { type: isMissing ? "gone" : "unknown", id };
  }
}
