import type { Folder, Item, Project, Version } from "./aps_types.ts";

/** The address at which people see a project. */
export function projectWebLink(project: Project): string {
  const guid = guidOf(project);
  return project.type === "ACC"
    ? `https://acc.autodesk.com/docs/files/projects/${guid}`
    : `https://docs.b360.autodesk.com/projects/${guid}`;
}

/** The address at which people see a folder. */
export function folderWebLink(folder: Folder): string {
  const urn = encodeURIComponent(folder.id);
  const base = projectWebLink(folder.project);
  return folder.project.type === "ACC" ? `${base}?folderUrn=${urn}` : `${base}/folders/${urn}`;
}

/** The address at which people see an item or a version. */
export function fileWebLink(file: Item | Version): string {
  const folder = "versions" in file ? file.parent : file.item.parent;
  const urn = encodeURIComponent(file.id);
  return folder.project.type === "ACC"
    ? `${folderWebLink(folder)}&entityId=${urn}`
    : `${folderWebLink(folder)}/detail/viewer/items/${urn}`;
}

/** The id of a project as the web and the administration know it. */
function guidOf(project: Project): string {
  return project.id.replace(/^b\./, "");
}
