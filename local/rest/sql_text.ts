/** Quotes a name for SQL. Column, table and function names come from the catalog, never from a request. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll("\0", "").replaceAll('"', '""')}"`;
}

/** Quotes a constant that comes from the catalog. Values of a request are always parameters. */
export function quoteLiteral(text: string): string {
  const escaped = text.replaceAll("\0", "").replaceAll("'", "''").replaceAll("\\", "\\\\");
  return escaped.includes("\\") ? `E'${escaped}'` : `'${escaped}'`;
}

/** Writes a Postgres array literal, to be passed as one parameter of unknown type. */
export function arrayLiteral(values: readonly string[]): string {
  const quoted = values.map((value) =>
    `"${value.replaceAll("\0", "").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
  );
  return `{${quoted.join(",")}}`;
}

/** The values of one statement, in the order of their placeholders. */
export class Parameters {
  readonly values: string[] = [];

  /** Adds a value and answers its placeholder. Postgres infers the type, as it does for PostgREST. */
  add(value: string): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}
