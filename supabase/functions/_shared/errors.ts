/**
 * The closed list of reasons for which a sync can fail. It is compared with the database's list
 * (`connector.failure_codes`) by a test, and explained code by code in docs/operations.md.
 */
export const FAILURE_CODES = [
  "access_denied",
  "api_disabled",
  "config_invalid",
  "credentials_invalid",
  "cursor_expired",
  "deletions_held",
  "function_unavailable",
  "grant_missing",
  "grant_revoked",
  "internal",
  "lease_lost",
  "listing_incomplete",
  "quota_exhausted",
  "rate_limited",
  "response_invalid",
  "schedule_invalid",
  "scope_not_found",
  "setting_invalid",
  "superseded",
  "unavailable",
  "worker_lost",
] as const;

/** One reason for which a sync can fail. */
export type FailureCode = typeof FAILURE_CODES[number];

/** What the engine does about a failure. */
export type Remedy =
  /** The cause passes by itself: back off and try again. */
  | "retry"
  /** A person must change the endpoint, the provider's settings or ours. */
  | "needs_attention"
  /** A person must connect the account again. */
  | "needs_reauthorization";

/** The remedy of each failure; the compiler refuses a code without one. */
export const REMEDIES: Readonly<Record<FailureCode, Remedy>> = {
  access_denied: "needs_attention",
  api_disabled: "needs_attention",
  config_invalid: "needs_attention",
  credentials_invalid: "needs_attention",
  cursor_expired: "retry",
  deletions_held: "needs_attention",
  function_unavailable: "retry",
  grant_missing: "needs_reauthorization",
  grant_revoked: "needs_reauthorization",
  internal: "retry",
  lease_lost: "retry",
  listing_incomplete: "retry",
  quota_exhausted: "retry",
  rate_limited: "retry",
  response_invalid: "retry",
  schedule_invalid: "needs_attention",
  scope_not_found: "needs_attention",
  setting_invalid: "needs_attention",
  superseded: "retry",
  unavailable: "retry",
  worker_lost: "retry",
};

/** Options of a {@linkcode SyncError}. */
export interface SyncErrorOptions extends ErrorOptions {
  /** How long the provider asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Whether the provider did answer, but nothing that can be made sense of. */
  readonly isUnreadable?: boolean;
}

/**
 * A failure of a sync, told apart by `code`. The message is shown to the endpoint's owner, so it
 * says what to do and never holds a token, a key or a provider's raw answer.
 */
export class SyncError extends Error {
  override readonly name = "SyncError";
  readonly code: FailureCode;
  readonly retryAfterMs: number | undefined;
  readonly isUnreadable: boolean;

  constructor(code: FailureCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.isUnreadable = options.isUnreadable ?? false;
  }
}

/** Turns whatever was thrown into a {@linkcode SyncError}, keeping the original as its cause. */
export function toSyncError(thrown: unknown): SyncError {
  if (thrown instanceof SyncError) return thrown;
  return new SyncError(
    "internal",
    "The sync stopped on an unexpected error; it will be tried again. " +
      "If it repeats, look for this run in the function's logs.",
    { cause: thrown },
  );
}

/** Whether a failure says that there was no proper answer, however often it was asked for. */
export function isUnanswered(error: unknown): error is SyncError {
  return error instanceof SyncError && (error.code === "unavailable" || error.isUnreadable);
}
