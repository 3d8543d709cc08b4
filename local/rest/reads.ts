import type { Catalog, Table } from "./catalog.ts";
import { parseFailure } from "./failure.ts";
import {
  commonHeaders,
  MAX_ROWS,
  type Plan,
  requireSingle,
  RESPONSE_SETTINGS,
  type RestRequest,
  rowsAsJson,
} from "./plans.ts";
import { planRead, type ReadNode, tableSource } from "./read_plan.ts";
import { ReadSqlWriter } from "./read_sql.ts";
import { describeRange, intersectRanges } from "./ranges.ts";
import { Parameters } from "./sql_text.ts";

/** Plans `GET` and `HEAD` of a table or view. */
export function planTableRead(catalog: Catalog, table: Table, request: RestRequest): Plan {
  requireNoArguments(request);
  const node = withHeaderRange(planRead(catalog, tableSource(table), request.query), request);
  const parameters = new Parameters();
  const writer = new ReadSqlWriter(parameters, MAX_ROWS);
  const isHead = request.method === "HEAD";
  const count = countSql(writer, node, request);
  const sql = `with pgrst_source as (${writer.rows(node)})${count.cte} ` +
    `select ${count.total} as total, count(*)::text as page, ` +
    `${isHead ? "null" : rowsAsJson(request.shape)} as body, ` +
    `null as inserted, null as key, ${RESPONSE_SETTINGS} from pgrst_source as answered`;
  return {
    sql,
    values: parameters.values,
    isReadOnly: true,
    settings: [],
    check: (row) => requireSingle(request.shape, row),
    respond: (row) => {
      const total = row.total === null ? null : Number(row.total);
      const { status, contentRange } = describeRange(node.range.offset, Number(row.page), total);
      return { status, headers: commonHeaders(request, contentRange, true), body: row.body };
    },
  };
}

/** A parameter that is neither reserved nor a filter means something to functions alone. */
export function requireNoArguments(request: RestRequest): void {
  const [stray] = request.query.arguments;
  if (stray === undefined) return;
  throw parseFailure(
    `"failed to parse filter (${stray[1]})" (line 1, column 1)`,
    `expecting "not" or operator (eq, gt, ...) for ${stray[0]}`,
  );
}

/** Narrows the window of the query string by that of the `Range` header. */
export function withHeaderRange(node: ReadNode, request: RestRequest): ReadNode {
  if (request.headerRange === null) return node;
  return { ...node, range: intersectRanges(request.headerRange, node.range) };
}

/** The parts of a statement that count what there would be without limit and offset. */
export function countSql(
  writer: ReadSqlWriter,
  node: ReadNode,
  request: RestRequest,
): { readonly cte: string; readonly total: string } {
  if (!request.preferences.countsExactly) return { cte: "", total: "null" };
  return {
    cte: `, pgrst_count as (${writer.uncut(node)})`,
    total: "(select count(*)::text from pgrst_count)",
  };
}
