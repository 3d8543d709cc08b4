import { invalidValue } from "./api_error.ts";

/** Comparison operators of the search language. */
export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "in" | "has";

/** A search expression. */
export type Query =
  | { readonly type: "and" | "or"; readonly left: Query; readonly right: Query }
  | { readonly type: "not"; readonly query: Query }
  | {
    readonly type: "term";
    readonly term: string;
    readonly operator: Operator;
    readonly value: string | boolean;
  };

interface Token {
  readonly kind: "text" | "word" | "operator" | "open" | "close";
  readonly value: string;
}

const OPERATOR_WORDS = new Set(["contains", "in", "has"]);
const TOKEN = /\s*(?:'((?:[^'\\]|\\.)*)'|([A-Za-z][A-Za-z0-9_.]*)|(!=|<=|>=|=|<|>)|(\()|(\)))/sy;

/** Reads a `q` parameter; throws a 400 where Drive's grammar does not allow it. */
export function parseQuery(text: string): Query {
  const parser = new QueryParser(tokenize(text));
  return parser.parse();
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const match = TOKEN.exec(source);
    if (match === null) throw invalidValue("q");
    const [, quoted, word, operator, open] = match;
    if (quoted !== undefined) tokens.push({ kind: "text", value: unescape(quoted) });
    else if (word !== undefined) tokens.push({ kind: "word", value: word });
    else if (operator !== undefined) tokens.push({ kind: "operator", value: operator });
    else {tokens.push(
        open === undefined ? { kind: "close", value: ")" } : { kind: "open", value: "(" },
      );}
  }
  return tokens;
}

function unescape(quoted: string): string {
  return quoted.replace(/\\(.)/gs, (_whole, character: string) => {
    if (character !== "'" && character !== "\\") throw invalidValue("q");
    return character;
  });
}

function isOperator(text: string): text is Operator {
  return OPERATOR_WORDS.has(text) || /^(?:=|!=|<|<=|>|>=)$/.test(text);
}

class QueryParser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Query {
    const query = this.#expression(0);
    if (this.#next < this.#tokens.length) throw invalidValue("q");
    return query;
  }

  // Drive evaluates `and` and `or` from left to right, neither binding tighter than the other:
  // https://developers.google.com/drive/api/guides/search-files
  #expression(depth: number): Query {
    let left = this.#operand(depth);
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token?.kind !== "word" || (token.value !== "and" && token.value !== "or")) return left;
      this.#next++;
      left = { type: token.value, left, right: this.#operand(depth) };
    }
  }

  #operand(depth: number): Query {
    if (depth > 64) throw invalidValue("q");
    const token = this.#take();
    if (token.kind === "word" && token.value === "not") {
      return { type: "not", query: this.#operand(depth + 1) };
    }
    if (token.kind === "open") {
      const query = this.#expression(depth + 1);
      if (this.#take().kind !== "close") throw invalidValue("q");
      return query;
    }
    return this.#term(token);
  }

  #term(first: Token): Query {
    if (first.kind === "text") {
      // '<value>' in <collection>
      const operator = this.#take();
      const collection = this.#take();
      if (operator.value !== "in" || operator.kind !== "word" || collection.kind !== "word") {
        throw invalidValue("q");
      }
      return { type: "term", term: collection.value, operator: "in", value: first.value };
    }
    if (first.kind !== "word") throw invalidValue("q");
    return this.#comparison(first.value);
  }

  #comparison(term: string): Query {
    const operator = this.#tokens[this.#next]?.value;
    // `sharedWithMe` alone is a term of its own.
    if (operator === undefined || !isOperator(operator)) {
      if (term !== "sharedWithMe") throw invalidValue("q");
      return { type: "term", term, operator: "=", value: true };
    }
    this.#next++;
    const value = this.#take();
    if (value.kind === "text") return { type: "term", term, operator, value: value.value };
    if (value.kind !== "word" || (value.value !== "true" && value.value !== "false")) {
      throw invalidValue("q");
    }
    return { type: "term", term, operator, value: value.value === "true" };
  }

  #take(): Token {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw invalidValue("q");
    return token;
  }
}
