import type { SecretLog } from "../emulator/secret_log.ts";
import { ApiError } from "./api_error.ts";
import { fits, type GrantFilter } from "./grant_filter.ts";

/** Seconds for which an access token is good; Google says one less than the hour. */
export const ACCESS_TOKEN_SECONDS = 3599;

/** Who a token speaks for, and how far. */
export interface Grant {
  readonly email: string;
  readonly scopes: readonly string[];
  /** The client a person gave it to; absent on a service account's. */
  readonly clientId?: string;
}

/** The access tokens that were handed out. */
export class AccessTokens {
  readonly #grants = new Map<string, Grant & { readonly expiresMs: number }>();
  readonly #now: () => number;
  readonly #secrets: SecretLog;

  constructor(now: () => number, secrets: SecretLog) {
    this.#now = now;
    this.#secrets = secrets;
  }

  /** Makes a token. */
  issue(grant: Grant): string {
    const bytes = crypto.getRandomValues(new Uint8Array(48));
    const token = `ya29.${btoa(String.fromCharCode(...bytes)).replaceAll(/[+/]/g, "_")}`;
    const expiresMs = this.#now() + ACCESS_TOKEN_SECONDS * 1000;
    this.#grants.set(token, { ...grant, expiresMs });
    return this.#secrets.note("access_token", token);
  }

  /** What the `Authorization` header allows; throws 401. */
  check(authorization: string | null): Grant {
    if (authorization === null) throw unauthorized("required", "Login Required");
    const [, token] = /^Bearer ([^\s]+)$/i.exec(authorization) ?? [];
    const grant = token === undefined ? null : this.find(token);
    if (grant === null) throw unauthorized("authError", "Invalid Credentials");
    return grant;
  }

  /** What a token allows; `null` where it is worthless. */
  find(token: string): Grant | null {
    const grant = this.#grants.get(token);
    return grant === undefined || grant.expiresMs <= this.#now() ? null : grant;
  }

  /** Makes the tokens that people gave to clients worthless, where they fit. */
  revoke(filter: GrantFilter): void {
    for (const [token, grant] of this.#grants) {
      if (grant.clientId !== undefined && fits({ ...grant, clientId: grant.clientId }, filter)) {
        this.#grants.delete(token);
      }
    }
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
