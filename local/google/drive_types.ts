/** The kinds of thing the emulated Drive is made of. */

/** MIME type of folders. */
export const FOLDER_TYPE = "application/vnd.google-apps.folder";
/** MIME type of shortcuts. */
export const SHORTCUT_TYPE = "application/vnd.google-apps.shortcut";
const EDITOR_PREFIX = "application/vnd.google-apps.";

/** Somebody who can call the API or own files. */
export interface Account {
  readonly email: string;
  readonly displayName: string;
  readonly permissionId: string;
  readonly isServiceAccount: boolean;
  /** The folder behind the alias `root`. */
  readonly root: Item;
}

/** A shared drive. */
export interface SharedDrive {
  readonly id: string;
  name: string;
  readonly createdMs: number;
  /** E-mail addresses of its members. */
  readonly members: Set<string>;
  /** The folder whose id is the drive's id. */
  readonly root: Item;
}

/** What a shortcut points at, as it was when the shortcut was made. */
export interface ShortcutTarget {
  readonly targetId: string;
  readonly targetMimeType: string;
}

/** A file, folder or shortcut. */
export interface Item {
  readonly id: string;
  name: string;
  readonly mimeType: string;
  /** Bytes as decimal digits. */
  size: string | null;
  /** One, except for roots (none) and legacy files (several). */
  parents: Item[];
  /** Present on folders alone. */
  readonly children: Set<Item> | null;
  /** The shared drive it lies on. */
  driveId: string | null;
  /** `null` on shared drives. */
  ownerEmail: string | null;
  isExplicitlyTrashed: boolean;
  trashedMs: number | null;
  trashedBy: string | null;
  readonly createdMs: number;
  modifiedMs: number;
  lastModifiedBy: string | null;
  /** Bumped by everything that happens to the item. */
  version: number;
  /** Number of the content's revision. */
  revision: number;
  readonly originalName: string;
  /** Extension found by the last name that had one: Drive does not clear it. */
  fullExtension: string | null;
  readonly shortcut: ShortcutTarget | null;
  /** When it was shared with whom, by e-mail. */
  sharedWith: Map<string, number> | null;
  /** When it was last viewed by whom, by e-mail. */
  viewedBy: Map<string, number> | null;
  /** Number from which checksums are made; a source may change it with the content. */
  contentSeed: number;
  readonly isRoot: boolean;
}

/** Whether the item has binary content: neither folder, shortcut nor a Docs editor's file. */
export function isBlob(item: Item): boolean {
  return !item.mimeType.startsWith(EDITOR_PREFIX);
}

/** The part after the last dot, without the dot; `null` where there is none. */
export function extensionOf(name: string): string | null {
  const dot = name.lastIndexOf(".");
  return dot > 0 && dot < name.length - 1 ? name.slice(dot + 1) : null;
}
