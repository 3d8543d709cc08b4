import type { Column, Table } from "./catalog.ts";
import { RestFailure } from "./failure.ts";
import { invalidJson, jsonKind, topLevelKeys } from "./json_keys.ts";
import type { RestRequest } from "./plans.ts";
import { type Parameters, quoteLiteral } from "./sql_text.ts";

/** The columns a body gives values for: those named by `columns`, else its keys. */
export function payloadColumns(table: Table, request: RestRequest): readonly Column[] {
  const names = request.query.columns ?? bodyKeys(request.body);
  return [...new Set(names)].map((name) => {
    const column = table.columns.get(name);
    if (column !== undefined) return column;
    throw new RestFailure(
      400,
      "PGRST204",
      `Could not find the '${name}' column of '${table.name}' in the schema cache`,
      { isCatalogMiss: true },
    );
  });
}

/** The `from` that turns the body into rows named `given`, in Postgres, from one parameter. */
export function payloadRows(
  parameters: Parameters,
  columns: readonly Column[],
  request: RestRequest,
): string {
  const body = parameters.add(request.body);
  const isList = jsonKind(request.body) === "array";
  if (columns.length === 0) {
    return isList
      ? `from json_array_elements(${body}::json) as given`
      : "from (values (1)) as given";
  }
  const appliesDefaults = request.preferences.appliesDefaults;
  const prefix = appliesDefaults ? "jsonb" : "json";
  const unpack = `${prefix}_to_record${isList ? "set" : ""}`;
  const types = columns.map((column) => `${column.sql} ${column.type}`).join(", ");
  const data = appliesDefaults
    ? withDefaults(columns, body, isList)
    : `select ${body}::json as data`;
  return `from (${data}) as payload, ` +
    `lateral (select * from ${unpack}(payload.data) as fields (${types})) as given`;
}

/** Lays the body over the columns' defaults, which the catalog writes as SQL. */
function withDefaults(columns: readonly Column[], body: string, isList: boolean): string {
  const pairs = columns.flatMap(({ name, fallback }) =>
    fallback === null ? [] : [`${quoteLiteral(name)}, ${fallback}`]
  );
  const defaults = `jsonb_build_object(${pairs.join(", ")})`;
  return isList
    ? `select jsonb_agg(${defaults} || element) as data ` +
      `from jsonb_array_elements(${body}::jsonb) as element`
    : `select ${defaults} || ${body}::jsonb as data`;
}

function bodyKeys(body: string): readonly string[] {
  if (jsonKind(body) === "object") return topLevelKeys(body);
  const parsed = parse(body);
  if (!Array.isArray(parsed)) throw invalidJson();
  const keys = parsed.map((item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) throw unequalKeys();
    return Object.keys(item).sort();
  });
  const [first] = keys;
  if (first === undefined) return [];
  const expected = JSON.stringify(first);
  if (keys.some((list) => JSON.stringify(list) !== expected)) throw unequalKeys();
  return first;
}

function unequalKeys(): RestFailure {
  return new RestFailure(400, "PGRST102", "All object keys must match");
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw invalidJson();
  }
}
