import { createHash } from "node:crypto";
import type { SecretLog } from "../emulator/secret_log.ts";
import { invalidGrant } from "./oauth_error.ts";

const CODE_LIFE_MS = 5 * 60 * 1000;
const REFRESH_TOKEN_LIFE_MS = 15 * 24 * 3600 * 1000;

/** What a user allowed an app. */
export interface Consent {
  readonly clientId: string;
  readonly userId: string;
  readonly scopes: readonly string[];
}

/** A consent whose code has not been exchanged. */
export interface PendingConsent extends Consent {
  readonly redirectUri: string;
  /** The S256 challenge; `null` without PKCE. */
  readonly challenge: string | null;
}

/** Authorization codes and refresh tokens: each is good for one use. */
export class Consents {
  readonly #codes = new Map<string, PendingConsent & { readonly expiresMs: number }>();
  readonly #refreshTokens = new Map<string, Consent & { readonly expiresMs: number }>();
  readonly #now: () => number;
  readonly #secrets: SecretLog;

  constructor(now: () => number, secrets: SecretLog) {
    this.#now = now;
    this.#secrets = secrets;
  }

  /** Makes a code, good for five minutes. */
  issueCode(consent: PendingConsent): string {
    const code = this.#secrets.note("code", randomText(32));
    this.#codes.set(code, { ...consent, expiresMs: this.#now() + CODE_LIFE_MS });
    return code;
  }

  /** Takes a code; throws `invalid_grant` where it is worthless, foreign or its verifier is wrong. */
  takeCode(
    code: string,
    clientId: string,
    redirectUri: string,
    verifier: string | null,
  ): Consent {
    this.#secrets.note("code_verifier", verifier ?? "");
    const consent = this.#codes.get(code);
    this.#codes.delete(code);
    const isGood = consent !== undefined && consent.expiresMs > this.#now() &&
      consent.clientId === clientId && consent.redirectUri === redirectUri;
    if (!isGood) throw invalidGrant("The authorization code is invalid or has expired.");
    if (consent.challenge === null ? verifier !== null : !matches(verifier, consent.challenge)) {
      throw invalidGrant("PKCE verification failed.");
    }
    return consent;
  }

  /** Makes a refresh token, good for fifteen days. */
  issueRefreshToken(consent: Consent): string {
    const token = this.#secrets.note("refresh_token", randomText(42));
    const { clientId, userId, scopes } = consent;
    const expiresMs = this.#now() + REFRESH_TOKEN_LIFE_MS;
    this.#refreshTokens.set(token, { clientId, userId, scopes, expiresMs });
    return token;
  }

  /** What a refresh token stands for; throws `invalid_grant` where it is worthless or foreign. */
  findRefreshToken(token: string, clientId: string): Consent {
    const consent = this.#refreshTokens.get(token);
    if (
      consent === undefined || consent.expiresMs <= this.#now() || consent.clientId !== clientId
    ) {
      throw invalidGrant("The refresh token is invalid or expired.");
    }
    return consent;
  }

  /** Makes a refresh token worthless. */
  revokeRefreshToken(token: string, clientId: string): void {
    if (this.#refreshTokens.get(token)?.clientId === clientId) this.#refreshTokens.delete(token);
  }

  /** Makes every refresh token worthless, as when people take their consent back. */
  revokeAll(): void {
    this.#refreshTokens.clear();
  }
}

function matches(verifier: string | null, challenge: string): boolean {
  return verifier !== null && /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) &&
    createHash("sha256").update(verifier).digest("base64url") === challenge;
}

function randomText(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...values)).replaceAll(/[+/]/g, "_").replaceAll("=", "");
}
