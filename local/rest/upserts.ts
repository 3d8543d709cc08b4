import type { Column, Table } from "./catalog.ts";
import { refusal, RestFailure } from "./failure.ts";
import type { RestRequest } from "./plans.ts";

const COUNT = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)";

/**
 * PostgREST's way to tell an insert from an update: each row adds one before it is inserted, and
 * takes one away when it turns out to be an update.
 */
export const INSERTION_STEP = `set_config('pgrst.inserted', (${COUNT} + 1)::text, true) <> '0'`;

/** How many rows were new. */
export const INSERTED_COUNT = "nullif(current_setting('pgrst.inserted', true), '')";

const UPDATE_STEP = `set_config('pgrst.inserted', (${COUNT} - 1)::text, true) <> '-1'`;

/** The `on conflict` of an upsert; empty for an insert. */
export function conflictClause(
  table: Table,
  columns: readonly Column[],
  request: RestRequest,
): string {
  const { resolution } = request.preferences;
  if (resolution === null) return "";
  if (table.isView && request.query.onConflict === null) {
    throw refusal("an upsert into a view without on_conflict");
  }
  const keys = (request.query.onConflict ?? table.primaryKey).map((name) => keyOf(table, name));
  if (keys.length === 0) return "";
  const target = ` on conflict (${keys.map((key) => key.sql).join(", ")})`;
  if (resolution === "ignore" || columns.length === 0) return `${target} do nothing`;
  const assignments = columns.map((column) => `${column.sql} = excluded.${column.sql}`);
  return `${target} do update set ${assignments.join(", ")} where ${UPDATE_STEP}`;
}

/** Whether the clause updates, so that new rows have to be told from old ones. */
export function countsInsertions(clause: string): boolean {
  return clause.includes(" do update set ");
}

function keyOf(table: Table, name: string): Column {
  const column = table.columns.get(name);
  if (column !== undefined) return column;
  throw new RestFailure(400, "42703", `column "${name}" does not exist`, { isCatalogMiss: true });
}
