import type { TakenConsent } from "../db/connector_db.ts";
import { REMEDIES, SyncError } from "../errors.ts";
import { HttpError } from "../http/http_error.ts";
import type { OAuthProfile } from "../providers/types.ts";
import type { Secret } from "../secret.ts";
import {
  type ConsentDeps,
  type ConsentProvider,
  type ConsentUnderWay,
  endpointNotFound,
  profileOf,
} from "./consent.ts";
import { toConsentError } from "./consent_errors.ts";
import { requestToken, TOKEN_TIMEOUT_MS, type TokenAnswer } from "./token_request.ts";

const DAY_MS = 86_400_000;

/** Exchanges the code of a consent that was taken, and stores the grant. */
export async function completeConsent(
  deps: ConsentDeps,
  consent: ConsentUnderWay,
  answer: { readonly code: string | null; readonly error: string | null },
): Promise<void> {
  const { provider, profile } = profileOf(deps, consent);
  if (answer.error !== null) throw toConsentError(answer.error, provider.displayName);
  if (answer.code === null || answer.code === "") {
    throw new HttpError("consent_failed", `${provider.displayName} sent neither code nor error.`);
  }
  if (profile.clientId !== consent.clientId) throw endpointChanged();
  const tokens = await exchange(deps, { consent, provider, profile, code: answer.code });
  const refreshToken = checkTokens(tokens, profile, provider.displayName);
  if (!await storeGrant(deps, consent, profile, { ...tokens, refresh_token: refreshToken })) {
    throw endpointNotFound();
  }
}

function endpointChanged(): HttpError {
  return new HttpError(
    "consent_failed",
    "The endpoint was changed while its account was being connected: connect the account again.",
  );
}

interface Exchange {
  readonly consent: TakenConsent;
  readonly provider: ConsentProvider;
  readonly profile: OAuthProfile;
  readonly code: string;
}

async function exchange(
  { vault, redirectUri, tokenFetch, now }: ConsentDeps,
  { consent, provider, profile, code }: Exchange,
): Promise<TokenAnswer> {
  const verifier = await vault.open(consent.code_verifier, consent.endpoint_id);
  const parameters = {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier.reveal(),
  };
  // Not the browser's own signal: a code that was sent is used up, so its answer must be kept.
  const attempt = requestToken(profile, parameters, {
    fetch: tokenFetch,
    classify: (failure) => provider.classifyGrant(failure),
    request: "exchange",
    now,
    signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
  });
  return await attempt.catch((cause) => {
    throw isPassing(cause) ? tryAgain(cause, provider.displayName) : cause;
  });
}

function isPassing(cause: unknown): cause is SyncError {
  return cause instanceof SyncError && REMEDIES[cause.code] === "retry";
}

// A sync would be tried again by itself, and its messages say so; a code is good for one attempt.
function tryAgain(cause: SyncError, provider: string): SyncError {
  return new SyncError(
    cause.code,
    `${provider} accepted the consent, but gave no tokens for it: connect the account again in a ` +
      "few minutes.",
    { cause },
  );
}

/** Checks that the tokens are good for what they are needed for, and returns the refresh token. */
function checkTokens(tokens: TokenAnswer, profile: OAuthProfile, provider: string): Secret {
  // An answer without scope grants what was asked for (RFC 6749, 5.1).
  const granted = tokens.scope === null ? null : new Set(tokens.scope.split(/\s+/));
  const missing = profile.scopes.filter((scope) => granted !== null && !granted.has(scope));
  if (missing.length > 0) {
    throw new HttpError(
      "scope_missing",
      `No account was connected, as a permission was left out at ${provider} ` +
        `(${missing.join(" ")}): connect it again and allow all that is asked for.`,
    );
  }
  if (tokens.refresh_token !== null) return tokens.refresh_token;
  throw new SyncError(
    "response_invalid",
    `${provider} gave no refresh token, so the account would be lost within the hour: take this ` +
      "application's access away in the account's own settings, and connect it again.",
  );
}

async function storeGrant(
  { db, vault, now }: ConsentDeps,
  { endpoint_id, user_id }: TakenConsent,
  profile: OAuthProfile,
  tokens: TokenAnswer & { readonly refresh_token: Secret },
): Promise<boolean> {
  const halfLifeMs = profile.refreshTokenDays * DAY_MS / 2;
  return await db.storeGrant({
    endpoint_id,
    user_id,
    access_token: await vault.seal(tokens.access_token, endpoint_id),
    refresh_token: await vault.seal(tokens.refresh_token, endpoint_id),
    token_type: tokens.token_type,
    scope: tokens.scope,
    expires_at: tokens.expires_at.toISOString(),
    refresh_by: new Date(now().getTime() + halfLifeMs).toISOString(),
  });
}
