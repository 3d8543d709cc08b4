import { z } from "zod";
import { SyncError } from "../../errors.ts";
import { toStorableText } from "./text.ts";

/** A field that describes an item but does not place it: one unreadable is left out. */
const detail = z.string().min(1).optional().catch(undefined);

const person = z.object({ displayName: detail, emailAddress: detail });

/** An id is a key: one that would have to be altered to be stored is refused. */
const id = z.string().min(1).refine((value) => toStorableText(value) === value);

/** An item as files.list describes it; the same fields as in the mask of `query.ts`. */
export const driveItem = z.object({
  id,
  name: z.string(),
  mimeType: z.string().min(1),
  parents: z.array(id).optional(),
  // Looked at more closely in file_record.ts, where a bad one becomes null and is counted.
  size: z.unknown().optional(),
  createdTime: z.unknown().optional(),
  modifiedTime: z.unknown().optional(),
  fileExtension: detail,
  webViewLink: detail,
  webContentLink: detail,
  md5Checksum: detail,
  sha256Checksum: detail,
  headRevisionId: detail,
  originalFilename: detail,
  resourceKey: detail,
  driveId: detail,
  sharedWithMeTime: detail,
  shortcutDetails: z
    .object({ targetId: detail, targetMimeType: detail, targetResourceKey: detail })
    .optional()
    .catch(undefined),
  owners: z.array(person).optional().catch(undefined),
  lastModifyingUser: person.optional().catch(undefined),
});

/** An item as files.list describes it. */
export type DriveItem = z.infer<typeof driveItem>;

/** Just enough of an item to name it when the rest cannot be read. */
export const itemId = z.object({ id });

/** One page of files.list. Items are parsed one by one, so that a bad one spoils no other. */
export const fileList = z.object({
  nextPageToken: z.string().min(1).optional(),
  incompleteSearch: z.boolean().default(false),
  files: z.array(z.unknown()),
});

/** One page of files.list. */
export type FileList = z.infer<typeof fileList>;

/** One page of changes.list. Entries are parsed one by one, as items are. */
export const changeList = z.object({
  nextPageToken: z.string().min(1).optional(),
  newStartPageToken: z.string().min(1).optional(),
  changes: z.array(z.unknown()).default([]),
});

/** An entry about a shared drive itself: its name, or who its members are. */
export const driveChange = z.object({ changeType: z.literal("drive") });

/** An entry about an item. */
export const itemChange = z.object({
  fileId: id,
  removed: z.boolean().default(false),
  file: z.unknown().optional(),
});

/** Just enough of an entry to know which item it is about. */
export const changedItem = z.object({ fileId: id });

/** Just enough of an item to know that it is in the trash, by itself or with a folder above it. */
export const trashedItem = z.object({
  trashed: z.literal(true),
  explicitlyTrashed: z.boolean().default(true),
});

/** The top of a scope, as files.get describes it. */
export const rootItem = z.object({
  id,
  name: z.string(),
  mimeType: z.string().min(1),
  trashed: z.boolean().default(false),
  driveId: id.optional(),
  parents: z.array(id).optional(),
  sharedWithMeTime: detail,
  shortcutDetails: z.object({ targetId: detail }).optional().catch(undefined),
  /** Of an item in a shared drive: whether the account is a member of the drive. */
  capabilities: z.object({ canReadDrive: z.boolean().optional() }).optional().catch(undefined),
});

/** The top of a scope, as files.get describes it. */
export type RootItem = z.infer<typeof rootItem>;

/** The answer of changes.getStartPageToken. */
export const startPageToken = z.object({ startPageToken: z.string().min(1) });

/** The answer of about.get. */
export const about = z.object({ user: z.object({ emailAddress: z.email() }) });

/** Parses an answer, or fails with a sentence that names what was asked. */
export function parseAnswer<Schema extends z.ZodType>(
  schema: Schema,
  answer: unknown,
  asked: string,
): z.output<Schema> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const message = `Cannot read Google Drive's answer to ${asked}; it will be tried again`;
  throw new SyncError("response_invalid", message, { cause: result.error, isUnreadable: true });
}
