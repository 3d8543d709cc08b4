import {
  type Folder,
  foldersAbove,
  type Hub,
  type Item,
  type Project,
  type User,
} from "./aps_types.ts";

/** On whose behalf a call is made. */
export interface Viewer {
  readonly clientId: string;
  /** The user of a three-legged token or of `x-user-id`; `null`: the app acts for the account. */
  readonly user: User | null;
}

/** Whether an administrator let the app into the account. Users do not change that. */
export function isProvisioned(hub: Hub, viewer: Viewer): boolean {
  return hub.provisionedClients.has(viewer.clientId);
}

/** Whether the viewer may know of the project. */
export function canSeeProject(project: Project, viewer: Viewer): boolean {
  if (!project.isActive || !isProvisioned(project.hub, viewer)) return false;
  return viewer.user === null || project.members.has(viewer.user.id);
}

/** The status with which a viewer is turned away from a folder or item; `null`: it may be read. */
export function refusalOf(entry: Folder | Item, viewer: Viewer): 403 | 404 | null {
  const folders = entry.kind === "folder"
    ? [entry, ...foldersAbove(entry)]
    : [...foldersAbove(entry)];
  for (const { denied } of folders) {
    const status = denied.get(viewer.clientId) ??
      (viewer.user === null ? undefined : denied.get(viewer.user.id));
    if (status !== undefined) return status;
  }
  if (viewer.user === null) return null;
  const { id } = viewer.user;
  const role = folders[0]?.project.members.get(id);
  if (role === "admin" || (role === "member" && folders.some(({ granted }) => granted.has(id)))) {
    return null;
  }
  return 403;
}

/**
 * The highest folders the viewer may read: those directly below the root, or, for somebody who was
 * granted less, folders anywhere below.
 */
export function topFoldersOf(project: Project, viewer: Viewer): Folder[] {
  const tops: Folder[] = [];
  const pending = childFolders(project.root).reverse();
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    if (refusalOf(folder, viewer) === null) tops.push(folder);
    // What an administrator or the account itself cannot read has nothing readable below.
    else if (viewer.user !== null) pending.push(...childFolders(folder).reverse());
  }
  return tops;
}

function childFolders(folder: Folder): Folder[] {
  return [...folder.children].filter((child) => child.kind === "folder");
}
