/** What a person wants to add, checked as far as it can be without asking anybody. */
import { z } from "zod";
import { StackError } from "../local/failure.ts";
import { SyncError } from "../supabase/functions/_shared/errors.ts";
import { getProvider, PROVIDERS } from "../supabase/functions/_shared/providers/registry.ts";
import type { Json } from "../supabase/functions/_shared/db/database.types.ts";

/** A row to be inserted into `endpoints`; what is left out gets the database's default. */
export interface NewEndpoint {
  readonly name: string;
  readonly endpoint_type: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly endpoint_config: { [key: string]: Json };
  readonly description?: string;
  readonly enabled?: boolean;
  readonly schedule_type?: "interval" | "cron" | "manual";
  readonly schedule_cron?: string;
  readonly interval_minutes?: number;
  readonly timezone?: string;
  readonly file_types?: string[];
  readonly max_files_per_sync?: number | null;
}

const ConfigObject = z.record(z.string(), z.json());

/** The types that this version syncs. */
export const ENDPOINT_TYPES: readonly string[] = PROVIDERS.map(({ key }) => key);

/** Throws where no provider has that type. */
export function checkType(endpointType: string): string {
  return orStackError(() => getProvider(endpointType).key);
}

/** Reads an `endpoint_config` and has its provider check it. */
export function readConfig(endpointType: string, text: string): { [key: string]: Json } {
  const provider = orStackError(() => getProvider(endpointType));
  let config: { [key: string]: Json };
  try {
    config = ConfigObject.parse(JSON.parse(text));
  } catch (cause) {
    throw new StackError(
      `Cannot use --config as it must be a JSON object, such as '{"folder_id":"…"}'`,
      { cause },
    );
  }
  orStackError(() => provider.parseConfig(config));
  return config;
}

/** As the database demands it. */
export function checkName(name: string): string {
  if (/\S/.test(name) && [...name].length <= 200) return name;
  throw new StackError("Cannot use --name as it must have 1 to 200 characters");
}

/** The owner's id. */
export function checkUser(id: string): string {
  if (z.guid().safeParse(id).success) return id.toLowerCase();
  throw new StackError("Cannot use --user as it must be a user's UUID (auth.users.id)");
}

function orStackError<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SyncError) throw new StackError(cause.message, { cause });
    throw cause;
  }
}
