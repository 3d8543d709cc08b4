import { createHash } from "node:crypto";
import type { SecretKind, SecretLog } from "../emulator/secret_log.ts";
import { fits, type GrantFilter } from "./grant_filter.ts";
import { invalidGrant, OAuthError } from "./oauth_error.ts";

const CODE_LIFE_MS = 10 * 60 * 1000;
/** A refresh token that nobody uses for six months stops working. */
const LONGEST_REST_MS = 183 * 24 * 3600 * 1000;
/** https://developers.google.com/identity/protocols/oauth2#expiration */
const MOST_REFRESH_TOKENS = 100;

/** What somebody allowed a client. */
export interface UserGrant {
  readonly clientId: string;
  readonly email: string;
  readonly scopes: readonly string[];
}

/** What somebody allowed on the consent page, until its code is exchanged. */
export interface Approval extends UserGrant {
  readonly redirectUri: string;
  readonly challenge: Challenge | null;
  /** The client asked for a refresh token, with or without insisting on a new one. */
  readonly offline: "no" | "first" | "always";
}

/** By what a code is bound to who asked for it. */
export interface Challenge {
  readonly value: string;
  readonly method: "plain" | "S256";
}

/** A code that was exchanged. */
export interface ExchangedCode extends UserGrant {
  readonly hasRefreshToken: boolean;
}

interface PendingCode extends Approval, ExchangedCode {
  readonly expiresMs: number;
}

interface LiveRefreshToken extends UserGrant {
  readonly expiresMs: number;
  usedMs: number;
}

/** What people gave to clients: codes for one use, and refresh tokens that stay the same. */
export class UserGrants {
  readonly #codes = new Map<string, PendingCode>();
  readonly #refreshTokens = new Map<string, LiveRefreshToken>();
  /** The scopes that an account gave a client, and whether it gave them for good. */
  readonly #consents = new Map<string, { scopes: ReadonlySet<string>; isOffline: boolean }>();
  readonly #secrets: SecretLog;
  readonly #now: () => number;

  constructor(now: () => number, secrets: SecretLog) {
    this.#now = now;
    this.#secrets = secrets;
  }

  /** The scopes that an account has given a client before. */
  givenScopes(email: string, clientId: string): ReadonlySet<string> {
    return this.#consents.get(keyOf({ email, clientId }))?.scopes ?? new Set();
  }

  /** Notes a consent and makes its code, good for ten minutes. */
  approve(approval: Approval): string {
    const before = this.#consents.get(keyOf(approval));
    const given = before?.scopes ?? new Set();
    const isNew = before?.isOffline !== true || approval.scopes.some((scope) => !given.has(scope));
    const hasRefreshToken = approval.offline === "always" || approval.offline === "first" && isNew;
    this.#consents.set(keyOf(approval), {
      scopes: new Set([...given, ...approval.scopes]),
      isOffline: before?.isOffline === true || hasRefreshToken,
    });
    const code = this.#secret("code", "4/0A", 54);
    this.#codes.set(code, {
      ...approval,
      hasRefreshToken,
      expiresMs: this.#now() + CODE_LIFE_MS,
    });
    return code;
  }

  /** Takes a code; throws where it is worthless or foreign, or its verifier is wrong. */
  takeCode(
    code: string,
    given: {
      readonly clientId: string;
      readonly redirectUri: string;
      readonly verifier: string | null;
    },
  ): ExchangedCode {
    const pending = this.#codes.get(code);
    this.#codes.delete(code);
    if (pending === undefined) {
      throw invalidGrant(code.startsWith("4/") ? "Bad Request" : "Malformed auth code.");
    }
    if (pending.expiresMs <= this.#now()) throw invalidGrant("Bad Request");
    if (pending.clientId !== given.clientId) {
      throw new OAuthError("unauthorized_client", "Unauthorized", 401);
    }
    if (pending.redirectUri !== given.redirectUri) {
      throw new OAuthError("redirect_uri_mismatch", "Bad Request");
    }
    checkVerifier(given.verifier, pending.challenge);
    return pending;
  }

  /** Makes a refresh token; the oldest of too many goes without a word. */
  issueRefreshToken({ clientId, email, scopes }: UserGrant, seconds: number | null): string {
    const others = [...this.#refreshTokens].filter(([, grant]) =>
      keyOf(grant) === keyOf({ clientId, email })
    );
    for (const [oldest] of others.slice(0, Math.max(0, others.length - MOST_REFRESH_TOKENS + 1))) {
      this.#refreshTokens.delete(oldest);
    }
    const token = this.#secret("refresh_token", "1//0", 72);
    const expiresMs = seconds === null ? Infinity : this.#now() + seconds * 1000;
    this.#refreshTokens.set(token, { clientId, email, scopes, expiresMs, usedMs: this.#now() });
    return token;
  }

  /** Uses a refresh token: what it stands for, and the seconds left where it has a term; throws. */
  useRefreshToken(
    token: string,
    clientId: string,
  ): { readonly grant: UserGrant; readonly secondsLeft: number | null } {
    const live = this.#refreshTokens.get(token);
    const nowMs = this.#now();
    const isGood = live !== undefined && live.expiresMs > nowMs &&
      live.usedMs + LONGEST_REST_MS > nowMs;
    if (!isGood) throw invalidGrant("Token has been expired or revoked.");
    if (live.clientId !== clientId) {
      throw new OAuthError("unauthorized_client", "Unauthorized", 401);
    }
    live.usedMs = nowMs;
    const secondsLeft = Number.isFinite(live.expiresMs)
      ? Math.floor((live.expiresMs - nowMs) / 1000)
      : null;
    return { grant: live, secondsLeft };
  }

  /** Whose a refresh token is; `null` where it is worthless. */
  findRefreshToken(token: string): UserGrant | null {
    return this.#refreshTokens.get(token) ?? null;
  }

  /** Takes grants back: their codes and refresh tokens are worthless, and consent is asked anew. */
  revoke(filter: GrantFilter): void {
    for (const [code, grant] of this.#codes) if (fits(grant, filter)) this.#codes.delete(code);
    for (const [key] of this.#consents) if (fits(grantOf(key), filter)) this.#consents.delete(key);
    this.expireRefreshTokens(filter);
  }

  /** Makes refresh tokens worthless and leaves the consents. */
  expireRefreshTokens(filter: GrantFilter): void {
    for (const [token, grant] of this.#refreshTokens) {
      if (fits(grant, filter)) this.#refreshTokens.delete(token);
    }
  }

  /** What is good for a refresh now, oldest first. */
  live(): readonly UserGrant[] {
    const grants = [...this.#refreshTokens.values()];
    return grants.map(({ clientId, email, scopes }) => ({ clientId, email, scopes }));
  }

  #secret(kind: SecretKind, prefix: string, bytes: number): string {
    const values = crypto.getRandomValues(new Uint8Array(bytes));
    const text = values.toBase64({ alphabet: "base64url", omitPadding: true });
    return this.#secrets.note(kind, prefix + text);
  }
}

function keyOf({ clientId, email }: { readonly clientId: string; readonly email: string }): string {
  return JSON.stringify([clientId, email]);
}

function grantOf(key: string): { readonly clientId: string; readonly email: string } {
  const [clientId, email] = JSON.parse(key);
  return { clientId: String(clientId), email: String(email) };
}

function checkVerifier(verifier: string | null, challenge: Challenge | null): void {
  if (challenge === null) {
    if (verifier === null) return;
    throw invalidGrant("code_verifier or verifier is not needed.");
  }
  if (!verifier) throw invalidGrant("Missing code verifier.");
  const shown = challenge.method === "plain"
    ? verifier
    : createHash("sha256").update(verifier).digest("base64url");
  if (/^[A-Za-z0-9._~-]{43,128}$/.test(verifier) && shown === challenge.value) return;
  throw invalidGrant("Invalid code verifier.");
}
