import { refusal } from "./failure.ts";
import { looksLikeFilter, parseFilter, parseGroup } from "./filter_grammar.ts";
import type { At, Condition, OrderTerm, Query } from "./query_types.ts";
import { rangeFailure } from "./ranges.ts";
import { Scanner } from "./scanner.ts";
import { parseNames, parseOrder, parseSelect } from "./select_grammar.ts";

/** Parameters of the whole request; `apikey` is the gateway's. */
const RESERVED: ReadonlySet<string> = new Set(["select", "columns", "on_conflict", "apikey"]);

/** Takes a query string apart. https://docs.postgrest.org/en/stable/references/api/url_grammar.html */
export function parseQuery(search: URLSearchParams): Query {
  const select = search.get("select") ?? "*";
  if (select === "") throw refusal("an empty select");
  const columns = search.get("columns");
  const onConflict = search.get("on_conflict");
  const parts: MutableParts = {
    conditions: [],
    orders: [],
    limits: [],
    offsets: [],
    arguments: [],
  };
  for (const [key, value] of search) {
    if (!RESERVED.has(key)) addPart(parts, key, value);
  }
  return {
    select: parseSelect(select),
    columns: columns === null ? null : parseNames(columns, "columns parameter"),
    onConflict: onConflict === null ? null : parseNames(onConflict, "on_conflict parameter"),
    ...parts,
  };
}

interface MutableParts {
  readonly conditions: At<Condition>[];
  readonly orders: At<readonly OrderTerm[]>[];
  readonly limits: At<number>[];
  readonly offsets: At<number>[];
  readonly arguments: (readonly [string, string])[];
}

function addPart(parts: MutableParts, key: string, value: string): void {
  const words = key.split(".");
  const lastWord = words.pop();
  const path = words.filter((word) => word !== "not").map(unquoted);
  switch (lastWord) {
    case "order":
      parts.orders.push({ path, value: parseOrder(value) });
      return;
    case "limit":
      parts.limits.push({ path, value: limitOf(value) });
      return;
    case "offset":
      parts.offsets.push({ path, value: wholeNumber(value, "offset") });
      return;
    case "and":
    case "or":
      parts.conditions.push({ path, value: parseGroup(lastWord, words.includes("not"), value) });
      return;
    default:
      if (key.includes(".") || looksLikeFilter(value)) parts.conditions.push(filterOf(key, value));
      else parts.arguments.push([key, value]);
  }
}

function filterOf(key: string, value: string): At<Condition> {
  const scanner = new Scanner(key, "tree path");
  const path: string[] = [];
  // The last name is the column, with its JSON path; those before it lead to an embedded resource.
  let start = 0;
  const dots = fieldDots(key);
  for (const dot of dots) {
    path.push(unquoted(key.slice(start, dot)));
    start = dot + 1;
  }
  if (start >= key.length) throw scanner.failure("expecting field name (* or [a..z0..9_$])");
  return { path, value: parseFilter(key.slice(start), value) };
}

/** Where the dots stand that part names: outside quotes, before any JSON path. */
function fieldDots(key: string): readonly number[] {
  const dots: number[] = [];
  let isQuoted = false;
  for (let index = 0; index < key.length; index += 1) {
    const character = key[index];
    if (character === '"') isQuoted = !isQuoted;
    if (!isQuoted && key.startsWith("->", index)) break;
    if (!isQuoted && character === ".") dots.push(index);
  }
  return dots;
}

function unquoted(word: string): string {
  return word.startsWith('"') && word.endsWith('"') ? word.slice(1, -1) : word;
}

function limitOf(text: string): number {
  if (/^-\d+$/.test(text)) {
    throw rangeFailure("Limit should be greater than or equal to zero.");
  }
  return wholeNumber(text, "limit");
}

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw refusal(`the ${name} ${JSON.stringify(text)}`);
  return Number(text);
}
