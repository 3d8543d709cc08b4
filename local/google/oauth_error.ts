/** A refusal of the token or revocation endpoint. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, description: string, status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }

  /** The answer that tells a client of it. */
  toResponse(): Response {
    const body = { error: this.code, error_description: this.message };
    return Response.json(body, { status: this.status });
  }
}

/** 400: something is missing or malformed. */
export function invalidRequest(description: string): OAuthError {
  return new OAuthError("invalid_request", description);
}

/** 400: a code, refresh token or assertion is not, or no longer, good. */
export function invalidGrant(description: string): OAuthError {
  return new OAuthError("invalid_grant", description);
}
