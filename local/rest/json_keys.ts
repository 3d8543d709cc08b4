import { RestFailure } from "./failure.ts";

const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** The answer to a body that is not JSON. */
export function invalidJson(): RestFailure {
  return new RestFailure(400, "PGRST102", "Empty or invalid json");
}

/** Tells an object from a list by its first character, without parsing. */
export function jsonKind(text: string): "object" | "array" | "other" {
  const first = text[skipSpaces(text, 0)];
  if (first === "{") return "object";
  return first === "[" ? "array" : "other";
}

/**
 * Lists the top-level keys of a JSON object. It only looks for where each value ends: bodies are
 * large, and Postgres parses them anyway, so it is also Postgres that finds what is malformed inside.
 */
export function topLevelKeys(text: string): readonly string[] {
  const keys: string[] = [];
  let position = skipSpaces(text, 0);
  if (text.charCodeAt(position) !== OPEN_BRACE) throw invalidJson();
  position = skipSpaces(text, position + 1);
  while (text.charCodeAt(position) !== CLOSE_BRACE) {
    const keyEnd = endOfString(text, position);
    keys.push(readKey(text.slice(position, keyEnd)));
    position = skipSpaces(text, keyEnd);
    if (text[position] !== ":") throw invalidJson();
    position = endOfValue(text, position + 1);
    if (text.charCodeAt(position) === COMMA) position = skipSpaces(text, position + 1);
  }
  if (skipSpaces(text, position + 1) !== text.length) throw invalidJson();
  return keys;
}

/** The position of the comma or brace that ends the value. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let position = start; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) {
      position = endOfString(text, position) - 1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return position;
      depth -= 1;
    } else if (code === COMMA && depth === 0) {
      return position;
    }
  }
  throw invalidJson();
}

/** The position after the closing quote. */
function endOfString(text: string, start: number): number {
  if (text.charCodeAt(start) !== QUOTE) throw invalidJson();
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) throw invalidJson();
  } while (isEscaped(text, end));
  return end + 1;
}

function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(position - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function readKey(literal: string): string {
  try {
    const key: unknown = JSON.parse(literal);
    if (typeof key === "string") return key;
  } catch {
    // Said below, as for every other way not to be JSON.
  }
  throw invalidJson();
}

function skipSpaces(text: string, start: number): number {
  let position = start;
  while (" \t\n\r".includes(text.charAt(position)) && position < text.length) position += 1;
  return position;
}
