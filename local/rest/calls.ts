import type { Catalog, Routine } from "./catalog.ts";
import { refusal, RestFailure } from "./failure.ts";
import { callArguments, findRoutine } from "./routines.ts";
import {
  type Answer,
  commonHeaders,
  MAX_ROWS,
  type Plan,
  requireMaxAffected,
  requireSingle,
  RESPONSE_SETTINGS,
  type RestRequest,
  rowsAsJson,
} from "./plans.ts";
import type { ResultRow } from "./database.ts";
import { planRead, type ReadNode, type RowSource } from "./read_plan.ts";
import { ReadSqlWriter } from "./read_sql.ts";
import { countSql, withHeaderRange } from "./reads.ts";
import { describeRange, type RowRange } from "./ranges.ts";
import { Parameters } from "./sql_text.ts";

/** Plans `/rpc/<name>`. The body reaches Postgres as one parameter and is taken apart there. */
export function planCall(catalog: Catalog, name: string, request: RestRequest): Plan {
  const routine = findRoutine(catalog, name, request);
  if (routine.returns === "record") throw refusal("functions that return an unnamed record");
  const { maxAffected } = request.preferences;
  if (maxAffected !== null && !routine.isSet) throw maxAffectedOfOne();
  const parameters = new Parameters();
  const { from, list } = callArguments(parameters, routine, request);
  const isRowless = routine.returns !== "composite";
  const called = isRowless
    ? `(select ${routine.sql}(${list}) as pgrst_scalar)`
    : `${routine.sql}(${list})`;
  const call = `select called.${isRowless ? "pgrst_scalar" : "*"} from ${from} ` +
    `lateral ${called} as called`;
  const query = routine.returns === "composite" || routine.isSet
    ? rowsQuery(catalog, routine, request, parameters, call)
    : { sql: scalarSql(routine, request, call), range: { offset: 0, limit: null } };
  return {
    sql: query.sql,
    values: parameters.values,
    isReadOnly: request.method !== "POST" || !routine.isVolatile,
    settings: routine.settings,
    check: (row) => {
      requireSingle(request.shape, row);
      requireMaxAffected(request.preferences, row);
    },
    respond: (row) => callAnswer(routine, request, query.range, row),
  };
}

/** One value: Postgres writes it as JSON and nobody else touches it. */
function scalarSql(routine: Routine, request: RestRequest, call: string): string {
  requirePlainQuery(routine, request);
  // The value of a void function is looked at too, or Postgres might not call it.
  const body = routine.returns === "void"
    ? "(answered.pgrst_scalar is null)::text"
    : "coalesce(to_json(answered.pgrst_scalar)::text, 'null')";
  const total = request.preferences.countsExactly ? "'1'" : "null";
  return `select ${total} as total, '1' as page, ${body} as body, ` +
    `null as inserted, null as key, ${RESPONSE_SETTINGS} from (${call}) as answered`;
}

function rowsQuery(
  catalog: Catalog,
  routine: Routine,
  request: RestRequest,
  parameters: Parameters,
  call: string,
): { readonly sql: string; readonly range: RowRange } {
  const writer = new ReadSqlWriter(parameters, MAX_ROWS);
  if (routine.returns !== "composite") requirePlainQuery(routine, request);
  const node = withHeaderRange(planCallRows(catalog, routine, request), request);
  const rows = writer.rows(node);
  const count = countSql(writer, node, request);
  const sql = `with pgrst_source as (${call})${count.cte} ` +
    `select ${count.total} as total, count(*)::text as page, ${
      rowsBody(routine, request)
    } as body, ` +
    `null as inserted, null as key, ${RESPONSE_SETTINGS} from (${rows}) as answered`;
  return { sql, range: node.range };
}

function planCallRows(catalog: Catalog, routine: Routine, request: RestRequest): ReadNode {
  const source: RowSource = {
    name: routine.name,
    sql: "pgrst_source",
    columns: routine.columns,
    table: null,
  };
  return planRead(catalog, source, request.query);
}

function rowsBody(routine: Routine, request: RestRequest): string {
  if (routine.returns !== "composite") {
    const values = "json_agg(answered.pgrst_scalar)";
    return request.shape === "single" ? `(${values}->0)::text` : `coalesce(${values}::text, '[]')`;
  }
  if (routine.isSet) return rowsAsJson(request.shape);
  return "coalesce((json_agg(answered.*)->0)::text, 'null')";
}

/** A result without columns can be neither filtered nor ordered nor picked from. */
function requirePlainQuery(routine: Routine, { query }: RestRequest): void {
  const isPlain = query.select.every((item) => item.type === "all") &&
    query.conditions.length === 0 && query.orders.length === 0;
  const isWhole = query.limits.length === 0 && query.offsets.length === 0;
  if (isPlain && (isWhole || routine.isSet)) return;
  throw refusal("select, filters, order or limits on what is not a set of rows");
}

function callAnswer(
  routine: Routine,
  request: RestRequest,
  range: RowRange,
  row: ResultRow,
): Answer {
  const total = row.total === null ? null : Number(row.total);
  const { status, contentRange } = describeRange(range.offset, Number(row.page), total);
  if (routine.returns === "void" && !routine.isSet) {
    return { status: 204, headers: commonHeaders(request, contentRange, false), body: null };
  }
  return { status, headers: commonHeaders(request, contentRange, true), body: row.body };
}

function maxAffectedOfOne(): RestFailure {
  return new RestFailure(
    400,
    "PGRST128",
    "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
  );
}
