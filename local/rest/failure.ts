/** A JSON value that stands in an error's `details`. */
export type FailureDetails = string | null | readonly Readonly<Record<string, string>>[];

/** What a failure may carry besides its status, code and message. */
export interface FailureExtras {
  readonly details?: FailureDetails;
  readonly hint?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** The name may exist by now: reload the catalog and plan once more before answering. */
  readonly isCatalogMiss?: boolean;
}

/** A request that ends with an error body, in the shape PostgREST gives it. */
export class RestFailure extends Error {
  override readonly name = "RestFailure";
  readonly status: number;
  readonly code: string;
  readonly details: FailureDetails;
  readonly hint: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly isCatalogMiss: boolean;

  constructor(status: number, code: string, message: string, extras: FailureExtras = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = extras.details ?? null;
    this.hint = extras.hint ?? null;
    this.headers = extras.headers ?? {};
    this.isCatalogMiss = extras.isCatalogMiss ?? false;
  }
}

/** What this stand-in does not do: a clear 501 in place of a guess. */
export function refusal(feature: string): RestFailure {
  return new RestFailure(501, "STANDIN501", `The REST stand-in does not support ${feature}`, {
    hint: "Run a real PostgREST (POSTGREST_BIN) for this request",
  });
}

/** A query string that does not follow PostgREST's grammar. */
export function parseFailure(message: string, details: string): RestFailure {
  return new RestFailure(400, "PGRST100", message, { details });
}

/** The HTTP answer of a failure. */
export function failureResponse(failure: RestFailure, isHead: boolean): Response {
  const { code, details, hint, message } = failure;
  const headers = new Headers({
    "content-type": "application/json; charset=utf-8",
    "proxy-status": `PostgREST; error=${code}`,
    ...failure.headers,
  });
  const body = isHead ? null : JSON.stringify({ code, details, hint, message });
  return new Response(body, { status: failure.status, headers });
}
