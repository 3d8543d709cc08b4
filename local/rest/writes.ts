import type { Catalog, Column, Table } from "./catalog.ts";
import { refusal, RestFailure } from "./failure.ts";
import { jsonKind } from "./json_keys.ts";
import { payloadColumns, payloadRows } from "./payload.ts";
import {
  type Answer,
  commonHeaders,
  type Plan,
  requireMaxAffected,
  requireSingle,
  RESPONSE_SETTINGS,
  type RestRequest,
  rowsAsJson,
} from "./plans.ts";
import type { ResultRow } from "./database.ts";
import { type PlannedCondition, planRead, type ReadNode, tableSource } from "./read_plan.ts";
import { ReadSqlWriter } from "./read_sql.ts";
import { requireNoArguments } from "./reads.ts";
import { Parameters } from "./sql_text.ts";
import { conflictClause, countsInsertions, INSERTED_COUNT, INSERTION_STEP } from "./upserts.ts";

/** Plans `POST` to a table: insert and upsert. */
export function planInsert(catalog: Catalog, table: Table, request: RestRequest): Plan {
  const context = writeContext(catalog, table, request);
  if (context.conditions.length > 0) throw refusal("filters on an insert");
  const columns = payloadColumns(table, request);
  const names = columns.map((column) => column.sql);
  const given = payloadRows(context.parameters, columns, request);
  const conflict = conflictClause(table, columns, request);
  const counts = countsInsertions(conflict);
  const change = `insert into ${table.sql} ${names.length > 0 ? `(${names.join(", ")}) ` : ""}` +
    `select ${names.map((name) => `given.${name}`).join(", ")} ${given}` +
    `${counts ? ` where ${INSERTION_STEP}` : ""}${conflict} ` +
    returning(table, context.node, request, table.sql);
  return writePlan(context, change, counts, (row) => {
    const isNew = !counts || Number(row.inserted ?? 0) > 0;
    const location = locationOf(table, row);
    const range = request.preferences.countsExactly ? `*/${row.page}` : "*/*";
    return answer(request, row, isNew ? 201 : 200, range, location);
  });
}

/** Plans `PATCH` of a table. */
export function planUpdate(catalog: Catalog, table: Table, request: RestRequest): Plan {
  const context = writeContext(catalog, table, request);
  if (jsonKind(request.body) === "array") throw refusal("an update from a list");
  const columns = payloadColumns(table, request);
  if (columns.length === 0) throw refusal("an update of no columns");
  requireWhere(context.conditions, "UPDATE");
  const assignments = columns.map((column) => `${column.sql} = given.${column.sql}`);
  const given = payloadRows(context.parameters, columns, request);
  const change = `update ${table.sql} as changed set ${assignments.join(", ")} ${given}` +
    `${context.writer.where(context.conditions, "changed")} ` +
    returning(table, context.node, request, "changed");
  return writePlan(context, change, false, (row) => changeAnswer(request, row));
}

/** Plans `DELETE` of a table. */
export function planDelete(catalog: Catalog, table: Table, request: RestRequest): Plan {
  const context = writeContext(catalog, table, request);
  requireWhere(context.conditions, "DELETE");
  const change = `delete from ${table.sql} as changed` +
    `${context.writer.where(context.conditions, "changed")} ` +
    returning(table, context.node, request, "changed");
  return writePlan(context, change, false, (row) => changeAnswer(request, row));
}

interface WriteContext {
  readonly request: RestRequest;
  readonly parameters: Parameters;
  readonly writer: ReadSqlWriter;
  /** What is answered of the changed rows. */
  readonly node: ReadNode;
  /** Which rows are changed. */
  readonly conditions: readonly PlannedCondition[];
}

function writeContext(catalog: Catalog, table: Table, request: RestRequest): WriteContext {
  requireNoArguments(request);
  const { query } = request;
  const isRoot = (part: { readonly path: readonly string[] }) => part.path.length === 0;
  if ([...query.orders, ...query.limits, ...query.offsets].some(isRoot)) {
    throw refusal("order, limit and offset on a change");
  }
  const source = tableSource(table);
  const conditions = query.conditions.filter(isRoot);
  const below = query.conditions.filter((part) => !isRoot(part));
  const target = { ...query, select: [], conditions, orders: [], limits: [], offsets: [] };
  const answered = { ...source, sql: "pgrst_source" };
  const parameters = new Parameters();
  return {
    request,
    parameters,
    writer: new ReadSqlWriter(parameters, null),
    node: planRead(catalog, answered, { ...query, conditions: below }),
    conditions: planRead(catalog, source, target).conditions,
  };
}

function writePlan(
  { request, parameters, writer, node }: WriteContext,
  change: string,
  counts: boolean,
  respond: (row: ResultRow) => Answer,
): Plan {
  const { representation } = request.preferences;
  const isFull = representation === "full";
  const rows = isFull ? writer.rows(node) : "select * from pgrst_source";
  const key = representation === "headers"
    ? "case when count(*) = 1 then (json_agg(answered.*)->0)::text end"
    : "null";
  const sql = `with pgrst_source as (${change}) ` +
    `select null as total, count(*)::text as page, ` +
    `${isFull ? rowsAsJson(request.shape) : "null"} as body, ` +
    `${counts ? INSERTED_COUNT : "null"} as inserted, ${key} as key, ` +
    `${RESPONSE_SETTINGS} from (${rows}) as answered`;
  return {
    sql,
    values: parameters.values,
    isReadOnly: false,
    settings: [],
    check: (row) => {
      requireSingle(request.shape, row);
      requireMaxAffected(request.preferences, row);
    },
    respond,
  };
}

/** What the change hands on: the columns of the answer, of its embedded resources, and the key. */
function returning(table: Table, node: ReadNode, request: RestRequest, alias: string): string {
  const key = table.primaryKey.flatMap((name) => table.columns.get(name) ?? []);
  if (request.preferences.representation === "none") return "returning 1";
  if (request.preferences.representation === "headers") return listed(key, alias);
  if (node.items.some((item) => item.type === "all")) return `returning ${alias}.*`;
  const fields = node.items.flatMap((item) => item.type === "field" ? [item.field.column] : []);
  const links = node.embeds.flatMap(({ relation }) => relation.pairs.map((pair) => pair.origin));
  return listed([...fields, ...links, ...key], alias);
}

function listed(columns: readonly Column[], alias: string): string {
  const names = new Set(columns.map((column) => `${alias}.${column.sql}`));
  return names.size === 0 ? "returning 1" : `returning ${[...names].join(", ")}`;
}

/** The platform loads pg_safeupdate into its REST sessions, which refuses to change a whole table. */
function requireWhere(conditions: readonly PlannedCondition[], verb: string): void {
  if (conditions.length > 0) return;
  throw new RestFailure(400, "21000", `${verb} requires a WHERE clause`);
}

function locationOf(table: Table, row: ResultRow): Record<string, string> {
  if (row.key === null || table.primaryKey.length === 0) return {};
  const values: Record<string, unknown> = JSON.parse(row.key);
  const parts = Object.entries(values).map(([name, value]) =>
    `${encodeURIComponent(name)}=${encodeURIComponent(value === null ? "is.null" : `eq.${value}`)}`
  );
  return { location: `/${table.name}?${parts.join("&")}` };
}

function changeAnswer(request: RestRequest, row: ResultRow): Answer {
  const rows = Number(row.page);
  const window = request.method === "PATCH" && rows > 0 ? `0-${rows - 1}` : "*";
  const range = `${window}/${request.preferences.countsExactly ? row.page : "*"}`;
  return answer(request, row, request.preferences.representation === "full" ? 200 : 204, range, {});
}

function answer(
  request: RestRequest,
  row: ResultRow,
  status: number,
  contentRange: string,
  extra: Readonly<Record<string, string>>,
): Answer {
  const isFull = request.preferences.representation === "full";
  const headers = { ...commonHeaders(request, contentRange, isFull), ...extra };
  return { status, headers, body: isFull ? row.body : null };
}
