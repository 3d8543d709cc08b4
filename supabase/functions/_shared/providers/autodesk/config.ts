import { z } from "zod";
import { SyncError } from "../../errors.ts";
import { showValue } from "./text.ts";

/** A parsed `endpoint_config` of an Autodesk Construction Cloud endpoint. */
export interface AutodeskConfig {
  /** As the Data Management API writes it: `b.` and the id that Autodesk Docs shows. */
  readonly projectId: string;
  /** The hub (account) of the project; `null`: it is looked for. */
  readonly hubId: string | null;
  /** Folders to read in place of the whole project; may be empty. */
  readonly folderIds: readonly string[];
  /** The application that reads; `null` means the one of the settings. */
  readonly clientId: string | null;
  /** The Autodesk user in whose name the application reads. */
  readonly userId: string | null;
  /** The name of the Secure Service Account that reads; `null`: the application itself. */
  readonly serviceAccount: string | null;
}

const MOST_FOLDERS = 100;

// The ids go into addresses and headers, so nothing but their own alphabets is let in.
const accountScopedId = z.string().regex(/^(b\.)?[A-Za-z0-9][A-Za-z0-9-]{0,99}$/);
const folderUrn = z.string().regex(/^urn:[A-Za-z0-9][A-Za-z0-9._:~=-]{0,250}$/);

// Unknown keys stay allowed: one endpoint_config may carry notes for people and other programs.
const storedConfig = z.object({
  project_id: accountScopedId,
  hub_id: accountScopedId.nullish(),
  folder_ids: z.array(folderUrn).min(1).max(MOST_FOLDERS).nullish(),
  client_id: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/).nullish(),
  x_user_id: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/).nullish(),
  service_account: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/).nullish(),
});

/** The keys that are read. */
export const CONFIG_KEYS: readonly string[] = Object.keys(storedConfig.shape);

const RULES: Readonly<Record<keyof typeof storedConfig.shape, string>> = {
  project_id: "project_id must be the id of a project of Autodesk Construction Cloud, with or " +
    'without "b." (the part of its web address after /projects/)',
  hub_id: 'hub_id must be the id of a hub, which is the account\'s id, with or without "b."',
  folder_ids:
    `folder_ids must be a list of 1 to ${MOST_FOLDERS} folder ids that begin with "urn:" ` +
    "(the decoded folderUrn of a folder's web address)",
  client_id: "client_id must be the client id of an application of Autodesk Platform Services",
  x_user_id: "x_user_id must be the Autodesk id of a user",
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

/** Docs and its links show ids bare, the Data Management API wants them marked. */
function withPrefix(id: string): string {
  return id.startsWith("b.") ? id : `b.${id}`;
}

/** Reads `endpoint_config`: a whole project, or with `folder_ids` some folders of it. */
export function parseConfig(stored: unknown): AutodeskConfig {
  const result = storedConfig.safeParse(stored);
  if (!result.success) throw explain(result.error, stored);
  const { project_id, hub_id, folder_ids, client_id, x_user_id, service_account } = result.data;
  if (x_user_id && service_account) {
    // The header is for an application that reads by itself; a service account is a user already.
    const both = { x_user_id, service_account };
    throw refuse("it must hold either x_user_id or service_account, not both", both);
  }
  return {
    projectId: withPrefix(project_id),
    hubId: hub_id ? withPrefix(hub_id) : null,
    folderIds: [...new Set(folder_ids ?? [])],
    clientId: client_id ?? null,
    userId: x_user_id ?? null,
    serviceAccount: service_account ?? null,
  };
}
