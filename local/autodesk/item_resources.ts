import { foldersAbove, type Item, tipOf, type Version } from "./aps_types.ts";
import { extensionOf } from "./names.ts";
import { commonRelationships, dataPath, extension, type Rendering } from "./rendering.ts";
import { fileWebLink } from "./web_links.ts";

/** An item as the Data service shows it. */
export function itemResource(
  item: Item,
  to: Rendering,
  options: { readonly hasPath?: boolean } = {},
) {
  const project = item.parent.project.id;
  const self = dataPath(project, "items", item.id);
  const isDocument = item.fileKind === "Document";
  const type = `items:autodesk.bim360:${item.fileKind}`;
  return {
    type: "items",
    id: item.id,
    attributes: {
      displayName: item.displayName,
      createTime: to.time(item.createdMs),
      createUserId: item.createdBy.id,
      createUserName: item.createdBy.name,
      lastModifiedTime: to.time(item.modifiedMs),
      lastModifiedUserId: item.modifiedBy.id,
      lastModifiedUserName: item.modifiedBy.name,
      hidden: item.isHidden,
      reserved: false,
      extension: extension(to, type, "1.0", isDocument ? { sourceFileName: item.displayName } : {}),
      ...(options.hasPath === true ? { pathInProject: pathInProject(item) } : {}),
    },
    links: { self: to.link(self), webView: { href: fileWebLink(item) } },
    relationships: {
      ...tipRelationship(item, to, self),
      versions: { links: { related: to.link(`${self}/versions`) } },
      parent: {
        data: { type: "folders", id: item.parent.id },
        links: { related: to.link(`${self}/parent`) },
      },
      ...commonRelationships(to, self),
    },
  };
}

function tipRelationship(item: Item, to: Rendering, self: string) {
  const tip = tipOf(item);
  if (tip === null) return {};
  return {
    tip: {
      data: { type: "versions", id: tip.id },
      links: { related: to.link(`${self}/tip`) },
    },
  };
}

// Made of the folders' names, from the top folder on.
function pathInProject(item: Item): string {
  const names = [...foldersAbove(item)].filter(({ parent }) => parent !== null)
    .map(({ name }) => name).reverse();
  return `/${names.join("/")}`;
}

/** A version as the Data service shows it. */
export function versionResource(version: Version, to: Rendering) {
  const { item } = version;
  const self = dataPath(item.parent.project.id, "versions", version.id);
  const itemPath = dataPath(item.parent.project.id, "items", item.id);
  return {
    type: "versions",
    id: version.id,
    attributes: {
      name: version.name,
      displayName: version.displayName,
      createTime: to.time(version.createdMs),
      createUserId: version.createdBy.id,
      createUserName: version.createdBy.name,
      lastModifiedTime: to.time(version.modifiedMs),
      lastModifiedUserId: version.modifiedBy.id,
      lastModifiedUserName: version.modifiedBy.name,
      versionNumber: version.number,
      ...fileAttributes(version),
      extension: versionExtension(version, to),
    },
    links: { self: to.link(self), webView: { href: fileWebLink(version) } },
    relationships: {
      item: {
        data: { type: "items", id: item.id },
        links: { related: to.link(itemPath) },
      },
      ...commonRelationships(to, self),
      ...storageRelationship(version, to),
    },
  };
}

// Each is left out where the service does not know it.
function fileAttributes(version: Version) {
  if (version.deletedName !== null) return {};
  const fileType = extensionOf(version.name);
  return {
    ...(version.mimeType === null ? {} : { mimeType: version.mimeType }),
    ...(version.size === null ? {} : { storageSize: version.size }),
    ...(fileType === null ? {} : { fileType: fileType.toLowerCase() }),
  };
}

function versionExtension(version: Version, to: Rendering) {
  if (version.deletedName !== null) {
    const data = { originalName: version.deletedName };
    return extension(to, "versions:autodesk.core:Deleted", "1.0", data);
  }
  return extension(to, `versions:autodesk.bim360:${version.item.fileKind}`, "1.0", {
    processState: version.processState,
    extractionState: "SUCCESS",
    splittingState: "NOT_SPLIT",
    reviewState: "NOT_IN_REVIEW",
    revisionDisplayLabel: version.revisionLabel,
    sourceFileName: version.name,
    conformingStatus: "NONE",
  });
}

function storageRelationship(version: Version, to: Rendering) {
  if (version.storageId === null) return {};
  const object = version.storageId.slice(version.storageId.lastIndexOf("/") + 1);
  return {
    storage: {
      data: { type: "objects", id: version.storageId },
      meta: { link: to.link(`/oss/v2/buckets/wip.dm.prod/objects/${object}?scopes=global`) },
    },
  };
}
