/**
 * A stack this repository did not boot, such as that of `supabase start`: where it is, and how the
 * emulated Google Drive is reached from inside its containers.
 */
import { z } from "zod";

const OtherStack = z.object({
  /** Base address of the API, as this machine reaches it. */
  apiUrl: z.url(),
  /** A connection as `postgres`. */
  dbUrl: z.string(),
  /** A folder that an emulated Google Drive serves, known to the functions by their settings. */
  folder: z.string(),
  /** The id of that folder. */
  folderId: z.string(),
});

/** Coordinates of the stack under test. */
export type OtherStack = z.infer<typeof OtherStack>;

/** Reads the coordinates; null when the tests boot their own stack. */
export function readOtherStack(): OtherStack | null {
  const apiUrl = Deno.env.get("CONNECTOR_E2E_URL");
  if (apiUrl === undefined) return null;
  return OtherStack.parse({
    apiUrl,
    dbUrl: Deno.env.get("CONNECTOR_E2E_DB_URL"),
    folder: Deno.env.get("CONNECTOR_E2E_FOLDER"),
    folderId: Deno.env.get("CONNECTOR_E2E_FOLDER_ID"),
  });
}
