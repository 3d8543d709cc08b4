import { z } from "zod";
import { SyncError } from "../../errors.ts";
import { showValue } from "./text.ts";

/** What an endpoint reads. */
export type GoogleDriveScope =
  /** A whole shared drive. */
  | { readonly type: "drive"; readonly driveId: string }
  /** Folders and all below them; with `driveId`, folders of that shared drive and no other. */
  | {
    readonly type: "folders";
    readonly folderIds: readonly string[];
    readonly driveId: string | null;
  }
  /** The account's own corpus: its My Drive and what is shared with it, without shared drives. */
  | { readonly type: "account" };

/** A parsed `endpoint_config` of a Google Drive endpoint. */
export interface GoogleDriveConfig {
  readonly scope: GoogleDriveScope;
  /** The name of the service account that reads; `null` means the one of the settings. */
  readonly serviceAccount: string | null;
  /** The user in whose name a service account reads (domain-wide delegation). */
  readonly impersonate: string | null;
}

const MOST_FOLDERS = 100;

// The ids go into search queries and addresses, so nothing but Drive's own alphabet is let in.
const driveItemId = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/);

// Unknown keys stay allowed: one endpoint_config may carry notes for people and other programs,
// such as the client_id and project_id of the documented example.
const storedConfig = z.object({
  drive_id: driveItemId.nullish(),
  folder_id: driveItemId.nullish(),
  folder_ids: z.array(driveItemId).min(1).max(MOST_FOLDERS).nullish(),
  impersonate: z.email().nullish(),
  service_account: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/).nullish(),
});

/** The keys that are read. */
export const CONFIG_KEYS: readonly string[] = Object.keys(storedConfig.shape);

const RULES: Readonly<Record<keyof typeof storedConfig.shape, string>> = {
  drive_id: "drive_id must be the id of a shared drive (letters, digits, '-' and '_'; " +
    "the part of its web address after /folders/)",
  folder_id: "folder_id must be the id of a folder (letters, digits, '-' and '_'; " +
    "the part of its web address after /folders/)",
  folder_ids: `folder_ids must be a list of 1 to ${MOST_FOLDERS} folder ids ` +
    "(letters, digits, '-' and '_')",
  impersonate: "impersonate must be the e-mail address of a user",
  service_account: "service_account must be the name under which a service account is configured " +
    "(letters, digits, '.', '-' and '_')",
};

function refuse(rule: string, value: unknown, cause?: unknown): SyncError {
  const found = value === undefined ? "it is missing" : `current value is ${showValue(value)}`;
  const message = `Cannot read endpoint_config as ${rule}: ${found}`;
  return new SyncError("config_invalid", message, { cause });
}

function explain(error: z.ZodError, stored: unknown): SyncError {
  const field = error.issues[0]?.path[0];
  for (const [name, rule] of Object.entries(RULES)) {
    if (name !== field) continue;
    const value = z.record(z.string(), z.unknown()).parse(stored)[name];
    return refuse(rule, value, error);
  }
  return refuse("it must be a JSON object", stored, error);
}

/**
 * Reads `endpoint_config`. The scope is `drive_id`, or `folder_id`, or `folder_ids`, or (with none
 * of them, or all `null`) the account's own corpus. `drive_id` beside folders narrows nothing but
 * the search: the folders must then lie in that shared drive.
 */
export function parseConfig(stored: unknown): GoogleDriveConfig {
  const result = storedConfig.safeParse(stored);
  if (!result.success) throw explain(result.error, stored);
  const { drive_id, folder_id, folder_ids, impersonate, service_account } = result.data;
  if (folder_id && folder_ids) {
    const both = { folder_id, folder_ids };
    throw refuse("it must hold either folder_id or folder_ids, not both", both);
  }
  const folderIds = [...new Set(folder_ids ?? (folder_id ? [folder_id] : []))];
  return {
    scope: toScope(folderIds, drive_id ?? null),
    serviceAccount: service_account ?? null,
    impersonate: impersonate ?? null,
  };
}

function toScope(folderIds: readonly string[], driveId: string | null): GoogleDriveScope {
  if (folderIds.length > 0) return { type: "folders", folderIds, driveId };
  return driveId === null ? { type: "account" } : { type: "drive", driveId };
}

/** Says how much an endpoint without a scope reads; `null` where it has one. */
export function describeWholeScope({ scope }: GoogleDriveConfig): string | null {
  return scope.type === "account"
    ? "It names no folder and no shared drive: everything the account can see is synced, its My " +
      "Drive and all that is shared with it."
    : null;
}
