import { z } from "zod";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { showValue } from "./text.ts";

/** A parsed `endpoint_config` of an Acme Files endpoint. */
export interface AcmeFilesConfig {
  /** The folder that is read, and all below it. */
  readonly folderId: string;
}

// The id goes into addresses, so nothing but its own alphabet is let in. Unknown keys stay allowed:
// one endpoint_config may carry notes for people and other programs.
const storedConfig = z.object({ folder_id: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/) });

/** The keys that are read. */
export const CONFIG_KEYS: readonly string[] = Object.keys(storedConfig.shape);

/** Reads `endpoint_config`. */
export function parseConfig(stored: unknown): AcmeFilesConfig {
  const result = storedConfig.safeParse(stored);
  if (result.success) return { folderId: result.data.folder_id };
  throw new SyncError(
    "config_invalid",
    "Cannot read endpoint_config as folder_id must be the id of a folder (letters, digits, '-' " +
      `and '_'): current value is ${showValue(stored)}`,
    { cause: result.error },
  );
}
