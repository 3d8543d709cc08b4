import { join } from "node:path";
import { z } from "zod";
import type { Database } from "./database.ts";

const Applied = z.array(z.object({ version: z.string() }));

/** The file names of the migrations that a database does not have yet, in their order. */
export async function listPendingMigrations(
  root: string,
  database: Database,
  hasHistory: boolean,
): Promise<readonly string[]> {
  const applied = new Set(
    hasHistory
      ? Applied.parse(
        await database.query("select version from supabase_migrations.schema_migrations"),
      ).map(({ version }) => version)
      : [],
  );
  const names: string[] = [];
  for await (const { name } of Deno.readDir(join(root, "supabase", "migrations"))) {
    const version = /^(\d+)_.*\.sql$/.exec(name)?.[1];
    if (version !== undefined && !applied.has(version)) names.push(name);
  }
  return names.sort();
}
