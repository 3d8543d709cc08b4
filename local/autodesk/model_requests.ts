import type { FileKind, ProjectType, Region } from "./aps_types.ts";
import type { RollupRulesGiven } from "./rollup.ts";

/** What the operations of the model are told. Times are RFC 3339. */

/** What a new model is made with. */
export interface ApsModelOptions {
  /** Decides every id; equal seeds and equal operations give equal ids. */
  readonly seed?: number | undefined;
  /** The clock, in milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  readonly rollupRules?: RollupRulesGiven | undefined;
}

/** A new user. */
export interface NewUser {
  readonly email: string;
  readonly name?: string | undefined;
  readonly id?: string | undefined;
}

/** A new hub. */
export interface NewHub {
  readonly name: string;
  readonly region?: Region | undefined;
  /** With the `b.` in front. */
  readonly id?: string | undefined;
  /** Client ids added under Custom Integrations. */
  readonly clients?: readonly string[] | undefined;
}

/** A new project. */
export interface NewProject {
  readonly name: string;
  readonly hub: string;
  /** With the `b.` in front. */
  readonly id?: string | undefined;
  readonly type?: ProjectType | undefined;
  readonly createdTime?: string | undefined;
}

/** What new folders and items have in common. */
export interface NewEntry {
  readonly name: string;
  /** Id of the folder above. */
  readonly parent: string;
  readonly id?: string | undefined;
  /** User id; by default a user of the model, `null` for the system, whose id and name are empty. */
  readonly by?: string | null | undefined;
  readonly createdTime?: string | undefined;
  readonly modifiedTime?: string | undefined;
  /** Lets a name through that could not be given today: old data holds such names. */
  readonly isLegacyName?: boolean | undefined;
}

/** A new folder. */
export interface NewFolder extends NewEntry {
  /** A folder of another product, beside Project Files. */
  readonly isSystem?: boolean | undefined;
}

/** A new item with its first version. */
export interface NewItem extends NewEntry {
  readonly fileKind?: FileKind | undefined;
  /** Bytes; `null`: the service shows no size. */
  readonly size?: number | null | undefined;
  /** By default decided by the extension; `null`: the service shows none. */
  readonly mimeType?: string | null | undefined;
  readonly displayName?: string | undefined;
  /** The item has no version at all, as after an upload that was not finished. */
  readonly hasNoVersion?: boolean | undefined;
}

/** A new version of an item. What is not told stays as it was. */
export interface NewVersion {
  readonly name?: string | undefined;
  readonly size?: number | null | undefined;
  readonly mimeType?: string | null | undefined;
  readonly by?: string | null | undefined;
  readonly modifiedTime?: string | undefined;
}

/** How an item is renamed. */
export interface Renaming {
  readonly isLegacyName?: boolean | undefined;
  /** By default the item's own display name stays behind: Autodesk says not to use it. */
  readonly changesDisplayName?: boolean | undefined;
}
