import type { Account } from "./drive_types.ts";
import type { Query } from "./query_parser.ts";
import { type Predicate, resolveAlias, termPredicate, timeOf } from "./query_terms.ts";

/** Milliseconds since 1970, both ends included. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A search that is ready to run. */
export interface QueryPlan {
  readonly matches: Predicate;
  /** Ids of every folder named by `in parents`, each once. */
  readonly namedParents: readonly string[];
  /** Where the search can only match children of certain folders: those folders. */
  readonly boundingParents: readonly string[] | null;
  /** Where the search can only match what was created within a span: that span. */
  readonly boundingCreated: TimeSpan | null;
}

/** Prepares a search, as `account` would see it. */
export function planQuery(query: Query | null, account: Account): QueryPlan {
  if (query === null) {
    return {
      matches: () => true,
      namedParents: [],
      boundingParents: null,
      boundingCreated: null,
    };
  }
  const bounding = boundingParents(query, account);
  return {
    matches: compile(query, account),
    namedParents: [...new Set(namedParents(query, account))],
    boundingParents: bounding === null ? null : [...new Set(bounding)],
    boundingCreated: boundingCreated(query),
  };
}

function compile(query: Query, account: Account): Predicate {
  switch (query.type) {
    case "term":
      return termPredicate(query, account);
    case "not": {
      const inner = compile(query.query, account);
      return (item) => !inner(item);
    }
    case "and": {
      const [left, right] = [compile(query.left, account), compile(query.right, account)];
      return (item) => left(item) && right(item);
    }
    case "or": {
      const [left, right] = [compile(query.left, account), compile(query.right, account)];
      return (item) => left(item) || right(item);
    }
  }
}

function namedParents(query: Query, account: Account): string[] {
  switch (query.type) {
    case "term":
      if (query.term !== "parents" || typeof query.value !== "string") return [];
      return [resolveAlias(query.value, account)];
    case "not":
      return namedParents(query.query, account);
    default:
      return [...namedParents(query.left, account), ...namedParents(query.right, account)];
  }
}

function boundingParents(query: Query, account: Account): string[] | null {
  switch (query.type) {
    case "term":
      return query.term === "parents" ? namedParents(query, account) : null;
    case "not":
      return null;
    case "and":
      return boundingParents(query.left, account) ?? boundingParents(query.right, account);
    case "or": {
      const left = boundingParents(query.left, account);
      const right = boundingParents(query.right, account);
      return left === null || right === null ? null : [...left, ...right];
    }
  }
}

// Wider than what matches where a limit is itself left out: the predicate decides.
function boundingCreated(query: Query): TimeSpan | null {
  if (query.type === "and") {
    const left = boundingCreated(query.left);
    const right = boundingCreated(query.right);
    if (left === null || right === null) return left ?? right;
    return {
      fromMs: Math.max(left.fromMs, right.fromMs),
      toMs: Math.min(left.toMs, right.toMs),
    };
  }
  if (query.type !== "term" || query.term !== "createdTime") return null;
  const limitMs = typeof query.value === "string" ? timeOf(query.value) : NaN;
  switch (query.operator) {
    case "<":
    case "<=":
      return { fromMs: -Infinity, toMs: limitMs };
    case ">":
    case ">=":
      return { fromMs: limitMs, toMs: Infinity };
    case "=":
      return { fromMs: limitMs, toMs: limitMs };
    default:
      return null;
  }
}
