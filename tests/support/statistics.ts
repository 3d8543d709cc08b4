/** Databases whose statistics are not true, for tests of what must be quick whatever the planner knows. */
import { addEndpoint, connect, resetDatabase, type Sql } from "./database.ts";

/** What the planner knows of the tables: they may be gathered when almost nothing was in them. */
const KNOWLEDGE = [
  "nothing is known",
  "statistics know of a single row",
  "statistics know of rows that are gone",
] as const;

/** One of these states. */
export type Knowledge = (typeof KNOWLEDGE)[number];

/** Runs a test on one connection to a clean database, whose statistics only the test changes. */
export async function knowing(
  knowledge: Knowledge,
  test: (sql: Sql) => Promise<void>,
): Promise<void> {
  const sql = connect(1);
  try {
    await resetDatabase(sql);
    await setAutovacuum(sql, "set (autovacuum_enabled = false)");
    await sql`
      delete from pg_statistic where starelid in (
        select oid from pg_class
        where relnamespace in ('connector'::regnamespace, 'public'::regnamespace))`;
    if (knowledge === "statistics know of rows that are gone") await leaveStatistics(sql);
    await test(sql);
    await resetDatabase(sql);
  } finally {
    await setAutovacuum(sql, "reset (autovacuum_enabled)");
    await sql.end({ timeout: 5 });
  }
}

async function tables(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select oid::regclass::text as name from pg_class
    where relkind = 'r' and relnamespace in ('connector'::regnamespace, 'public'::regnamespace)`;
  return rows.map(({ name }) => name);
}

async function setAutovacuum(sql: Sql, change: string): Promise<void> {
  for (const table of await tables(sql)) await sql.unsafe(`alter table ${table} ${change}`);
}

/** Gathers statistics of what is there now. */
export async function analyzeAll(sql: Sql): Promise<void> {
  for (const table of await tables(sql)) await sql.unsafe(`vacuum analyze ${table}`);
}

/** Leaves statistics of one folder in another: those of an empty table do not take their place. */
async function leaveStatistics(sql: Sql): Promise<void> {
  await addEndpoint(sql);
  await sql`
    insert into connector.folders
      (endpoint_id, external_folder_id, external_parent_id, folder_name, is_root, path)
    select id, f.folder_id, f.parent_id, f.folder_id, f.parent_id is null, '' from public.endpoints,
      (values ('R', null), ('A', 'R')) as f (folder_id, parent_id)`;
  await sql`
    insert into public.files
      (endpoint_id, external_file_id, external_parent_id, file_name, file_path, file_link)
    select id, f.file_id, f.parent_id, 'f', '/f', 'l' from public.endpoints,
      (values ('f', 'R'), ('g', 'A')) as f (file_id, parent_id)`;
  await sql`
    insert into connector.pending_items
      (endpoint_id, external_id, is_folder, external_parent_id, record)
    select id, i.item_id, true, i.item_id || ' parent', '{}' from public.endpoints,
      (values ('i'), ('j')) as i (item_id)`;
  await analyzeAll(sql);
  await resetDatabase(sql);
  await analyzeAll(sql);
}

/** Defines a test for each state of the statistics. */
export function eachKnowing(
  name: string,
  test: (sql: Sql, knowledge: Knowledge) => Promise<void>,
): void {
  for (const knowledge of KNOWLEDGE) {
    Deno.test(`${name}, when ${knowledge}`, () =>
      knowing(knowledge, (sql) => test(sql, knowledge)));
  }
}
