import type { FileRecord, Json, JsonObject } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import type { ItemResource, VersionResource } from "./schemas.ts";
import { toStorableText } from "./text.ts";
import { toTime } from "./times.ts";

const DELETED = "versions:autodesk.core:Deleted";

/** Regions as hubs name them, by the word for them in ids: `urn:adsk.wipemea:…`. */
const REGIONS: ReadonlyMap<string, string> = new Map([
  ["prod", "US"],
  ["emea", "EMEA"],
  ["aus", "AUS"],
  // Australia's name until August 2025.
  ["apac", "AUS"],
  ["can", "CAN"],
  ["deu", "DEU"],
  ["ind", "IND"],
  ["jpn", "JPN"],
  ["gbr", "GBR"],
]);

/** A file as the API shows it: what its versions have in common, and the last of them. */
export interface ListedFile {
  readonly item: ItemResource;
  /** `null`: the API shows none. */
  readonly tip: VersionResource | null;
}

/** A record, and how many of its values could not be read and were left `null`. */
export interface ReadFile {
  readonly file: FileRecord;
  readonly unreadableValues: number;
}

/** Nothing is purged: a deleted file is hidden, and its tip is a version that says so. */
export function isDeleted({ item, tip }: ListedFile): boolean {
  return item.attributes.hidden || (tip?.attributes.extension?.type?.startsWith(DELETED) ?? false);
}

/** An item has no name of its own; its display name may lag behind, or lack the extension. */
function toName({ item, tip }: ListedFile): string {
  const { displayName, extension } = item.attributes;
  const name = tip?.attributes.name ?? tip?.attributes.displayName ?? displayName ??
    extension?.data?.sourceFileName ?? "Untitled";
  return toStorableText(name);
}

/** Bytes as digits; `null` where there is no size, and `undefined` where it is nonsense. */
function readSize(size: unknown): string | null | undefined {
  if (size === undefined || size === null) return null;
  if (typeof size === "string" && /^\d{1,15}$/.test(size)) return String(Number(size));
  return typeof size === "number" && Number.isSafeInteger(size) && size >= 0
    ? String(size)
    : undefined;
}

/** A time; `null` where there is none, and `undefined` where it is nonsense. */
function readTime(...candidates: readonly unknown[]): string | null | undefined {
  const time = candidates.find((value) => value !== undefined && value !== null && value !== "");
  return time === undefined ? null : toTime(time);
}

function extensionOf(name: string): string | null {
  // A leading dot hides a file, it does not begin an extension; "v1. final" has none either.
  return /[^.]\.([^\s./\\]{1,32})$/u.exec(name)?.[1] ?? null;
}

function toFileType(listed: ListedFile): string | null {
  const told = listed.tip?.attributes.fileType?.replace(/^\./, "");
  const type = told !== undefined && /^[^\s./\\]{1,32}$/u.test(told)
    ? told
    : extensionOf(toName(listed));
  return type === null ? null : toStorableText(type).toLowerCase();
}

/**
 * Autodesk's own web link. Where it gives none (or one no browser should open), the address by which
 * Docs opens a file: the column is never empty.
 */
function toFileLink(
  { item, tip }: ListedFile,
  parentId: string | null,
  { projectId }: AutodeskConfig,
): string {
  const links = [item.links?.webView?.href, tip?.links?.webView?.href];
  const link = links.find((href) => href !== undefined && /^https?:\/\//i.test(href));
  if (link !== undefined) return toStorableText(link);
  const query = new URLSearchParams({
    ...(parentId === null ? {} : { folderUrn: parentId }),
    entityId: item.id,
  });
  const project = encodeURIComponent(projectId.replace(/^b\./, ""));
  return `https://acc.autodesk.com/docs/files/projects/${project}?${query}`;
}

/** What `files.file_metadata` holds: nothing that is absent. */
function toFileMetadata({ item, tip }: ListedFile): JsonObject {
  const [, region = ""] = /^urn:adsk\.wip([a-z]+):/.exec(item.id) ?? [];
  const details: Record<string, Json | undefined> = {
    version_number: tip?.attributes.versionNumber,
    version_urn: tip?.id,
    revision_label: tip?.attributes.extension?.data?.revisionDisplayLabel,
    created_by: item.attributes.createUserName ?? tip?.attributes.createUserName,
    modified_by: tip?.attributes.lastModifiedUserName ?? item.attributes.lastModifiedUserName,
    process_state: tip?.attributes.extension?.data?.processState,
    region: REGIONS.get(region),
  };
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(details)) {
    if (value === undefined) continue;
    kept[name] = typeof value === "string" ? toStorableText(value) : value;
  }
  return kept;
}

/** The row of a file. The lineage's id is the key: it stays through versions, renames and moves. */
export function toFileRecord(
  listed: ListedFile,
  parentId: string | null,
  config: AutodeskConfig,
): ReadFile {
  const { item, tip } = listed;
  const size = readSize(tip?.attributes.storageSize);
  const createdAt = readTime(item.attributes.createTime, tip?.attributes.createTime);
  const updatedAt = readTime(tip?.attributes.lastModifiedTime, item.attributes.lastModifiedTime);
  const mimeType = tip?.attributes.mimeType;
  const unreadable = [size, createdAt, updatedAt].filter((value) => value === undefined);
  const file = {
    external_file_id: item.id,
    external_parent_id: parentId,
    file_name: toName(listed),
    file_link: toFileLink(listed, parentId, config),
    file_size: size ?? null,
    file_type: toFileType(listed),
    mime_type: mimeType === undefined ? null : toStorableText(mimeType),
    external_created_at: createdAt ?? null,
    external_updated_at: updatedAt ?? null,
    file_metadata: toFileMetadata(listed),
  };
  return { file, unreadableValues: unreadable.length };
}
