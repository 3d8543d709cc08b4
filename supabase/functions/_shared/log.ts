/**
 * Logs are facts: a fixed event name plus fields, one JSON object per line, no secrets.
 * Supabase cuts a log message at 10,000 characters
 * (https://supabase.com/docs/guides/functions/logging), so a line is kept below that.
 */
import { HIDDEN, Secret } from "./secret.ts";

export { Secret };

/** How much is written; each level includes those after it. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One level of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Facts that go with an event. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where code says what happened. Event names are snake_case and never change with the data. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** What {@linkcode createLog} needs. */
export interface LogOptions {
  readonly level: LogLevel;
  /** The function's slug, repeated on every line. */
  readonly function: string;
  /** The name of the deployment, repeated on every line where there is one. */
  readonly environment?: string | null;
  readonly write: (line: string, level: LogLevel) => void;
  readonly now: () => Date;
}

const LONGEST_LINE = 10_000;
// Far above the longest text that is kept, so that no secret is cut in half before it is seen.
const LONGEST_SCAN = 20_000;
const STRING_LIMITS = [2_000, 300, 60];
const DEEPEST = 6;
const MOST_ITEMS = 50;
const SECRET_NAME =
  /(^|_|-)(token|secret|password|authorization|apikey|api_key|credentials|private_key|assertion)$/i;
const SECRET_TEXT = [
  // JWT and JWE: three or five base64url parts, the first of them a JSON object.
  /eyJ[\w-]{5,}(?:\.[\w-]*){2,4}/g,
  /\bsb_(?:secret|publishable)_[\w-]+/g,
  /\bya29\.[\w.-]+/g,
  /\bBearer\s+[\w.~+/=-]+/gi,
  /-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g,
  /\b(access_token|refresh_token|client_secret|assertion|code)=[^&\s"']+/gi,
];

/** Removes what looks like a token or a key from a text; of an endless text only the beginning stays. */
export function redact(text: string): string {
  const beginning = text.slice(0, LONGEST_SCAN);
  return SECRET_TEXT.reduce((rest, pattern) => rest.replace(pattern, HIDDEN), beginning);
}

/** Returns a log that repeats `fields` on every line. */
export function logWith(log: Log, fields: LogFields): Log {
  return {
    debug: (event, more) => log.debug(event, { ...fields, ...more }),
    info: (event, more) => log.info(event, { ...fields, ...more }),
    warn: (event, more) => log.warn(event, { ...fields, ...more }),
    error: (event, more) => log.error(event, { ...fields, ...more }),
  };
}

/** Creates a log that writes lines of at most 10,000 characters. */
export function createLog(options: LogOptions): Log {
  const environment = options.environment ?? null;
  const threshold = LOG_LEVELS.indexOf(options.level);
  const emit = (level: LogLevel) => (event: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    const head = {
      time: options.now().toISOString(),
      level,
      ...(environment === null ? {} : { environment }),
      function: options.function,
      event,
    };
    options.write(formatLine(head, fields), level);
  };
  return { debug: emit("debug"), info: emit("info"), warn: emit("warn"), error: emit("error") };
}

function formatLine(head: Readonly<Record<string, string>>, fields: LogFields): string {
  for (const stringLimit of STRING_LIMITS) {
    const line = toLine({ ...head, ...toPlainFields(fields, stringLimit), ...head });
    if (line.length <= LONGEST_LINE) return line;
  }
  return toLine({ ...head, fields_dropped: Object.keys(fields).length });
}

/**
 * JSON in which everything invisible is escaped: names and messages come from outside, and whoever
 * follows the logs in a terminal gets no control characters from them. JSON leaves those beyond ASCII.
 */
function toLine(fields: LogFields): string {
  return JSON.stringify(fields).replaceAll(
    /[\u007F-\u009F\u2028\u2029\p{Cf}]/gu,
    (character) => character.replaceAll(/[^]/g, escapeUnit),
  );
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function toPlainFields(fields: LogFields, stringLimit: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).slice(0, MOST_ITEMS).map((
      [name, value],
    ) => [name, isSecretName(name, value) ? HIDDEN : toPlain(value, stringLimit, 0)]),
  );
}

function isSecretName(name: string, value: unknown): boolean {
  return typeof value === "string" && SECRET_NAME.test(name);
}

function toPlain(value: unknown, stringLimit: number, depth: number): unknown {
  if (typeof value === "string") return shorten(redact(value), stringLimit);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Secret) return HIDDEN;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return shorten(redact(value.origin + value.pathname), stringLimit);
  if (depth >= DEEPEST) return "[deeper]";
  if (value instanceof Error) return errorToPlain(value, stringLimit, depth);
  if (Array.isArray(value)) {
    return value.slice(0, MOST_ITEMS).map((item) => toPlain(item, stringLimit, depth + 1));
  }
  return Object.fromEntries(
    Object.entries(value).slice(0, MOST_ITEMS).map((
      [name, item],
    ) => [name, isSecretName(name, item) ? HIDDEN : toPlain(item, stringLimit, depth + 1)]),
  );
}

function errorToPlain(error: Error, stringLimit: number, depth: number): unknown {
  const code = "code" in error ? error.code : undefined;
  return {
    name: error.name,
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    message: shorten(redact(error.message), stringLimit),
    // An error with a code of ours says enough; only the unexpected needs its place in the code.
    stack: code === undefined && error.stack !== undefined
      ? shorten(redact(error.stack), stringLimit)
      : undefined,
    cause: error.cause === undefined ? undefined : toPlain(error.cause, stringLimit, depth + 1),
  };
}

function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length} characters)`;
}
