import { refusal, RestFailure } from "./failure.ts";
import type { Field, JsonStep, OrderTerm, SelectEmbed, SelectItem } from "./query_types.ts";
import { Scanner } from "./scanner.ts";

/** Parses `select`. https://docs.postgrest.org/en/stable/references/api/tables_views.html#vertical-filtering */
export function parseSelect(text: string): readonly SelectItem[] {
  const scanner = new Scanner(text, "select parameter");
  const items = selectItems(scanner);
  scanner.end();
  return items;
}

/** Parses `order`. */
export function parseOrder(text: string): readonly OrderTerm[] {
  const scanner = new Scanner(text, "order");
  const terms: OrderTerm[] = [];
  do terms.push(orderTerm(scanner)); while (scanner.take(","));
  scanner.end();
  return terms;
}

/** Parses a list of column names: `columns`, `on_conflict`. */
export function parseNames(text: string, subject: string): readonly string[] {
  const scanner = new Scanner(text, subject);
  const names: string[] = [];
  do {
    scanner.skipSpaces();
    names.push(scanner.fieldName());
  } while (scanner.take(","));
  scanner.end();
  return names;
}

/** Parses a column, with the JSON path after it. */
export function parseField(scanner: Scanner): Field {
  scanner.skipSpaces();
  return { name: scanner.fieldName(), path: jsonPath(scanner) };
}

function selectItems(scanner: Scanner): readonly SelectItem[] {
  const items: SelectItem[] = [];
  do {
    scanner.skipSpaces();
    items.push(selectItem(scanner));
    scanner.skipSpaces();
  } while (scanner.take(","));
  return items;
}

function selectItem(scanner: Scanner): SelectItem {
  if (scanner.startsWith("...")) throw refusal("spread resources (...) in select");
  if (scanner.take("*")) return { type: "all" };
  let name = scanner.fieldName();
  let alias: string | null = null;
  if (scanner.startsWith(":") && !scanner.startsWith("::")) {
    scanner.expect(":");
    alias = name;
    if (scanner.startsWith("...")) throw refusal("spread resources (...) in select");
    name = scanner.fieldName();
  }
  refuseAggregate(scanner, name);
  if (scanner.startsWith("!") || scanner.startsWith("(")) return embed(scanner, name, alias);
  const path = jsonPath(scanner);
  refuseAggregate(scanner, "");
  const cast = scanner.take("::") ? scanner.identifier() : null;
  refuseAggregate(scanner, "");
  return { type: "field", field: { name, path }, cast, alias };
}

function refuseAggregate(scanner: Scanner, name: string): void {
  const isAggregate = (name === "count" && scanner.startsWith("()")) || scanner.startsWith(".");
  if (!isAggregate) return;
  throw new RestFailure(400, "PGRST123", "Use of aggregate functions is not allowed");
}

function embed(scanner: Scanner, target: string, alias: string | null): SelectEmbed {
  let hint: string | null = null;
  let isInner = false;
  while (scanner.take("!")) {
    const word = scanner.fieldName();
    if (word === "inner") isInner = true;
    else if (word !== "left") hint = word;
  }
  scanner.expect("(");
  const items = scanner.startsWith(")") ? [] : selectItems(scanner);
  scanner.expect(")");
  return { type: "embed", target, alias, hint, isInner, items };
}

function jsonPath(scanner: Scanner): readonly JsonStep[] {
  const steps: JsonStep[] = [];
  while (scanner.startsWith("->")) {
    scanner.expect("->");
    const asText = scanner.take(">");
    const index = scanner.match(/-?\d+(?=->|::|\.|,|\)|$)/);
    steps.push({ operand: index ?? scanner.fieldName(), isIndex: index !== null, asText });
  }
  return steps;
}

function orderTerm(scanner: Scanner): OrderTerm {
  const field = parseField(scanner);
  if (scanner.startsWith("(")) throw refusal("ordering by a related table");
  const direction = scanner.match(/\.(asc|desc)(?=[.,]|$)/)?.slice(1);
  const nulls = scanner.match(/\.nulls(first|last)(?=,|$)/)?.slice(".nulls".length);
  return {
    field,
    direction: direction === "asc" || direction === "desc" ? direction : null,
    nulls: nulls === "first" || nulls === "last" ? nulls : null,
  };
}
