/** One step into a JSON value: a key or an index, and whether it answers text (`->>`). */
export interface JsonStep {
  readonly operand: string;
  readonly isIndex: boolean;
  readonly asText: boolean;
}

/** A column, or a place inside a JSON column. */
export interface Field {
  readonly name: string;
  readonly path: readonly JsonStep[];
}

/** One item of `select`. */
export type SelectItem =
  | { readonly type: "all" }
  | {
    readonly type: "field";
    readonly field: Field;
    readonly cast: string | null;
    readonly alias: string | null;
  }
  | SelectEmbed;

/** Rows of a related table inside each row. */
export interface SelectEmbed {
  readonly type: "embed";
  readonly target: string;
  readonly alias: string | null;
  readonly hint: string | null;
  readonly isInner: boolean;
  readonly items: readonly SelectItem[];
}

/** What a filter asks of a field. */
export type Operation =
  | { readonly type: "compare"; readonly sql: string; readonly value: string }
  | {
    readonly type: "quantified";
    readonly sql: string;
    readonly quantifier: "any" | "all";
    readonly value: string;
  }
  | { readonly type: "in"; readonly values: readonly string[] }
  | { readonly type: "is"; readonly word: string };

/** A condition: one filter, or several joined. */
export type Condition =
  | {
    readonly type: "filter";
    readonly field: Field;
    readonly isNegated: boolean;
    readonly operation: Operation;
  }
  | {
    readonly type: "group";
    readonly joiner: "and" | "or";
    readonly isNegated: boolean;
    readonly members: readonly Condition[];
  };

/** One term of `order`. */
export interface OrderTerm {
  readonly field: Field;
  readonly direction: "asc" | "desc" | null;
  readonly nulls: "first" | "last" | null;
}

/** Names of embedded resources from the root; empty for the root itself. */
export type EmbedPath = readonly string[];

/** Something said of one node of the tree of resources. */
export interface At<Value> {
  readonly path: EmbedPath;
  readonly value: Value;
}

/** A query string, taken apart. */
export interface Query {
  readonly select: readonly SelectItem[];
  readonly conditions: readonly At<Condition>[];
  readonly orders: readonly At<readonly OrderTerm[]>[];
  readonly limits: readonly At<number>[];
  readonly offsets: readonly At<number>[];
  readonly columns: readonly string[] | null;
  readonly onConflict: readonly string[] | null;
  /** What is none of the above: arguments of a function called with GET. */
  readonly arguments: readonly (readonly [name: string, value: string])[];
}
