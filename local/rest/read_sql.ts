import { castType } from "./casts.ts";
import type { Operation } from "./query_types.ts";
import type {
  OutputItem,
  PlannedCondition,
  PlannedEmbed,
  PlannedField,
  PlannedOrder,
  ReadNode,
} from "./read_plan.ts";
import { capRange, type RowRange } from "./ranges.ts";
import { arrayLiteral, type Parameters, quoteIdentifier } from "./sql_text.ts";

/** Writes the query of a node and of all it embeds. */
export class ReadSqlWriter {
  private readonly parameters: Parameters;
  /** The most rows of each node; `null` where rows were changed, which are all answered. */
  private readonly maxRows: number | null;
  private aliases = 0;

  constructor(parameters: Parameters, maxRows: number | null) {
    this.parameters = parameters;
    this.maxRows = maxRows;
  }

  /** The rows of the request. */
  rows(node: ReadNode): string {
    return this.select(node, this.nextAlias("t"), []);
  }

  /** One row for each row there would be without limit and offset. */
  uncut(node: ReadNode): string {
    return this.existing(node, this.nextAlias("c"), []);
  }

  /** The condition on rows of `alias`, with the `where`; empty where nothing is asked. */
  where(conditions: readonly PlannedCondition[], alias: string): string {
    return joined(" where ", conditions.map((item) => this.condition(item, alias)), " and ");
  }

  private select(node: ReadNode, alias: string, links: readonly string[]): string {
    const embeds = node.embeds.map((embed) => this.embed(embed, alias));
    const items = [
      ...node.items.map((item) => this.item(item, alias)),
      ...embeds.flatMap(({ item }) => item === null ? [] : [item]),
    ];
    const conditions = [
      ...links,
      ...node.conditions.map((condition) => this.condition(condition, alias)),
    ];
    return `select ${items.join(", ")} from ${node.source.sql} as ${alias}` +
      embeds.map(({ join }) => join).join("") +
      joined(" where ", conditions, " and ") +
      joined(" order by ", node.order.map((term) => this.order(term, alias)), ", ") +
      this.limit(node.range);
  }

  private embed(
    embed: PlannedEmbed,
    parent: string,
  ): { readonly item: string | null; readonly join: string } {
    const alias = this.nextAlias("t");
    const joinAlias = this.nextAlias("e");
    const { node, relation, isInner } = embed;
    const isEmpty = node.items.length === 0 && node.embeds.length === 0;
    const rows = this.select(isEmpty ? anyColumns(node) : node, alias, links(embed, alias, parent));
    const kind = isInner ? "inner" : "left";
    const label = quoteIdentifier(embed.label);
    if (relation.isToOne) {
      return {
        item: isEmpty ? null : `row_to_json(${joinAlias}.*) as ${label}`,
        join: ` ${kind} join lateral (${rows}) as ${joinAlias} on true`,
      };
    }
    const list = `select json_agg(listed.*) as list from (${rows}) as listed`;
    const on = isInner ? `${joinAlias}.list is not null` : "true";
    return {
      item: isEmpty ? null : `coalesce(${joinAlias}.list, '[]') as ${label}`,
      join: ` ${kind} join lateral (${list}) as ${joinAlias} on ${on}`,
    };
  }

  private existing(node: ReadNode, alias: string, between: readonly string[]): string {
    const conditions = [
      ...between,
      ...node.conditions.map((condition) => this.condition(condition, alias)),
      ...node.embeds.filter((embed) => embed.isInner).map((embed) => {
        const inner = this.nextAlias("c");
        return `exists (${this.existing(embed.node, inner, links(embed, inner, alias))})`;
      }),
    ];
    return `select 1 from ${node.source.sql} as ${alias}` + joined(" where ", conditions, " and ");
  }

  private item(item: OutputItem, alias: string): string {
    if (item.type === "all") return `${alias}.*`;
    const value = this.field(item.field, alias);
    const cast = item.cast === null ? value : `cast(${value} as ${castType(item.cast)})`;
    return `${cast} as ${quoteIdentifier(item.label)}`;
  }

  private field({ column, path }: PlannedField, alias: string): string {
    const value = `${alias}.${column.sql}`;
    if (path.length === 0) return value;
    const steps = path.map((step) => {
      const operand = this.parameters.add(step.operand);
      return `${step.asText ? "->>" : "->"}${operand}${step.isIndex ? "::int" : ""}`;
    });
    return `${column.isJson ? value : `to_jsonb(${value})`}${steps.join("")}`;
  }

  private condition(condition: PlannedCondition, alias: string): string {
    const not = condition.isNegated ? "not " : "";
    if (condition.type === "group") {
      const members = condition.members.map((member) => this.condition(member, alias));
      return `${not}(${members.join(` ${condition.joiner} `)})`;
    }
    const field = this.field(condition.planned, alias);
    return `${not}(${field} ${this.operation(condition.operation)})`;
  }

  private operation(operation: Operation): string {
    switch (operation.type) {
      case "compare":
        return `${operation.sql} ${this.parameters.add(operation.value)}`;
      case "quantified": {
        const list = this.parameters.add(operation.value);
        return `${operation.sql} ${operation.quantifier}(${list})`;
      }
      case "in": {
        const isEmpty = operation.values.length === 1 && operation.values[0] === "";
        const list = isEmpty ? "{}" : arrayLiteral(operation.values);
        return `= any(${this.parameters.add(list)})`;
      }
      case "is":
        return `is ${operation.word}`;
    }
  }

  private order(term: PlannedOrder, alias: string): string {
    const direction = term.direction === null ? "" : ` ${term.direction}`;
    const nulls = term.nulls === null ? "" : ` nulls ${term.nulls}`;
    return `${this.field(term.field, alias)}${direction}${nulls}`;
  }

  private limit(range: RowRange): string {
    const capped = this.maxRows === null ? range : capRange(range, this.maxRows);
    const limit = capped.limit === null
      ? ""
      : ` limit ${this.parameters.add(String(capped.limit))}`;
    const offset = range.offset === 0 ? "" : ` offset ${this.parameters.add(String(range.offset))}`;
    return limit + offset;
  }

  private nextAlias(prefix: string): string {
    this.aliases += 1;
    return `${prefix}${this.aliases}`;
  }
}

/** A join without columns of its own still has to select something. */
function anyColumns(node: ReadNode): ReadNode {
  return { ...node, items: [{ type: "all" }] };
}

function links({ relation }: PlannedEmbed, alias: string, parent: string): readonly string[] {
  return relation.pairs.map(({ origin, target }) =>
    `${alias}.${target.sql} = ${parent}.${origin.sql}`
  );
}

function joined(prefix: string, parts: readonly string[], separator: string): string {
  return parts.length === 0 ? "" : prefix + parts.join(separator);
}
