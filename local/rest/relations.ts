import type { Catalog, Column, ForeignKey, Table } from "./catalog.ts";
import { refusal, RestFailure } from "./failure.ts";
import type { SelectEmbed } from "./query_types.ts";

/** A way from one table to another along a foreign key. */
export interface Relation {
  readonly target: Table;
  /** Whether a row leads to at most one row of the target. */
  readonly isToOne: boolean;
  readonly pairs: readonly {
    readonly origin: Column;
    readonly target: Column;
  }[];
}

interface Candidate {
  readonly foreignKey: ForeignKey;
  /** Along the key, from the table that holds it; or against it. */
  readonly isForward: boolean;
}

/** Finds the relation an embedded resource means. */
export function findRelation(catalog: Catalog, origin: Table, embed: SelectEmbed): Relation {
  const candidates = candidatesFrom(catalog, origin).filter((candidate) => fits(candidate, embed));
  const [found, ...others] = candidates;
  const named = catalog.tables.get(embed.target);
  const throughTable = named !== undefined && hasJunction(catalog, origin.name, named.name);
  if (found === undefined) {
    if (throughTable) throw refusal("embedding through a junction table");
    if (origin.isView || named?.isView === true) throw refusal("embedding views");
    throw notFound(origin, embed);
  }
  if (others.length > 0) throw ambiguous(origin, embed, candidates);
  if (throughTable && embed.hint === null) throw refusal("embedding beside a junction table");
  return relationOf(catalog, origin, found);
}

function candidatesFrom(catalog: Catalog, origin: Table): readonly Candidate[] {
  return catalog.foreignKeys.flatMap((foreignKey) => [
    ...(foreignKey.table === origin.name ? [{ foreignKey, isForward: true }] : []),
    ...(foreignKey.target === origin.name ? [{ foreignKey, isForward: false }] : []),
  ]);
}

function fits({ foreignKey, isForward }: Candidate, embed: SelectEmbed): boolean {
  const tableName = isForward ? foreignKey.target : foreignKey.table;
  const columns = foreignKey.columns;
  const isColumn = (name: string) => columns.length === 1 && columns[0] === name;
  if (embed.hint !== null) {
    return tableName === embed.target &&
      (foreignKey.constraint === embed.hint || isColumn(embed.hint));
  }
  return tableName === embed.target || foreignKey.constraint === embed.target ||
    (isForward && isColumn(embed.target));
}

/** Whether a table between the two, keyed by both, makes them many-to-many. */
function hasJunction(catalog: Catalog, left: string, right: string): boolean {
  const leadsFrom = (junction: Table, target: string) =>
    catalog.foreignKeys.filter((foreignKey) =>
      foreignKey.table === junction.name && foreignKey.target === target &&
      foreignKey.columns.every((column) => junction.primaryKey.includes(column))
    );
  return [...catalog.tables.values()].some((junction) =>
    leadsFrom(junction, left).some((one) =>
      leadsFrom(junction, right).some((other) => one.constraint !== other.constraint)
    )
  );
}

function relationOf(
  catalog: Catalog,
  origin: Table,
  { foreignKey, isForward }: Candidate,
): Relation {
  const target = catalog.tables.get(isForward ? foreignKey.target : foreignKey.table);
  if (target === undefined) throw refusal("embedding a partition");
  const originColumns = isForward ? foreignKey.columns : foreignKey.targetColumns;
  const targetColumns = isForward ? foreignKey.targetColumns : foreignKey.columns;
  return {
    target,
    isToOne: isForward || foreignKey.isUnique,
    pairs: originColumns.map((name, index) => ({
      origin: columnOf(origin, name),
      target: columnOf(target, targetColumns[index]),
    })),
  };
}

function columnOf(table: Table, name: string | undefined): Column {
  const column = name === undefined ? undefined : table.columns.get(name);
  if (column === undefined) throw new TypeError(`Cannot find a key column of ${table.name}`);
  return column;
}

function notFound(origin: Table, embed: SelectEmbed): RestFailure {
  const hint = embed.hint === null ? "" : ` using the hint '${embed.hint}'`;
  const pair = `'${origin.name}' and '${embed.target}'`;
  return new RestFailure(
    400,
    "PGRST200",
    `Could not find a relationship between ${pair} in the schema cache`,
    {
      details:
        `Searched for a foreign key relationship between ${pair}${hint} in the schema 'public', but no matches were found.`,
      isCatalogMiss: true,
    },
  );
}

function ambiguous(
  origin: Table,
  embed: SelectEmbed,
  candidates: readonly Candidate[],
): RestFailure {
  const names = candidates.map(({ foreignKey }) => `'${embed.target}!${foreignKey.constraint}'`);
  return new RestFailure(
    300,
    "PGRST201",
    `Could not embed because more than one relationship was found for '${origin.name}' and '${embed.target}'`,
    {
      hint: `Try changing '${embed.target}' to one of the following: ${
        names.join(", ")
      }. Find the desired relationship in the 'details' key.`,
      details: candidates.map((candidate) => described(origin, candidate)),
    },
  );
}

function described(origin: Table, { foreignKey, isForward }: Candidate): Record<string, string> {
  const other = isForward ? foreignKey.target : foreignKey.table;
  const forward = foreignKey.isUnique ? "one-to-one" : "many-to-one";
  const backward = foreignKey.isUnique ? "one-to-one" : "one-to-many";
  const ends = [
    `${foreignKey.table}(${foreignKey.columns.join(", ")})`,
    `${foreignKey.target}(${foreignKey.targetColumns.join(", ")})`,
  ];
  return {
    cardinality: isForward ? forward : backward,
    embedding: `${origin.name} with ${other}`,
    relationship: `${foreignKey.constraint} using ${
      (isForward ? ends : ends.toReversed()).join(" and ")
    }`,
  };
}
