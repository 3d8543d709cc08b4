import { ApiError } from "./api_error.ts";

/** Seconds for which an access token is good; Google says one less than the hour. */
export const ACCESS_TOKEN_SECONDS = 3599;

/** Who a token speaks for, and how far. */
export interface Grant {
  readonly email: string;
  readonly scopes: readonly string[];
}

/** The access tokens that were handed out. */
export class AccessTokens {
  readonly #grants = new Map<string, Grant & { readonly expiresMs: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Makes a token. */
  issue(grant: Grant): string {
    const bytes = crypto.getRandomValues(new Uint8Array(48));
    const token = `ya29.${btoa(String.fromCharCode(...bytes)).replaceAll(/[+/]/g, "_")}`;
    const expiresMs = this.#now() + ACCESS_TOKEN_SECONDS * 1000;
    this.#grants.set(token, { ...grant, expiresMs });
    return token;
  }

  /** What the `Authorization` header allows; throws 401. */
  check(authorization: string | null): Grant {
    if (authorization === null) throw unauthorized("required", "Login Required");
    const [, token] = /^Bearer ([^\s]+)$/i.exec(authorization) ?? [];
    const grant = token === undefined ? undefined : this.#grants.get(token);
    if (grant === undefined || grant.expiresMs <= this.#now()) {
      throw unauthorized("authError", "Invalid Credentials");
    }
    return grant;
  }

  /** Makes every token worthless. */
  revokeAll(): void {
    this.#grants.clear();
  }
}

function unauthorized(reason: string, message: string): ApiError {
  return new ApiError({
    status: 401,
    reason,
    message,
    location: "Authorization",
    locationType: "header",
  });
}
