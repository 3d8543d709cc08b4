import { type Account, FOLDER_TYPE, isBlob, type Item, type SharedDrive } from "./drive_types.ts";
import { applyMask, type Mask } from "./fields_mask.ts";
import { hexText, idText } from "../emulator/random_ids.ts";
import { canSee, isTrashed } from "./visibility.ts";

/** Who looks at a file, and at what else they can look. */
export interface Viewer {
  readonly account: Account;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly drives: ReadonlyMap<string, SharedDrive>;
}

type Getter = (item: Item, viewer: Viewer) => unknown;

const EDITOR_PATHS: Readonly<Record<string, string>> = {
  "application/vnd.google-apps.document": "document",
  "application/vnd.google-apps.spreadsheet": "spreadsheets",
  "application/vnd.google-apps.presentation": "presentation",
  "application/vnd.google-apps.form": "forms",
  "application/vnd.google-apps.drawing": "drawings",
};

// `undefined` leaves the field out, as Drive does for what an item does not have.
const GETTERS: Readonly<Record<string, Getter>> = {
  kind: () => "drive#file",
  id: (item) => item.id,
  name: (item) => item.name,
  mimeType: (item) => item.mimeType,
  starred: () => false,
  trashed: (item) => isTrashed(item),
  explicitlyTrashed: (item) => item.isExplicitlyTrashed,
  trashedTime: (item) =>
    item.driveId === null || item.trashedMs === null ? undefined : isoTime(item.trashedMs),
  trashingUser: (item, viewer) =>
    item.driveId === null ? undefined : userResource(item.trashedBy, viewer),
  parents: visibleParents,
  spaces: () => ["drive"],
  version: (item) => String(item.version),
  webContentLink: (item) =>
    isBlob(item) ? `https://drive.google.com/uc?id=${item.id}&export=download` : undefined,
  webViewLink,
  iconLink: (item) => `https://drive-thirdparty.googleusercontent.com/16/type/${item.mimeType}`,
  hasThumbnail: () => false,
  thumbnailVersion: () => "0",
  viewedByMe: (item, { account }) => item.viewedBy?.has(account.email) ?? false,
  viewedByMeTime: (item, { account }) => optionalTime(item.viewedBy?.get(account.email)),
  createdTime: (item) => isoTime(item.createdMs),
  modifiedTime: (item) => isoTime(item.modifiedMs),
  modifiedByMe: (item, { account }) => item.lastModifiedBy === account.email,
  sharedWithMeTime: (item, { account }) => optionalTime(item.sharedWith?.get(account.email)),
  driveId: (item) => item.driveId ?? undefined,
  teamDriveId: (item) => item.driveId ?? undefined,
  hasAugmentedPermissions: (item) => item.driveId === null ? undefined : item.sharedWith !== null,
  owners: (item, viewer) => {
    const owner = userResource(item.ownerEmail, viewer);
    return owner === undefined ? undefined : [owner];
  },
  ownedByMe: (item, { account }) =>
    item.driveId === null ? item.ownerEmail === account.email : undefined,
  shared: (item) => item.driveId === null ? item.sharedWith !== null : undefined,
  lastModifyingUser: (item, viewer) => userResource(item.lastModifiedBy, viewer),
  capabilities: (item, { account, drives }) => ({
    canListChildren: item.children !== null,
    canDownload: isBlob(item),
    canReadDrive: item.driveId === null
      ? undefined
      : drives.get(item.driveId)?.members.has(account.email) ?? false,
  }),
  isAppAuthorized: () => false,
  originalFilename: (item) => isBlob(item) ? item.originalName : undefined,
  fullFileExtension: (item) => isBlob(item) ? item.fullExtension ?? "" : undefined,
  fileExtension: (item) =>
    isBlob(item) ? (item.fullExtension ?? "").replace(/^.*\./, "") : undefined,
  md5Checksum: (item) => checksum(item, 32),
  sha1Checksum: (item) => checksum(item, 40),
  sha256Checksum: (item) => checksum(item, 64),
  size: (item) => item.size ?? undefined,
  quotaBytesUsed: (item) => item.size ?? "0",
  headRevisionId: (item) =>
    isBlob(item) ? `0B${idText(item.contentSeed, item.revision, 49)}` : undefined,
  shortcutDetails: (item) => item.shortcut ?? undefined,
};
const ALL_FIELDS = Object.keys(GETTERS);

/** Makes a function that turns items into the resource the mask asks for. */
export function fileProjector(mask: Mask, viewer: Viewer): (item: Item) => Record<string, unknown> {
  const names = mask === null ? ALL_FIELDS : [...mask.keys()];
  const fields: { name: string; get: Getter; submask: Mask }[] = [];
  for (const name of names) {
    const get = GETTERS[name];
    // Fields that Drive knows and the emulator keeps no data for are absent, as when empty.
    if (get !== undefined) fields.push({ name, get, submask: mask?.get(name) ?? null });
  }
  return (item) => {
    const resource: Record<string, unknown> = {};
    for (const { name, get, submask } of fields) {
      const value = get(item, viewer);
      if (value !== undefined) resource[name] = applyMask(value, submask);
    }
    return resource;
  };
}

/** A user as the API shows one; `undefined` for nobody. */
export function userResource(email: string | null, viewer: Viewer): unknown {
  const account = email === null ? undefined : viewer.accounts.get(email);
  if (account === undefined) return undefined;
  return {
    kind: "drive#user",
    displayName: account.displayName,
    me: account.email === viewer.account.email,
    permissionId: account.permissionId,
    emailAddress: account.email,
  };
}

/** A shared drive as the API shows one. */
export function driveResource(drive: SharedDrive): Record<string, unknown> {
  return {
    kind: "drive#drive",
    id: drive.id,
    name: drive.name,
    createdTime: isoTime(drive.createdMs),
    hidden: false,
  };
}

const DAY_MS = 24 * 3600 * 1000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, "0"));
// A few decades of them: pages hold thousands of times, of days in any order.
const MOST_DAY_TEXTS = 20_000;
const dayTexts = new Map<number, string>();

/** RFC 3339 with milliseconds. The date is not formatted anew for each time. */
export function isoTime(ms: number): string {
  const whole = Math.floor(ms);
  const day = Math.floor(whole / DAY_MS);
  const dayText = dayTexts.get(day) ?? formatDay(day);
  const inDay = whole - day * DAY_MS;
  const hours = TWO_DIGITS[Math.floor(inDay / 3_600_000)];
  const minutes = TWO_DIGITS[Math.floor(inDay / 60_000) % 60];
  const seconds = TWO_DIGITS[Math.floor(inDay / 1000) % 60];
  return `${dayText}${hours}:${minutes}:${seconds}.${String(inDay % 1000).padStart(3, "0")}Z`;
}

function formatDay(day: number): string {
  if (dayTexts.size >= MOST_DAY_TEXTS) dayTexts.clear();
  const text = new Date(day * DAY_MS).toISOString().slice(0, 11);
  dayTexts.set(day, text);
  return text;
}

function optionalTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : isoTime(ms);
}

function visibleParents(item: Item, { account, drives }: Viewer): string[] | undefined {
  const ids = item.parents.filter((parent) => canSee(parent, account, drives))
    .map((parent) => parent.id);
  return ids.length === 0 ? undefined : ids;
}

function webViewLink(item: Item): string {
  if (item.mimeType === FOLDER_TYPE) return `https://drive.google.com/drive/folders/${item.id}`;
  const path = EDITOR_PATHS[item.mimeType];
  if (path !== undefined) return `https://docs.google.com/${path}/d/${item.id}/edit?usp=drivesdk`;
  return `https://drive.google.com/file/d/${item.id}/view?usp=drivesdk`;
}

function checksum(item: Item, digits: number): string | undefined {
  if (!isBlob(item) || item.size === null) return undefined;
  return hexText(item.contentSeed, digits, digits);
}
