/** Looks for secrets in clear, wherever they could have been written down. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import type postgres from "postgres";

/** A value that must be nowhere in clear. */
export interface Secret {
  /** What it is; a finding says this and never the value. */
  readonly name: string;
  readonly value: string;
}

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

/** Shorter values would be found everywhere. */
const SHORTEST = 16;

/** Finds each secret in each place, as it is and in the usual disguises. */
export function findLeaks(secrets: readonly Secret[], places: readonly Place[]): Leak[] {
  const needles = secrets.map((secret) => ({ name: secret.name, forms: formsOf(secret) }));
  const leaks = new Map<string, Leak>();
  for (const { name: place, text } of places) {
    for (const { name: secret, forms } of needles) {
      if (!forms.some((form) => text.includes(form))) continue;
      leaks.set(`${secret} ${place}`, { secret, place });
    }
  }
  return [...leaks.values()];
}

/** As it is, in an address, in JSON, and as the bytes of a `bytea` or of a Basic header. */
function formsOf({ name, value }: Secret): readonly string[] {
  if (value.length < SHORTEST) throw new RangeError(`Cannot search for the short secret ${name}`);
  const bytes = Buffer.from(value, "utf8");
  // Bytes in the middle look different in base64 for each of three offsets.
  const encoded = [0, 1, 2].map((offset) => {
    const whole = bytes.subarray(offset, bytes.length - (bytes.length - offset) % 3);
    return whole.toString("base64");
  });
  return [
    ...new Set([
      value,
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
      bytes.toString("hex"),
      ...encoded,
    ]),
  ];
}

/** The lines of a private key, of which each would be too much. */
export function keyLines(name: string, pem: string): Secret[] {
  const lines = pem.split("\n").filter((line) => /^[A-Za-z0-9+/=]{60,}$/.test(line));
  return lines.map((value) => ({ name, value }));
}

/** Every row of every table, all columns as text; and what other connections are asking. */
export async function rowsOf(sql: postgres.Sql | postgres.TransactionSql): Promise<Place[]> {
  const tables = await sql<{ schema: string; name: string }[]>`
    select n.nspname as schema, c.relname as name
    from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
    order by 1, 2`;
  const settings = { schema: "pg_catalog", name: "pg_db_role_setting" };
  const activity = { schema: "pg_catalog", name: "pg_stat_activity" };
  const places: Place[] = [];
  for (const { schema, name } of [...tables, settings, activity]) {
    const rows = await sql<{ line: string }[]>`
      select t::text as line from ${sql(schema)}.${sql(name)} as t`;
    for (const { line } of rows) places.push({ name: `${schema}.${name}`, text: line });
  }
  return places;
}

/** Every log below a stack's folder. */
export async function logsOf(folder: string): Promise<Place[]> {
  const places: Place[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && entry.name === "logs") places.push(...await logsOf(path));
    if (!entry.isFile || !/\.log(\.old)?$/.test(entry.name)) continue;
    places.push({ name: entry.name, text: await Deno.readTextFile(path) });
  }
  return places;
}
