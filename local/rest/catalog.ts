import type postgres from "postgres";
import { z } from "zod";
import { inTransaction } from "../transaction.ts";
import {
  RELATIONSHIPS_QUERY,
  ROLES_QUERY,
  ROUTINES_QUERY,
  TABLES_QUERY,
} from "./catalog_queries.ts";
import { quoteIdentifier } from "./sql_text.ts";

/** A column that exists, with its name ready for SQL. */
export interface Column {
  readonly name: string;
  readonly sql: string;
  readonly type: string;
  readonly isJson: boolean;
  /** The expression of its default value. */
  readonly fallback: string | null;
}

/** Columns by name, in their order. */
export type Columns = ReadonlyMap<string, Column>;

/** A table or view of the exposed schema. */
export interface Table {
  readonly name: string;
  readonly sql: string;
  readonly isView: boolean;
  readonly columns: Columns;
  readonly primaryKey: readonly string[];
}

/** A foreign key between two exposed tables. */
export interface ForeignKey {
  readonly constraint: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly target: string;
  readonly targetColumns: readonly string[];
  /** At most one row of `table` points at one row of `target`. */
  readonly isUnique: boolean;
}

/** An input of a function. */
export interface RoutineParameter {
  readonly name: string;
  readonly sql: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
}

/** A function of the exposed schema. */
export interface Routine {
  readonly name: string;
  readonly sql: string;
  readonly parameters: readonly RoutineParameter[];
  readonly returns: "void" | "scalar" | "composite" | "record";
  readonly isSet: boolean;
  readonly columns: Columns;
  readonly isVolatile: boolean;
  /** Settings that must hold before the statement starts, e.g. `statement_timeout`. */
  readonly settings: readonly Setting[];
}

/** A configuration parameter and its value. */
export type Setting = readonly [name: string, value: string];

/** What the exposed schema holds: the only source of names for SQL. */
export interface Catalog {
  readonly tables: ReadonlyMap<string, Table>;
  readonly foreignKeys: readonly ForeignKey[];
  readonly routines: ReadonlyMap<string, readonly Routine[]>;
  /** Roles a request may take on, with the settings a login of theirs would have. */
  readonly roles: ReadonlyMap<string, readonly Setting[]>;
}

const columnRow = z.object({
  name: z.string(),
  type: z.string(),
  is_json: z.boolean(),
  fallback: z.string().nullable(),
});
const settings = z.array(z.tuple([z.string(), z.string()]));
const tableRows = z.array(z.object({
  name: z.string(),
  is_view: z.boolean(),
  columns: z.array(columnRow),
  primary_key: z.array(z.string()),
}));
const foreignKeyRows = z.array(z.object({
  constraint: z.string(),
  table: z.string(),
  columns: z.array(z.string()),
  target: z.string(),
  target_columns: z.array(z.string()),
  is_unique: z.boolean(),
}));
const routineRows = z.array(z.object({
  name: z.string(),
  parameters: z.array(z.object({
    name: z.string(),
    type: z.string(),
    is_required: z.boolean(),
    is_variadic: z.boolean(),
  })),
  returns: z.enum(["void", "scalar", "composite", "record"]),
  is_set: z.boolean(),
  columns: z.array(columnRow),
  is_volatile: z.boolean(),
  settings,
}));
const roleRows = z.array(z.object({ name: z.string(), settings }));

const SCHEMA = "public";

/** Reads the catalog of the exposed schema. */
export async function loadCatalog(sql: postgres.Sql): Promise<Catalog> {
  return await inTransaction(sql, "read only", async (tx) => {
    // With an empty path every type and default is written with its schema.
    await tx.unsafe("set local search_path = ''");
    const tables = tableRows.parse(await readJson(tx, TABLES_QUERY));
    const foreignKeys = foreignKeyRows.parse(await readJson(tx, RELATIONSHIPS_QUERY));
    const routines = routineRows.parse(await readJson(tx, ROUTINES_QUERY));
    const roles = roleRows.parse(await readJson(tx, ROLES_QUERY));
    return {
      tables: new Map(tables.map((row) => [row.name, tableOf(row)])),
      foreignKeys: foreignKeys.map((row) => ({
        ...row,
        targetColumns: row.target_columns,
        isUnique: row.is_unique,
      })),
      routines: Map.groupBy(routines.map(routineOf), (routine) => routine.name),
      roles: new Map(roles.map((row) => [row.name, row.settings])),
    };
  });
}

async function readJson(tx: postgres.TransactionSql, query: string): Promise<unknown> {
  const [row] = await tx.unsafe(query);
  return JSON.parse(z.object({ result: z.string() }).parse(row).result);
}

function tableOf(row: z.infer<typeof tableRows>[number]): Table {
  return {
    name: row.name,
    sql: `${quoteIdentifier(SCHEMA)}.${quoteIdentifier(row.name)}`,
    isView: row.is_view,
    columns: columnsOf(row.columns),
    primaryKey: row.primary_key,
  };
}

function routineOf(row: z.infer<typeof routineRows>[number]): Routine {
  return {
    name: row.name,
    sql: `${quoteIdentifier(SCHEMA)}.${quoteIdentifier(row.name)}`,
    parameters: row.parameters.map((parameter) => ({
      name: parameter.name,
      sql: quoteIdentifier(parameter.name),
      type: parameter.type,
      isRequired: parameter.is_required,
      isVariadic: parameter.is_variadic,
    })),
    returns: row.returns,
    isSet: row.is_set,
    columns: columnsOf(row.columns),
    isVolatile: row.is_volatile,
    settings: row.settings,
  };
}

function columnsOf(rows: readonly z.infer<typeof columnRow>[]): Columns {
  return new Map(rows.map((row) => [row.name, {
    name: row.name,
    sql: quoteIdentifier(row.name),
    type: row.type,
    isJson: row.is_json,
    fallback: row.fallback,
  }]));
}
