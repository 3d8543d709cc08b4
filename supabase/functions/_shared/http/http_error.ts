import { type FailureCode, SyncError } from "../errors.ts";

/** Reasons for which a function refuses a request, besides those for which a sync fails. */
export const REQUEST_CODES = [
  "body_invalid",
  "body_too_large",
  "consent_denied",
  "consent_failed",
  "forbidden",
  "method_not_allowed",
  "not_found",
  "parameter_invalid",
  "scope_missing",
  "state_invalid",
  "unauthorized",
] as const;

/** One reason of {@linkcode REQUEST_CODES}. */
export type RequestCode = typeof REQUEST_CODES[number];

/** HTTP status of each refusal. */
const STATUS: Readonly<Record<RequestCode, number>> = {
  body_invalid: 400,
  body_too_large: 413,
  consent_denied: 403,
  consent_failed: 502,
  forbidden: 403,
  method_not_allowed: 405,
  not_found: 404,
  parameter_invalid: 400,
  scope_missing: 403,
  state_invalid: 400,
  unauthorized: 401,
};

/** HTTP status of each failure that is not our own fault. */
const FAILURE_STATUS: Readonly<Partial<Record<FailureCode, number>>> = {
  config_invalid: 400,
  grant_revoked: 400,
  rate_limited: 503,
  response_invalid: 502,
  unavailable: 503,
};

/** A request that is refused. The message goes to the caller as it is. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: RequestCode;
  readonly status: number;
  /** Headers that the answer carries besides, such as `allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RequestCode,
    message: string,
    options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = STATUS[code];
    this.headers = options.headers ?? {};
  }
}

/** What the caller of a function is told about a failure. */
export interface Refusal {
  readonly status: number;
  readonly code: RequestCode | FailureCode;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Turns whatever was thrown into an answer that holds no stack, no SQL and no secret. */
export function toRefusal(thrown: unknown): Refusal {
  if (thrown instanceof HttpError) {
    const { status, code, message, headers } = thrown;
    return { status, code, message, headers };
  }
  if (thrown instanceof SyncError && thrown.code !== "internal") {
    const { code, message } = thrown;
    const status = FAILURE_STATUS[code] ?? 500;
    return { status, code, message, headers: status === 503 ? { "retry-after": "10" } : {} };
  }
  return {
    status: 500,
    code: "internal",
    message: "The function stopped on an unexpected error. Look for this request in its logs.",
    headers: {},
  };
}
