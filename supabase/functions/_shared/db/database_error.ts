import { type FailureCode, SyncError } from "../errors.ts";

/** An error as PostgREST reports it. */
export interface RpcFailure {
  readonly message: string;
  readonly code?: string | undefined;
  readonly details?: string | null | undefined;
  readonly hint?: string | null | undefined;
}

/** Raised by the database when a lease is no longer the caller's. */
const LEASE_LOST_SQLSTATE = "FC001";

/** Raised by the database when a change log cannot be enough and everything must be listed again. */
const LISTING_NEEDED_SQLSTATE = "FC005";

/** Raised by the database when there is no such endpoint among the user's. */
const NOT_FOUND_SQLSTATE = "PT404";

/**
 * SQLSTATEs and PostgREST codes of a database that can be asked again: a statement that took too
 * long, a lost or refused connection, too few resources, a shutdown, a deadlock, a full pool.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 * https://docs.postgrest.org/en/stable/references/errors.html
 */
const TRANSIENT = /^(57014|57P0\d|55P03|08\w{3}|53\w{3}|40001|40P01|PGRST00[0-3])$/;

/** The function or its arguments are unknown to PostgREST, or the caller may not use it. */
const OUT_OF_STEP = /^(PGRST202|PGRST203|42883)$/;
const REFUSED = /^(42501|PGRST30\d)$/;

/** Translates a failed call of a database function by its code and HTTP status, never its text. */
export function toDatabaseError(name: string, status: number, failure: RpcFailure): SyncError {
  const cause = new DatabaseCallError(name, status, failure);
  const code = failure.code ?? "";
  if (code === LEASE_LOST_SQLSTATE) return wrap("lease_lost", LEASE_LOST, cause);
  if (code === LISTING_NEEDED_SQLSTATE) return wrap("cursor_expired", LISTING_NEEDED, cause);
  if (OUT_OF_STEP.test(code)) return wrap("setting_invalid", MIGRATIONS_MISSING, cause);
  if (REFUSED.test(code) || status === 401) return wrap("setting_invalid", KEY_REFUSED, cause);
  if (TRANSIENT.test(code) || isTransientStatus(status)) {
    return wrap("unavailable", UNAVAILABLE, cause);
  }
  return wrap("internal", UNEXPECTED, cause);
}

/** Whether a call failed because there is no such endpoint among the user's. */
export function isMissing(error: unknown): boolean {
  return error instanceof SyncError && error.cause instanceof DatabaseCallError &&
    error.cause.code === NOT_FOUND_SQLSTATE;
}

const LEASE_LOST = "Another worker has taken over this endpoint, so this one stopped.";
const LISTING_NEEDED =
  "A folder was out of sight for a while, so the change log does not tell all; everything is listed " +
  "again.";
const MIGRATIONS_MISSING =
  "The database lacks a function that this version needs: apply the migrations with " +
  "`supabase db push`.";
const KEY_REFUSED =
  "The database refused the key of this function: check SUPABASE_SECRET_KEYS, and that the " +
  "migrations are applied.";
const UNAVAILABLE = "The database did not answer in time; this is tried again by itself.";
const UNEXPECTED = "The database refused a step of the sync; look for this run in the logs.";

/** The call that failed, for logs: PostgREST's message and code, but no argument of the call. */
class DatabaseCallError extends Error {
  override readonly name = "DatabaseCallError";
  readonly code: string;

  constructor(functionName: string, status: number, failure: RpcFailure) {
    const code = failure.code || "no code";
    super(`Cannot call ${functionName}: HTTP ${status}, ${code}, ${failure.message}`, {
      cause: failure.details ?? undefined,
    });
    this.code = code;
  }
}

// postgrest-js answers status 0 when the request itself failed. A plain 500 with a SQLSTATE is
// the statement's own error; the gateway's 5xx carry no such code but are worth another try.
function isTransientStatus(status: number): boolean {
  return status === 0 || status === 408 || status === 429 || status > 500;
}

function wrap(code: FailureCode, message: string, cause: Error): SyncError {
  return new SyncError(code, message, { cause });
}
