/** Facts of an error answer of the Drive API. */
export interface ApiErrorDetails {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly domain?: string | undefined;
  readonly location?: string | undefined;
  readonly locationType?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** A refusal in the form in which the Drive API gives it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly details: ApiErrorDetails;

  constructor(details: ApiErrorDetails) {
    super(details.message);
    this.details = details;
  }

  /** The answer that tells a client of it. */
  toResponse(): Response {
    const { status, reason, message, domain, location, locationType, retryAfterSeconds } =
      this.details;
    const error: Record<string, string> = { message, domain: domain ?? "global", reason };
    if (location !== undefined) {
      error["location"] = location;
      error["locationType"] = locationType ?? "parameter";
    }
    const headers = new Headers({ "content-type": "application/json; charset=UTF-8" });
    if (retryAfterSeconds !== undefined) headers.set("retry-after", String(retryAfterSeconds));
    const body = { error: { code: status, message, errors: [error] } };
    return new Response(JSON.stringify(body), { status, headers });
  }
}

/** 400: a parameter's value cannot be used. */
export function invalidValue(location: string, message = "Invalid Value"): ApiError {
  return new ApiError({ status: 400, reason: "invalid", message, location });
}

/** 400: a parameter is unknown or malformed. */
export function invalidParameter(location: string, message: string): ApiError {
  return new ApiError({ status: 400, reason: "invalidParameter", message, location });
}

/** 400: a parameter is missing. */
export function requiredParameter(location: string): ApiError {
  return new ApiError({
    status: 400,
    reason: "required",
    message: `Required parameter: ${location}`,
    location,
  });
}

/** 404: gone, never there, not readable, or on a shared drive the caller did not ask for. */
export function fileNotFound(id: string): ApiError {
  const message = `File not found: ${id}.`;
  return new ApiError({ status: 404, reason: "notFound", message, location: "fileId" });
}

/** 404: the shared drive does not exist, or the caller is no member. */
export function driveNotFound(id: string): ApiError {
  const message = `Shared drive not found: ${id}`;
  return new ApiError({ status: 404, reason: "notFound", message, location: "driveId" });
}

/** 501: Google answers this; the emulator does not, and says so rather than answer wrongly. */
export function notEmulated(what: string, location: string): ApiError {
  return new ApiError({
    status: 501,
    reason: "notEmulated",
    message: `The emulator does not know ${what}`,
    location,
  });
}
