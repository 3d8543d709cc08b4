/** A refusal in one of the three forms in which Autodesk gives them. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    body: unknown,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  /** The answer that tells a client of it. */
  toResponse(): Response {
    return Response.json(this.body, { status: this.status, headers: this.headers });
  }
}

/** An error of the Data Management services: JSON:API's `errors`, with the status as a text. */
export function dataError(
  status: number,
  code: string,
  detail: string,
  options: {
    readonly title?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): ApiError {
  const { title } = options;
  const error = {
    id: crypto.randomUUID(),
    status: String(status),
    code,
    ...(title === undefined ? {} : { title }),
    detail,
  };
  return new ApiError(
    status,
    { jsonapi: { version: "1.0" }, errors: [error] },
    detail,
    options.headers,
  );
}

const MORE_INFO = "https://aps.autodesk.com/en/docs/oauth/v2/developers_guide/error_handling/";

/** An error of the gateway in front of the services: other names, and a key with a space in it. */
export function gatewayError(
  status: number,
  errorCode: string,
  developerMessage: string,
  headers: Readonly<Record<string, string>> = {},
): ApiError {
  const body = { developerMessage, userMessage: "", errorCode, "more info": MORE_INFO };
  return new ApiError(status, body, developerMessage, headers);
}

/** 401 of the gateway: no token, or one that is forged, foreign, expired or revoked. */
export function invalidToken(): ApiError {
  return gatewayError(401, "Auth-006", "The access token provided is invalid or expired.");
}

/** 401 of the gateway: the token is good, but not for this. */
export function missingScope(): ApiError {
  return gatewayError(401, "Auth-010", "Token does not have the privilege for this request.");
}

/** 429. `retryAfterSeconds` is left out where the service does not say. */
export function quotaExceeded(retryAfterSeconds: number | null): ApiError {
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== null) headers["retry-after"] = String(retryAfterSeconds);
  const developerMessage = "Quota limit exceeded.";
  return new ApiError(429, { developerMessage }, developerMessage, headers);
}

/** 400: a parameter, an id or a body cannot be used. */
export function badInput(detail: string): ApiError {
  const title = "One or more input values in the request were bad";
  return dataError(400, "BAD_INPUT", detail, { title });
}

/** 403: the app is not among the custom integrations of the account. */
export function notProvisioned(): ApiError {
  return dataError(403, "BIM360DM_ERROR", "You don't have permission to access this API");
}

/** 403: the user, or the app, may not read this. The code is not documented: do not rely on it. */
export function forbidden(what: string): ApiError {
  return dataError(403, "FORBIDDEN", `You don't have permission to access this ${what}`);
}

/** 404: never there, gone, or hidden from the caller. */
export function notFound(what: "Hub" | "Project" | "Folder" | "Item" | "Version"): ApiError {
  return dataError(404, `${what.toUpperCase()}_NOT_FOUND`, `ApiError ${what} not found`);
}

/** 501: Autodesk answers this; the emulator does not, and says so rather than answer wrongly. */
export function notEmulated(what: string): ApiError {
  return dataError(501, "NOT_EMULATED", `The emulator does not know ${what}`);
}
