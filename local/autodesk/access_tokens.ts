import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { SecretLog } from "../emulator/secret_log.ts";
import { invalidToken } from "./api_error.ts";

/** Seconds for which an access token is good. */
export const ACCESS_TOKEN_SECONDS = 3599;

/** Whom a token speaks for, and how far. */
export interface Grant {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** The user of a three-legged token; `null` on two-legged ones. */
  readonly userId: string | null;
}

interface IssuedGrant extends Grant {
  readonly expiresMs: number;
}

// Making an RSA key takes long, so all emulators of a process sign with one.
let signingKey: KeyObject | null = null;
const KEY_ID = "emulator-1";

function key(): KeyObject {
  signingKey ??= generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  return signingKey;
}

/** The access tokens that were handed out: RS256 JWTs. */
export class AccessTokens {
  readonly #grants = new Map<string, IssuedGrant>();
  readonly #now: () => number;
  readonly #secrets: SecretLog;

  constructor(now: () => number, secrets: SecretLog) {
    this.#now = now;
    this.#secrets = secrets;
  }

  /** Makes a token. */
  issue(grant: Grant): string {
    const nowMs = this.#now();
    const token = signJwt({
      scope: grant.scopes,
      client_id: grant.clientId,
      iss: "https://developer.api.autodesk.com",
      aud: "https://autodesk.com",
      jti: crypto.randomUUID(),
      ...(grant.userId === null ? {} : { userid: grant.userId }),
      exp: Math.floor(nowMs / 1000) + ACCESS_TOKEN_SECONDS,
    });
    this.#grants.set(token, { ...grant, expiresMs: nowMs + ACCESS_TOKEN_SECONDS * 1000 });
    return this.#secrets.note("access_token", token);
  }

  /** What the `Authorization` header allows; throws the gateway's 401. */
  check(authorization: string | null): Grant {
    const [, token] = /^Bearer ([^\s]+)$/i.exec(authorization ?? "") ?? [];
    const grant = token === undefined ? null : this.find(token);
    if (grant === null) throw invalidToken();
    return grant;
  }

  /** What a token allows until when; `null` where it is worthless. */
  find(token: string): IssuedGrant | null {
    const grant = this.#grants.get(token);
    if (grant === undefined) return null;
    if (grant.expiresMs > this.#now()) return grant;
    this.#grants.delete(token);
    return null;
  }

  /** Makes one token worthless. */
  revoke(token: string): void {
    this.#grants.delete(token);
  }

  /** Makes every token worthless. */
  revokeAll(): void {
    this.#grants.clear();
  }

  /** The public keys by which tokens can be checked. */
  keys(): { readonly keys: readonly unknown[] } {
    const jwk = createPublicKey(key()).export({ format: "jwk" });
    return { keys: [{ kid: KEY_ID, use: "sig", ...jwk }] };
  }
}

function signJwt(claims: Readonly<Record<string, unknown>>): string {
  const parts = [{ alg: "RS256", kid: KEY_ID, "pi.atm": "assc" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signed = parts.join(".");
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), key()).toString("base64url")}`;
}
