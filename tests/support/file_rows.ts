import type { FileRows } from "../../supabase/functions/_shared/db/connector_db.ts";
import { EncodedJson } from "../../supabase/functions/_shared/db/encoded_json.ts";
import type { FileRecord } from "../../supabase/functions/_shared/providers/types.ts";

/** The files of a page that is handed to the database, encoded or not. */
export function recordsOf(rows: FileRows): readonly FileRecord[] {
  if (!(rows instanceof EncodedJson)) return rows;
  const records: readonly FileRecord[] = JSON.parse(rows.text);
  return records;
}
