import type { FileRecord, FolderRecord } from "../types.ts";
import { toFileMetadata } from "./file_metadata.ts";
import type { DriveItem } from "./schemas.ts";
import { toStorableText } from "./text.ts";

const GOOGLE_KINDS = "application/vnd.google-apps.";
const LARGEST_BIGINT = 9_223_372_036_854_775_807n;
const FIRST_INSTANT_MS = Date.parse("0001-01-01T00:00:00Z");
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** A record, and how many of its values could not be read and were left `null`. */
export interface ReadFile {
  readonly file: FileRecord;
  readonly unreadableValues: number;
}

/** Drive shows an empty name as "Untitled"; an empty one would also make a path that ends in `/`. */
function toName(name: string): string {
  return name === "" ? "Untitled" : toStorableText(name);
}

/** Bytes as digits; `null` where Drive gives no size, and `undefined` where it gives nonsense. */
function readSize(size: unknown): string | null | undefined {
  if (size === undefined || size === null) return null;
  if (typeof size !== "string" || !/^\d{1,19}$/.test(size)) return undefined;
  const bytes = BigInt(size);
  return bytes <= LARGEST_BIGINT ? bytes.toString() : undefined;
}

/** A time as Drive gave it; `null` where there is none, and `undefined` where it gives nonsense. */
function readTime(time: unknown): string | null | undefined {
  if (time === undefined || time === null) return null;
  if (typeof time !== "string") return undefined;
  if (!RFC_3339.test(time)) return undefined;
  // PostgreSQL has no year 0, though RFC 3339 and JavaScript do; an offset may lead there too.
  if (time.startsWith("0000")) return undefined;
  const instant = Date.parse(time);
  if (!Number.isFinite(instant) || instant < FIRST_INSTANT_MS) return undefined;
  return time;
}

function extensionOf(name: string): string | null {
  // A leading dot hides a file, it does not begin an extension; "v1. final" has none either.
  return /[^.]\.([^\s./\\]{1,32})$/u.exec(name)?.[1] ?? null;
}

/**
 * `files.file_type`: Google's own word for what only Google has (`document`, `shortcut`), else the
 * extension. A Google document named "plan.pdf" is still a document.
 */
function toFileType(item: DriveItem): string | null {
  if (item.mimeType.startsWith(GOOGLE_KINDS)) {
    // Other vendors' kinds read drive-sdk.<number of the application>.
    const [kind] = item.mimeType.slice(GOOGLE_KINDS.length).split(".");
    return kind ? toStorableText(kind).toLowerCase() : null;
  }
  const extension = item.fileExtension ?? extensionOf(item.name);
  return extension === null ? null : toStorableText(extension).toLowerCase();
}

/**
 * Drive's own web link. Where it gives none (or one no browser should open), the address by which
 * Drive opens any item: the column is never empty.
 */
function toFileLink(item: DriveItem): string {
  const link = item.webViewLink;
  if (link !== undefined && /^https?:\/\//i.test(link)) return toStorableText(link);
  return `https://drive.google.com/open?id=${encodeURIComponent(item.id)}`;
}

/** All parents, where there are several: which of them counts depends on what is in the scope. */
function candidates({ parents }: Pick<DriveItem, "parents">) {
  return parents !== undefined && parents.length > 1 ? { candidate_parent_ids: parents } : {};
}

/**
 * The row of a file, a Google document or a shortcut.
 *
 * @param parentId the folder it is read in, or the first of its parents
 */
export function toFileRecord(item: DriveItem, parentId: string | null): ReadFile {
  const size = readSize(item.size);
  const createdAt = readTime(item.createdTime);
  const updatedAt = readTime(item.modifiedTime);
  const file = {
    external_file_id: item.id,
    external_parent_id: parentId,
    ...candidates(item),
    file_name: toName(item.name),
    file_link: toFileLink(item),
    file_size: size ?? null,
    file_type: toFileType(item),
    mime_type: toStorableText(item.mimeType),
    external_created_at: createdAt ?? null,
    external_updated_at: updatedAt ?? null,
    file_metadata: toFileMetadata(item),
  };
  const unreadableValues = Number(size === undefined) + Number(createdAt === undefined) +
    Number(updatedAt === undefined);
  return { file, unreadableValues };
}

/** What of a folder may not change while its content is taken to be what it was. */
function stateOf({ sharedWithMeTime, driveId }: Pick<DriveItem, "sharedWithMeTime" | "driveId">) {
  // Shared at another time: it was out of sight meanwhile, and so was all that happened below it.
  if (sharedWithMeTime !== undefined) return { provider_state: sharedWithMeTime };
  // Moved to another drive: what lies below it has other owners now, and the logs do not say so.
  return driveId === undefined ? {} : { provider_state: { place: driveId } };
}

/** The row of a folder. */
export function toFolderRecord(
  folder: Pick<DriveItem, "id" | "name" | "parents" | "sharedWithMeTime" | "driveId">,
  parentId: string | null,
  isRoot: boolean,
): FolderRecord {
  return {
    external_folder_id: folder.id,
    external_parent_id: parentId,
    ...candidates(folder),
    folder_name: toName(folder.name),
    is_root: isRoot,
    ...stateOf(folder),
  };
}
