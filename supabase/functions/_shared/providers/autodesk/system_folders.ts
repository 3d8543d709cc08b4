import type { AutodeskConfig } from "./config.ts";
import { type FolderResource, folderResource, type ResourceList } from "./schemas.ts";

const GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/**
 * Names of the folders in which other products keep their attachments, at the top of every project.
 * No attribute marks them, so clients go by the names.
 */
const SYSTEM_NAMES: readonly RegExp[] = [
  // Forms, daily logs, issues: a word and an id.
  new RegExp(`^[a-z][a-z-]*_${GUID}$`),
  new RegExp(`^${GUID}$`),
  new RegExp(`^COST Root Folder( ${GUID})?$`),
  /^(correspondence|meetings)-project/,
  /^(submittals-attachments|Photos|PhotoTools|ProjectTb|Recycle Bin)$/,
];

/**
 * Whether a top folder of the project holds no project files. The top folders of a user may lie deep in
 * the project and have any name: theirs are all taken for project files.
 */
export function isSystemFolder(
  { attributes }: FolderResource,
  { userId }: AutodeskConfig,
): boolean {
  return userId === null && SYSTEM_NAMES.some((pattern) => pattern.test(attributes.name));
}

/**
 * Leaves out top folders that hold no project files. `projectFilesOnly` asks Autodesk to do so, but
 * that is promised only for calls in a user's name.
 */
export function withoutSystemFolders(list: ResourceList, config: AutodeskConfig): ResourceList {
  const data = list.data.filter((value) => {
    const folder = folderResource.safeParse(value);
    return !folder.success || !isSystemFolder(folder.data, config);
  });
  return { ...list, data };
}
