/** Where secrets could have been written down. */
import { join } from "node:path";
import type postgres from "postgres";
import type { SecretIndex } from "./secret_index.ts";

/** A text that could hold a secret. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

/** A secret that was found where it must not be. */
export interface Leak {
  readonly secret: string;
  readonly place: string;
}

/**
 * pg_net keeps what it is to send in a table until it is sent. That is why the dispatcher's token
 * opens the dispatcher and nothing else: https://supabase.github.io/pg_net/
 */
export const BY_DESIGN: Leak = { secret: "dispatch_token", place: "net.http_request_queue" };

/** Tells what is stored where it has to be; see {@linkcode BY_DESIGN}. */
export function isByDesign({ secret, place }: Leak): boolean {
  return secret === BY_DESIGN.secret && place === BY_DESIGN.place;
}

/** Leaks, each once. */
export class Leaks {
  readonly #found = new Map<string, Leak>();
  /** How much was searched. */
  bytes = 0;

  /** Notes a leak. */
  add(leak: Leak): void {
    this.#found.set(`${leak.secret} ${leak.place}`, leak);
  }

  /** All of them. */
  all(): Leak[] {
    return [...this.#found.values()];
  }
}

/** Texts of one place are searched together, up to about this many characters. */
const BATCH = 1 << 20;

/** Searches texts that come one by one. */
export async function searchTexts(
  index: SecretIndex,
  places: AsyncIterable<Place> | Iterable<Place>,
  leaks: Leaks,
): Promise<void> {
  const pending = new Map<string, { texts: string[]; length: number }>();
  const search = (place: string, texts: readonly string[]) => {
    const bytes = new TextEncoder().encode(texts.join("\n"));
    leaks.bytes += bytes.length;
    for (const { secret } of index.scan(bytes)) leaks.add({ secret, place });
  };
  for await (const { name, text } of places) {
    const batch = pending.get(name) ?? { texts: [], length: 0 };
    batch.texts.push(text);
    batch.length += text.length;
    pending.set(name, batch);
    if (batch.length < BATCH) continue;
    search(name, batch.texts);
    pending.delete(name);
  }
  for (const [name, { texts }] of pending) search(name, texts);
}

/** Every row of every table, all columns as text; and what other connections are asking. */
export async function* rowsOf(
  sql: postgres.Sql | postgres.TransactionSql,
): AsyncGenerator<Place> {
  const tables = await sql<{ schema: string; name: string }[]>`
    select n.nspname as schema, c.relname as name
    from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
    order by 1, 2`;
  const settings = { schema: "pg_catalog", name: "pg_db_role_setting" };
  const activity = { schema: "pg_catalog", name: "pg_stat_activity" };
  for (const { schema, name } of [...tables, settings, activity]) {
    const rows = await sql<{ line: string }[]>`
      select t::text as line from ${sql(schema)}.${sql(name)} as t`;
    for (const { line } of rows) yield { name: `${schema}.${name}`, text: line };
  }
}

/** Every log below a stack's folder. */
export async function* logsOf(folder: string): AsyncGenerator<Place> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && entry.name === "logs") yield* logsOf(path);
    if (!entry.isFile || !/\.log(\.old)?$/.test(entry.name)) continue;
    yield { name: entry.name, text: await Deno.readTextFile(path) };
  }
}
