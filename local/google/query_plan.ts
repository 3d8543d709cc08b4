import type { Account } from "./drive_types.ts";
import type { Query } from "./query_parser.ts";
import { type Predicate, resolveAlias, termPredicate } from "./query_terms.ts";

/** A search that is ready to run. */
export interface QueryPlan {
  readonly matches: Predicate;
  /** Ids of every folder named by `in parents`, each once. */
  readonly namedParents: readonly string[];
  /** Where the search can only match children of certain folders: those folders. */
  readonly boundingParents: readonly string[] | null;
}

/** Prepares a search, as `account` would see it. */
export function planQuery(query: Query | null, account: Account): QueryPlan {
  if (query === null) return { matches: () => true, namedParents: [], boundingParents: null };
  const bounding = boundingParents(query, account);
  return {
    matches: compile(query, account),
    namedParents: [...new Set(namedParents(query, account))],
    boundingParents: bounding === null ? null : [...new Set(bounding)],
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
