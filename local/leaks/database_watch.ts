/** Everything that a database has been told while it was watched. */
import type postgres from "postgres";
import { isNoted, note } from "./run_folder.ts";
import { type Leaks, rowsOf, searchTexts } from "./places.ts";
import { type Hit, LONGEST_FORM, type SecretIndex } from "./secret_index.ts";
import { parsePosition, readRecords, readWal } from "./wal.ts";

/** The name of the slot that makes a server keep its log. */
const SLOT = "file_connector_search";

/** The part of the log that is searched. */
export interface Watch {
  readonly dataDirectory: string;
  /** Where the log begins for us. */
  readonly from: number;
}

/** Makes a server keep its log from now on. For servers that are thrown away after the tests. */
export async function keepEverything(sql: postgres.Sql): Promise<void> {
  await sql`
    select pg_create_physical_replication_slot(${SLOT}, true)
    where not exists (select from pg_replication_slots where slot_name = ${SLOT})`;
}

/**
 * Lets no table compress what it is given: compressed it would not be found in the log. Indexed
 * columns are left alone, as an index has no room for long values.
 */
export async function keepUncompressed(sql: postgres.Sql): Promise<void> {
  const columns = await sql<{ line: string }[]>`
    select format('alter table %s alter column %I set storage external',
      a.attrelid::regclass, a.attname) as line
    from pg_attribute as a join pg_class as c on c.oid = a.attrelid
    where c.relkind = 'r' and a.attstorage in ('x', 'm') and a.attnum > 0 and not a.attisdropped
      and a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'json'::regtype, 'bytea'::regtype,
        'varchar'::regtype)
      and c.relnamespace in (select oid from pg_namespace where nspname in
        ('public', 'connector', 'net', 'cron', 'vault', 'auth', 'supabase_migrations'))
      and not exists (
        select from pg_index as i where i.indrelid = a.attrelid and a.attnum = any(i.indkey))`;
  for (const { line } of columns) await sql.unsafe(line);
}

/** Lets the log hold what pg_net was given: its tables are unlogged, and emptied by a crash. */
export async function keepUnlogged(sql: postgres.Sql): Promise<void> {
  const tables = await sql<{ line: string }[]>`
    select format('alter table %s set logged', oid::regclass) as line
    from pg_class where relpersistence = 'u' and relkind = 'r'`;
  for (const { line } of tables) await sql.unsafe(line);
}

/** Begins to watch a database whose log is kept: from now on, or from where it is kept. */
export async function watchDatabase(
  sql: postgres.Sql,
  since: "now" | "slot" = "slot",
): Promise<Watch> {
  const [row] = await sql<{ directory: string; now: string; slot: string | null }[]>`
    select current_setting('data_directory') as directory,
      pg_current_wal_insert_lsn()::text as now,
      (select restart_lsn::text from pg_replication_slots where slot_name = ${SLOT}) as slot`;
  if (row === undefined || row.slot === null) {
    throw new Error("Cannot watch this database: it does not keep its log");
  }
  return {
    dataDirectory: row.directory,
    from: parsePosition(since === "now" ? row.now : row.slot),
  };
}

/** Searches what is in the tables, and what was ever written to them. */
export async function searchDatabase(
  sql: postgres.Sql,
  watch: Watch,
  index: SecretIndex,
  leaks: Leaks,
  older: ReadonlyMap<number, string> = new Map(),
): Promise<void> {
  await searchTexts(index, rowsOf(sql), leaks);
  // Writes out what has been logged so far.
  const [end] = await sql<{ at: string }[]>`select pg_switch_wal()::text as at`;
  const to = parsePosition(end?.at ?? "");
  const hits = await searchWal(watch, to, index, leaks);
  if (hits.length === 0) return;
  const tables = new Map([...older, ...await filesOf(sql)]);
  for await (
    const { start, end, file } of readRecords(readWal(watch.dataDirectory, watch.from, to))
  ) {
    for (; (hits[0]?.at ?? Infinity) < end; hits.shift()) {
      const table = file === null ? undefined : tables.get(file);
      const place = table ?? `the write-ahead log (file ${file ?? "unknown"})`;
      if ((hits[0]?.at ?? 0) >= start) leaks.add({ secret: hits[0]?.secret ?? "", place });
    }
  }
  for (const { secret } of hits) leaks.add({ secret, place: "the write-ahead log" });
}

/** Where the log holds secrets, in its order. */
async function searchWal(
  { dataDirectory, from }: Watch,
  to: number,
  index: SecretIndex,
  leaks: Leaks,
): Promise<Hit[]> {
  const found: Hit[] = [];
  let tail = new Uint8Array();
  for await (const { start, bytes } of readWal(dataDirectory, from, to)) {
    const joined = new Uint8Array(tail.length + bytes.length);
    joined.set(tail);
    joined.set(bytes, tail.length);
    leaks.bytes += bytes.length;
    for (const { secret, at } of index.scan(joined)) {
      found.push({ secret, at: start - tail.length + at });
    }
    tail = joined.slice(-LONGEST_FORM);
  }
  return found.sort((one, other) => one.at - other.at);
}

/** The tables by the files that hold them, their indexes, and their long values. */
async function filesOf(sql: postgres.Sql): Promise<Map<number, string>> {
  const rows = await sql<{ file: number; table: string }[]>`
    with owned as (
      select c.oid, c.oid as owner from pg_class as c where c.relkind in ('r', 'm')
      union all select c.reltoastrelid, c.oid from pg_class as c where c.reltoastrelid <> 0
    ), files as (
      select oid, owner from owned
      union all select i.indexrelid, o.owner from pg_index as i join owned as o on o.oid = i.indrelid
    )
    select pg_relation_filenode(f.oid)::bigint::float8 as file,
      format('%s.%s', n.nspname, c.relname) as table
    from files as f join pg_class as c on c.oid = f.owner
      join pg_namespace as n on n.oid = c.relnamespace
    where pg_relation_filenode(f.oid) is not null`;
  return new Map(rows.map(({ file, table }) => [file, table]));
}

const noted = new Set<number>();

/** Notes which files are which tables' now: to empty a table gives it new ones. */
export async function noteFiles(sql: postgres.Sql): Promise<void> {
  if (!isNoted()) return;
  const rows = await sql<{ file: number; long: number | null; table: string }[]>`
    select c.relfilenode::bigint::float8 as file, t.relfilenode::bigint::float8 as long,
      format('%s.%s', n.nspname, c.relname) as table
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      left join pg_class as t on t.oid = c.reltoastrelid
    where n.nspname in ('public', 'connector') and c.relkind = 'r'`;
  for (const { file, long, table } of rows) {
    if (noted.has(file)) continue;
    noted.add(file);
    note("files", { file, table });
    if (long !== null) note("files", { file: long, table });
  }
}
