import type { Json, JsonObject } from "../types.ts";
import type { DriveItem } from "./schemas.ts";
import { toStorableText } from "./text.ts";

type Details = Readonly<Record<string, Json | undefined>>;

/** Keeps what is there; `undefined` where nothing is. Runs for every file: no entries are made. */
function present(details: Details): JsonObject | undefined {
  const kept: Record<string, Json> = {};
  let isEmpty = true;
  for (const name in details) {
    const value = details[name];
    if (value === undefined) continue;
    kept[name] = typeof value === "string" ? toStorableText(value) : value;
    isEmpty = false;
  }
  return isEmpty ? undefined : kept;
}

type Person = NonNullable<DriveItem["lastModifyingUser"]>;

function describePerson(person: Person | undefined): JsonObject | undefined {
  if (person === undefined) return undefined;
  return present({ display_name: person.displayName, email_address: person.emailAddress });
}

function describeOwners(owners: DriveItem["owners"]): Json | undefined {
  const described = owners?.map(describePerson).filter((owner) => owner !== undefined);
  return described !== undefined && described.length > 0 ? described : undefined;
}

function describeShortcut(shortcut: DriveItem["shortcutDetails"]): JsonObject | undefined {
  if (shortcut === undefined) return undefined;
  return present({
    target_id: shortcut.targetId,
    target_mime_type: shortcut.targetMimeType,
    target_resource_key: shortcut.targetResourceKey,
  });
}

/**
 * What `files.file_metadata` holds of an item: snake_case like the columns beside it, and nothing
 * that is absent. Drive's `version` and the viewed-by fields are left out on purpose: they move
 * when nothing a reader could see has changed, and every move would rewrite the row.
 */
export function toFileMetadata(item: DriveItem): JsonObject {
  const details = present({
    md5_checksum: item.md5Checksum,
    sha256_checksum: item.sha256Checksum,
    head_revision_id: item.headRevisionId,
    original_filename: item.originalFilename,
    resource_key: item.resourceKey,
    web_content_link: item.webContentLink,
    drive_id: item.driveId,
    shortcut: describeShortcut(item.shortcutDetails),
    owners: describeOwners(item.owners),
    last_modifying_user: describePerson(item.lastModifyingUser),
    // Drive gave up several parents in 2020; items from before may still have them.
    parents: item.parents !== undefined && item.parents.length > 1 ? item.parents : undefined,
  });
  return details ?? {};
}
