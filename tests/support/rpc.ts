import type { Sql } from "./database.ts";

/** An object of JSON. */
export type Json = { readonly [key: string]: unknown };

/** Calls a function of `public` that takes and answers one object. */
export async function call(sql: Sql, name: string, argument: Json): Promise<Json> {
  const [row] = await sql.unsafe(`select public.${name}($1::jsonb) as answer`, [
    sql.json(JSON.parse(JSON.stringify(argument))),
  ]);
  return row?.answer;
}
