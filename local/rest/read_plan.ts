import type { Catalog, Column, Columns, Table } from "./catalog.ts";
import { refusal, RestFailure } from "./failure.ts";
import type {
  At,
  Condition,
  EmbedPath,
  Field,
  JsonStep,
  OrderTerm,
  Query,
  SelectEmbed,
  SelectItem,
} from "./query_types.ts";
import type { RowRange } from "./ranges.ts";
import { findRelation, type Relation } from "./relations.ts";

/** Where rows come from: a table, or the rows a function or a change has answered. */
export interface RowSource {
  readonly name: string;
  readonly sql: string;
  readonly columns: Columns;
  /** The table whose foreign keys can be followed, where there is one. */
  readonly table: Table | null;
}

/** A column of a source, with the JSON path into it. */
export interface PlannedField {
  readonly column: Column;
  readonly path: readonly JsonStep[];
}

/** One column of the answer. */
export type OutputItem =
  | { readonly type: "all" }
  | {
    readonly type: "field";
    readonly field: PlannedField;
    readonly cast: string | null;
    readonly label: string;
  };

/** A condition whose columns are known to exist. */
export type PlannedCondition =
  | (Extract<Condition, { type: "filter" }> & { readonly planned: PlannedField })
  | (Omit<Extract<Condition, { type: "group" }>, "members"> & {
    readonly members: readonly PlannedCondition[];
  });

/** A term of `order` whose column is known to exist. */
export interface PlannedOrder {
  readonly field: PlannedField;
  readonly direction: OrderTerm["direction"];
  readonly nulls: OrderTerm["nulls"];
}

/** A related resource inside a node. */
export interface PlannedEmbed {
  readonly node: ReadNode;
  readonly label: string;
  readonly relation: Relation;
  readonly isInner: boolean;
}

/** One resource of a request, ready to be written as SQL. */
export interface ReadNode {
  readonly source: RowSource;
  readonly items: readonly OutputItem[];
  readonly embeds: readonly PlannedEmbed[];
  readonly conditions: readonly PlannedCondition[];
  readonly order: readonly PlannedOrder[];
  readonly range: RowRange;
}

/** The parts of a query that a plan reads. */
export type QueryParts = Pick<Query, "select" | "conditions" | "orders" | "limits" | "offsets">;

/** The rows of a table. */
export function tableSource(table: Table): RowSource {
  return { name: table.name, sql: table.sql, columns: table.columns, table };
}

/** Looks up every name of a query. It throws when a name does not exist. */
export function planRead(catalog: Catalog, source: RowSource, query: QueryParts): ReadNode {
  return planNode({ catalog, query, claimed: new Set() }, source, query.select, [[]], true);
}

interface Planning {
  readonly catalog: Catalog;
  readonly query: QueryParts;
  /** Parts that were said of some node; at the end none may be left. */
  readonly claimed: Set<At<unknown>>;
}

/** `paths`: every way to name this node, since a renamed resource also answers to its own name. */
function planNode(
  planning: Planning,
  source: RowSource,
  select: readonly SelectItem[],
  paths: readonly EmbedPath[],
  isRoot: boolean,
): ReadNode {
  const embeds = select.filter((item) => item.type === "embed");
  const conditions = claim(planning, planning.query.conditions, paths);
  for (const condition of conditions) refuseEmbedFilter(condition, embeds, source.columns);
  const node = {
    source,
    items: select.flatMap((item) => item.type === "embed" ? [] : [outputItem(source, item)]),
    embeds: embeds.map((embed) => planEmbed(planning, source, embed, paths)),
    conditions: conditions.map((condition) => planCondition(planning.catalog, source, condition)),
    order: claim(planning, planning.query.orders, paths).flat().map((term) => ({
      field: planField(planning.catalog, source, term.field),
      direction: term.direction,
      nulls: term.nulls,
    })),
    range: {
      offset: claim(planning, planning.query.offsets, paths).at(-1) ?? 0,
      limit: claim(planning, planning.query.limits, paths).at(-1) ?? null,
    },
  };
  if (isRoot) requireAllClaimed(planning);
  return node;

  function outputItem(from: RowSource, item: Exclude<SelectItem, SelectEmbed>): OutputItem {
    if (item.type === "all") return item;
    const field = planField(planning.catalog, from, item.field);
    return { type: "field", field, cast: item.cast, label: item.alias ?? labelOf(item.field) };
  }
}

function planEmbed(
  planning: Planning,
  source: RowSource,
  embed: SelectEmbed,
  parentPaths: readonly EmbedPath[],
): PlannedEmbed {
  if (source.table === null) throw refusal("resources embedded in what a function answers");
  const relation = findRelation(planning.catalog, source.table, embed);
  const names = new Set([embed.alias ?? embed.target, embed.target]);
  const paths = parentPaths.flatMap((path) => [...names].map((name) => [...path, name]));
  return {
    node: planNode(planning, tableSource(relation.target), embed.items, paths, false),
    label: embed.alias ?? embed.target,
    relation,
    isInner: embed.isInner,
  };
}

function claim<Value>(
  planning: Planning,
  parts: readonly At<Value>[],
  paths: readonly EmbedPath[],
): readonly Value[] {
  const keys = new Set(paths.map((path) => JSON.stringify(path)));
  const mine = parts.filter((part) => keys.has(JSON.stringify(part.path)));
  for (const part of mine) {
    if (planning.claimed.has(part)) throw refusal("one name for two embedded resources");
    planning.claimed.add(part);
  }
  return mine.map((part) => part.value);
}

function requireAllClaimed({ query, claimed }: Planning): void {
  const parts: readonly At<unknown>[] = [
    ...query.conditions,
    ...query.orders,
    ...query.limits,
    ...query.offsets,
  ];
  const stray = parts.find((part) => !claimed.has(part));
  if (stray === undefined) return;
  const name = stray.path.join(".");
  throw new RestFailure(
    400,
    "PGRST108",
    `'${name}' is not an embedded resource in this request`,
    { hint: `Verify that '${name}' is included in the 'select' query parameter.` },
  );
}

function refuseEmbedFilter(
  condition: Condition,
  embeds: readonly SelectEmbed[],
  columns: Columns,
): void {
  if (condition.type === "group") {
    for (const member of condition.members) refuseEmbedFilter(member, embeds, columns);
    return;
  }
  const { name } = condition.field;
  if (!columns.has(name) && embeds.some((embed) => (embed.alias ?? embed.target) === name)) {
    throw refusal("filtering by whether an embedded resource is there");
  }
}

function planCondition(
  catalog: Catalog,
  source: RowSource,
  condition: Condition,
): PlannedCondition {
  if (condition.type === "filter") {
    return { ...condition, planned: planField(catalog, source, condition.field) };
  }
  const members = condition.members.map((member) => planCondition(catalog, source, member));
  return { ...condition, members };
}

function planField(catalog: Catalog, source: RowSource, field: Field): PlannedField {
  const column = source.columns.get(field.name);
  if (column !== undefined) return { column, path: field.path };
  // PostgREST would let Postgres read these as a function of the row.
  if (catalog.routines.has(field.name)) throw refusal("computed columns");
  if (field.name === "count") throw refusal("count as a column");
  throw new RestFailure(400, "42703", `column ${source.name}.${field.name} does not exist`, {
    isCatalogMiss: true,
  });
}

/** A value inside JSON is named by the last key on the way to it. */
function labelOf(field: Field): string {
  return field.path.findLast((step) => !step.isIndex)?.operand ?? field.name;
}
