import { refusal } from "./failure.ts";

/** The types a select may cast to. A closed list, since a type's name cannot be a parameter. */
const CAST_TYPES: ReadonlySet<string> = new Set([
  "bigint",
  "bool",
  "boolean",
  "bytea",
  "date",
  "double precision",
  "float4",
  "float8",
  "int",
  "int2",
  "int4",
  "int8",
  "integer",
  "interval",
  "json",
  "jsonb",
  "numeric",
  "real",
  "smallint",
  "text",
  "time",
  "timestamp",
  "timestamptz",
  "timetz",
  "uuid",
  "varchar",
]);

/** Answers the type's name for SQL, or refuses it. */
export function castType(name: string): string {
  const type = name.toLowerCase();
  if (!CAST_TYPES.has(type)) throw refusal(`casts to ${JSON.stringify(name)}`);
  return type;
}
