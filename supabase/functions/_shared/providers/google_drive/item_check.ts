/**
 * The check of an item as Drive nearly always describes it. The schema of `schemas.ts` says what an
 * item is; it makes several objects for each field it looks at, which for the hundred thousand items
 * of a listing is most of the memory and half of the time that reading them takes. This check makes
 * none. What it does not recognise is left to the schema, and a test holds the two together.
 */
import type { DriveItem } from "./schemas.ts";
import { isStorableText } from "./text.ts";

type Fields = Readonly<Record<string, unknown>>;

const DETAILS = [
  "fileExtension",
  "webViewLink",
  "webContentLink",
  "md5Checksum",
  "sha256Checksum",
  "headRevisionId",
  "originalFilename",
  "resourceKey",
  "driveId",
  "sharedWithMeTime",
];
const PERSON_DETAILS = ["displayName", "emailAddress"];
const SHORTCUT_DETAILS = ["targetId", "targetMimeType", "targetResourceKey"];

/** Whether the schema would take the item, and leave every field that is read as it is. */
export function isPlainItem(value: unknown): value is DriveItem {
  return isObject(value) && isId(value["id"]) && typeof value["name"] === "string" &&
    isText(value["mimeType"]) && hasPlain(value, DETAILS) &&
    isAbsentOr(value["parents"], areIds) &&
    isAbsentOr(value["owners"], arePersons) &&
    isAbsentOr(value["lastModifyingUser"], isPerson) &&
    isAbsentOr(value["shortcutDetails"], isShortcut);
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isId(value: unknown): boolean {
  return isText(value) && isStorableText(value);
}

function areIds(value: unknown): boolean {
  return Array.isArray(value) && value.every(isId);
}

function isPerson(value: unknown): boolean {
  return isObject(value) && hasPlain(value, PERSON_DETAILS);
}

function arePersons(value: unknown): boolean {
  return Array.isArray(value) && value.every(isPerson);
}

function isShortcut(value: unknown): boolean {
  return isObject(value) && hasPlain(value, SHORTCUT_DETAILS);
}

function isAbsentOr(value: unknown, isFine: (value: unknown) => boolean): boolean {
  return value === undefined || isFine(value);
}

/** Whether each of the fields is absent or a text that says something. */
function hasPlain(fields: Fields, names: readonly string[]): boolean {
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined && !isText(value)) return false;
  }
  return true;
}
