import { refusalOf, type Viewer } from "./access.ts";
import { type Folder, foldersAbove } from "./aps_types.ts";
import { commonRelationships, dataPath, extension, type Rendering } from "./rendering.ts";
import { folderWebLink } from "./web_links.ts";

const ALLOWED_TYPES = [
  "items:autodesk.bim360:File",
  "items:autodesk.bim360:Document",
  "items:autodesk.bim360:TitleBlock",
  "items:autodesk.bim360:C4RModel",
  "folders:autodesk.bim360:Folder",
];

/** A folder as the Data service shows it. */
export function folderResource(folder: Folder, to: Rendering, viewer: Viewer) {
  return render(folder, to, viewer, {});
}

/** A folder as `topFolders` shows it: with where it stands. */
export function topFolderResource(folder: Folder, to: Rendering, viewer: Viewer) {
  const parents = [...foldersAbove(folder)].filter((each) => each.parent !== null);
  return render(folder, to, viewer, {
    isRoot: folder.parent?.parent === null,
    folderType: "normal",
    folderParents: parents.map((each) => ({
      urn: each.id,
      isRoot: each.parent?.parent === null,
      title: each.name,
      parentUrn: each.parent?.id ?? null,
    })),
  });
}

function render(
  folder: Folder,
  to: Rendering,
  viewer: Viewer,
  data: Readonly<Record<string, unknown>>,
) {
  const self = dataPath(folder.project.id, "folders", folder.id);
  return {
    type: "folders",
    id: folder.id,
    attributes: {
      name: folder.name,
      displayName: folder.name,
      createTime: to.time(folder.createdMs),
      createUserId: folder.createdBy.id,
      createUserName: folder.createdBy.name,
      lastModifiedTime: to.time(folder.modifiedMs),
      lastModifiedUserId: folder.modifiedBy.id,
      lastModifiedUserName: folder.modifiedBy.name,
      lastModifiedTimeRollup: to.time(folder.rollupMs),
      objectCount: countVisible(folder, viewer),
      hidden: folder.isHidden,
      extension: extension(to, "folders:autodesk.bim360:Folder", "1.0", {
        visibleTypes: ALLOWED_TYPES.slice(0, 1),
        actions: ["CONVERT", "SPLIT", "RECOGNIZE"],
        allowedTypes: ALLOWED_TYPES,
        namingStandardIds: [],
        ...data,
      }),
    },
    links: { self: to.link(self), webView: { href: folderWebLink(folder) } },
    relationships: {
      contents: { links: { related: to.link(`${self}/contents`) } },
      ...parentOf(folder, to, self),
      ...commonRelationships(to, self),
    },
  };
}

// The root of a project has nothing above it.
function parentOf(folder: Folder, to: Rendering, self: string) {
  if (folder.parent === null) return {};
  return {
    parent: {
      data: { type: "folders", id: folder.parent.id },
      links: { related: to.link(`${self}/parent`) },
    },
  };
}

function countVisible(folder: Folder, viewer: Viewer): number {
  let count = 0;
  for (const child of folder.children) {
    if (child.isHidden) continue;
    if (child.kind === "item" || refusalOf(child, viewer) === null) count++;
  }
  return count;
}
