/** The kinds of thing the emulated Autodesk account is made of. Times are milliseconds since 1970. */

/** The regions a hub can lie in. */
export const REGIONS = ["US", "EMEA", "AUS", "CAN", "DEU", "IND", "JPN", "GBR"] as const;

/** A region a hub can lie in. */
export type Region = typeof REGIONS[number];

/** What a project belongs to: decides its web links and extension data. */
export const PROJECT_TYPES = ["ACC", "BIM360"] as const;

/** What a project belongs to. */
export type ProjectType = typeof PROJECT_TYPES[number];

/** What kind of file an item or a version is. */
export const FILE_KINDS = ["File", "Document", "TitleBlock", "C4RModel"] as const;

/** What kind of file an item or a version is. */
export type FileKind = typeof FILE_KINDS[number];

/** Somebody with an Autodesk id. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** Who did something; both fields are empty for what the system did. */
export interface Author {
  readonly id: string;
  readonly name: string;
}

/** An account of Autodesk Construction Cloud. */
export interface Hub {
  readonly id: string;
  name: string;
  readonly region: Region;
  /** Client ids that an account administrator added under Custom Integrations. */
  readonly provisionedClients: Set<string>;
  readonly projects: Map<string, Project>;
}

/** A project. */
export interface Project {
  /** With the `b.` in front. */
  readonly id: string;
  name: string;
  readonly hub: Hub;
  readonly type: ProjectType;
  isActive: boolean;
  readonly root: Folder;
  /** Members by user id. An administrator reads everything, a member what was granted. */
  readonly members: Map<string, "admin" | "member">;
}

/** When something was made and last changed, and by whom. */
export interface Stamps {
  readonly createdMs: number;
  readonly createdBy: Author;
  modifiedMs: number;
  modifiedBy: Author;
}

/** A folder. */
export interface Folder extends Stamps {
  readonly kind: "folder";
  readonly id: string;
  readonly project: Project;
  name: string;
  /** `null` for the root of a project. */
  parent: Folder | null;
  /** Folders and items, in the order in which they came. */
  readonly children: Set<Folder | Item>;
  rollupMs: number;
  isHidden: boolean;
  /** One of the folders that other products keep beside Project Files. */
  readonly isSystem: boolean;
  /** Who may not read it, by client or user id, and with which status they are turned away. */
  readonly denied: Map<string, 403 | 404>;
  /** User ids of members who may read it and what lies below. */
  readonly granted: Set<string>;
  /** Slots of a listing that show nothing, as those of filtered entries do. */
  readonly emptySlots: { readonly position: number; readonly count: number }[];
}

/** A file over all its versions. */
export interface Item extends Stamps {
  readonly kind: "item";
  /** The lineage. */
  readonly id: string;
  readonly fileKind: FileKind;
  displayName: string;
  parent: Folder;
  isHidden: boolean;
  /** Oldest first. */
  readonly versions: Version[];
}

/** A version of a file. */
export interface Version extends Stamps {
  readonly id: string;
  readonly item: Item;
  readonly number: number;
  readonly name: string;
  readonly displayName: string;
  /** `null` where the service shows none. */
  readonly size: number | null;
  readonly mimeType: string | null;
  /** `null` for models worked on together, deletions and placeholders. */
  readonly storageId: string | null;
  /** The name before the deletion, on versions that are deletions. */
  readonly deletedName: string | null;
  readonly revisionLabel: string;
  processState: "PROCESSING" | "PROCESSING_COMPLETE";
}

/** What an item is named after and read from; `null` where it has no version. */
export function tipOf(item: Item): Version | null {
  return item.versions.at(-1) ?? null;
}

/** The project an entry lies in. */
export function projectOf(entry: Folder | Item): Project {
  return entry.kind === "folder" ? entry.project : entry.parent.project;
}

/** The entry's folder and those above it, the nearest first. */
export function* foldersAbove(entry: Folder | Item): Generator<Folder> {
  for (let folder = entry.parent; folder !== null; folder = folder.parent) yield folder;
}
