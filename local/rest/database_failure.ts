import postgres from "postgres";
import { refusal, RestFailure } from "./failure.ts";

/**
 * HTTP status by SQLSTATE, the longest matching prefix first. The same table as PostgREST's:
 * https://docs.postgrest.org/en/stable/references/errors.html#http-status-codes
 */
const STATUS_BY_PREFIX: readonly (readonly [prefix: string, status: number])[] = [
  ["23503", 409],
  ["23505", 409],
  ["25006", 405],
  ["21000", 500],
  ["53400", 500],
  ["57P01", 503],
  ["P0001", 400],
  ["42883", 404],
  ["42P01", 404],
  ["42P17", 500],
  ["08", 503],
  ["09", 500],
  ["0L", 403],
  ["0P", 403],
  ["25", 500],
  ["28", 403],
  ["2D", 500],
  ["38", 500],
  ["39", 500],
  ["3B", 500],
  ["40", 500],
  ["53", 503],
  ["54", 500],
  ["55", 500],
  ["57", 500],
  ["58", 500],
  ["F0", 500],
  ["HV", 500],
  ["P0", 500],
  ["XX", 500],
];

/** Answers the HTTP status of an SQLSTATE. `isAnonymous` tells 401 from 403 for missing privileges. */
export function statusOfSqlState(
  sqlState: string,
  message: string,
  isAnonymous: boolean,
): number {
  if (sqlState === "42501") return isAnonymous ? 401 : 403;
  if (sqlState === "22023" && /^role .* does not exist$/.test(message)) return 401;
  // https://docs.postgrest.org/en/stable/references/errors.html#raise-errors-with-http-status-codes
  if (sqlState.startsWith("PT")) {
    const status = Number(sqlState.slice(2));
    return status >= 200 && status <= 599 ? status : 500;
  }
  return STATUS_BY_PREFIX.find(([prefix]) => sqlState.startsWith(prefix))?.[1] ?? 400;
}

/** Turns what the driver threw into an answer; `null` for what is not the database's doing. */
export function failureOfDatabase(cause: unknown, isAnonymous: boolean): RestFailure | null {
  if (cause instanceof postgres.PostgresError) return failureOfServer(cause, isAnonymous);
  if (!(cause instanceof Error) || !("code" in cause)) return null;
  if (typeof cause.code !== "string" || !CONNECTION_CODES.has(cause.code)) return null;
  return new RestFailure(
    503,
    "PGRST000",
    "Database connection error. Retrying the connection.",
    { details: cause.code },
  );
}

const CONNECTION_CODES: ReadonlySet<string> = new Set([
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
]);

function failureOfServer(error: postgres.PostgresError, isAnonymous: boolean): RestFailure {
  // A function may dictate the whole answer through this code; nothing here needs it.
  if (error.code === "PGRST") return refusal("errors raised with SQLSTATE 'PGRST'");
  const status = statusOfSqlState(error.code, error.message, isAnonymous);
  return new RestFailure(status, error.code, error.message, {
    details: error.detail ?? null,
    hint: error.hint ?? null,
    headers: status === 401 ? { "www-authenticate": "Bearer" } : {},
  });
}
