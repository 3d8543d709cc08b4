import { refusal } from "./failure.ts";
import type { Condition, Operation } from "./query_types.ts";
import { Scanner } from "./scanner.ts";
import { parseField } from "./select_grammar.ts";

/** Operators of one value. https://docs.postgrest.org/en/stable/references/api/tables_views.html#operators */
const COMPARISONS: Readonly<Record<string, string>> = {
  eq: "=",
  neq: "<>",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
  like: "like",
  ilike: "ilike",
  match: "~",
  imatch: "~*",
  cs: "@>",
  cd: "<@",
  ov: "&&",
  sl: "<<",
  sr: ">>",
  nxr: "&<",
  nxl: "&>",
  adj: "-|-",
  isdistinct: "is distinct from",
};
/** Operators that take `(any)` or `(all)`. */
const QUANTIFIABLE: ReadonlySet<string> = new Set(
  ["eq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch"],
);
const IS_WORDS: Readonly<Record<string, string>> = {
  null: "null",
  not_null: "not null",
  true: "true",
  false: "false",
  unknown: "unknown",
};
const TEXT_SEARCH = /^(fts|plfts|phfts|wfts)$/;

/** Tells a filter from a function's argument by its value, just as PostgREST does. */
export function looksLikeFilter(value: string): boolean {
  const words = value.split(".");
  const first = words[0] ?? "";
  if (first === "not") return words.length > 1;
  const operator = first.replace(/\((any|all)\)$/, "");
  return first === "is" || first === "in" || Object.hasOwn(COMPARISONS, operator) ||
    TEXT_SEARCH.test(value.split("(")[0]?.split(".")[0] ?? "");
}

/** Parses `?column=operator.value`. */
export function parseFilter(fieldText: string, value: string): Condition {
  const fieldScanner = new Scanner(fieldText, "tree path");
  const field = parseField(fieldScanner);
  fieldScanner.end();
  const scanner = new Scanner(value, "filter");
  const isNegated = scanner.take("not.");
  const operation = parseOperation(scanner, false);
  scanner.end();
  return { type: "filter", field, isNegated, operation };
}

/** Parses the value of `and=(…)` or `or=(…)`. */
export function parseGroup(joiner: "and" | "or", isNegated: boolean, text: string): Condition {
  const scanner = new Scanner(text, "logic tree");
  const members = groupMembers(scanner);
  scanner.end();
  return { type: "group", joiner, isNegated, members };
}

function groupMembers(scanner: Scanner): readonly Condition[] {
  scanner.skipSpaces();
  scanner.expect("(");
  const members: Condition[] = [];
  do members.push(groupMember(scanner)); while (scanner.take(","));
  scanner.skipSpaces();
  scanner.expect(")");
  scanner.skipSpaces();
  return members;
}

function groupMember(scanner: Scanner): Condition {
  scanner.skipSpaces();
  const opening = scanner.match(/(?:not\.)?(?:and|or)(?=\s*\()/);
  if (opening !== null) {
    const joiner = opening.endsWith("and") ? "and" : "or";
    return {
      type: "group",
      joiner,
      isNegated: opening.startsWith("not."),
      members: groupMembers(scanner),
    };
  }
  const field = parseField(scanner);
  scanner.expect(".");
  const isNegated = scanner.take("not.");
  const operation = parseOperation(scanner, true);
  scanner.skipSpaces();
  return { type: "filter", field, isNegated, operation };
}

/** `isBounded`: inside a group, where a value ends at a comma or a closing parenthesis. */
function parseOperation(scanner: Scanner, isBounded: boolean): Operation {
  const operator = scanner.match(/[a-z]+/) ?? "";
  if (TEXT_SEARCH.test(operator)) throw refusal("full-text search filters");
  const quantifier = scanner.match(/\((any|all)\)/)?.slice(1, -1);
  scanner.expect(".");
  if (operator === "in") return { type: "in", values: listValues(scanner) };
  if (operator === "is") return { type: "is", word: isWord(scanner) };
  const sql = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
  if (sql === undefined) throw scanner.failure(`unknown single value operator ${operator}`);
  const raw = isBounded ? boundedValue(scanner) : scanner.rest();
  // A star stands for the percent sign, which is a nuisance in URLs.
  const value = operator === "like" || operator === "ilike" ? raw.replaceAll("*", "%") : raw;
  if (quantifier === "any" || quantifier === "all") {
    if (!QUANTIFIABLE.has(operator)) throw scanner.failure(`unknown operator ${operator}(any)`);
    return { type: "quantified", sql, quantifier, value };
  }
  return { type: "compare", sql, value };
}

function listValues(scanner: Scanner): readonly string[] {
  scanner.skipSpaces();
  scanner.expect("(");
  const values: string[] = [];
  do values.push(scanner.listValue()); while (scanner.take(","));
  scanner.expect(")");
  scanner.skipSpaces();
  return values;
}

function isWord(scanner: Scanner): string {
  const word = scanner.match(/[a-z_]+/i)?.toLowerCase() ?? "";
  const sql = Object.hasOwn(IS_WORDS, word) ? IS_WORDS[word] : undefined;
  if (sql === undefined) {
    throw scanner.failure("expecting null or trilean value (unknown, true, false)");
  }
  return sql;
}

function boundedValue(scanner: Scanner): string {
  return scanner.match(/\{[^{}]*\}(?=[,)]|$)/) ?? scanner.listValue();
}
