/** What the operations of the model are told. */

/** A new account. */
export interface NewAccount {
  readonly email: string;
  readonly displayName?: string;
  /** A service account has no storage of its own: it cannot own files. */
  readonly isServiceAccount?: boolean;
}

/** A new shared drive. */
export interface NewDrive {
  readonly name: string;
  readonly id?: string;
  /** E-mail addresses of its first members. */
  readonly members?: readonly string[];
}

/** What new files, folders and shortcuts have in common. Times are RFC 3339. */
export interface NewEntry {
  readonly name: string;
  /** Id of the folder, of an account's root or of a shared drive. */
  readonly parent: string;
  readonly id?: string | undefined;
  /** E-mail address; by default the owner of the parent. Has no meaning on shared drives. */
  readonly owner?: string | undefined;
  readonly createdTime?: string | undefined;
  readonly modifiedTime?: string | undefined;
  /** Leaves the change logs alone, as if the item had been there all along. */
  readonly isQuiet?: boolean | undefined;
}

/** A new file. */
export interface NewFile extends NewEntry {
  /** By default decided by the name's extension. */
  readonly mimeType?: string | undefined;
  /** Bytes; a text or a bigint where a number would lose digits; `null`: Drive shows no size. */
  readonly size?: string | number | bigint | null | undefined;
  /** Decides the checksums. */
  readonly contentSeed?: number | undefined;
}

/** A change of a file's content. */
export interface Edit {
  readonly size?: string | number | bigint | null | undefined;
  readonly modifiedTime?: string | undefined;
  readonly contentSeed?: number | undefined;
  /** E-mail address of who did it. */
  readonly by?: string | undefined;
}
