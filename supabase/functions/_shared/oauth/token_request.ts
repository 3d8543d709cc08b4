/** The requests to a provider's token and revocation addresses (RFC 6749, RFC 7009). */
import { z } from "zod";
import { SyncError } from "../errors.ts";
import type { GrantFailure, OAuthProfile } from "../providers/types.ts";
import { Secret } from "../secret.ts";

/** What a provider gives for a code or a refresh token. */
export interface TokenAnswer {
  readonly access_token: Secret;
  /** `null`: the one that was used stays good. */
  readonly refresh_token: Secret | null;
  readonly token_type: string;
  /** `null`: what was asked for. */
  readonly scope: string | null;
  /** By our own clock. */
  readonly expires_at: Date;
}

/** What {@linkcode revokeToken} needs. */
export interface RevokeContext {
  /** Sends each request once: `freshFetch`. */
  readonly fetch: typeof fetch;
  /** Translates a refusal; `Provider.classifyGrant`. */
  readonly classify: (failure: GrantFailure) => SyncError;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** What kind of token is handed in; a refresh token unless told. */
  readonly tokenTypeHint?: "refresh_token" | "access_token";
}

/** What {@linkcode requestToken} needs. */
export interface TokenRequestContext extends Omit<RevokeContext, "tokenTypeHint"> {
  readonly request: "exchange" | "refresh";
}

/** Longest wait for a provider's answer, body included. */
export const TOKEN_TIMEOUT_MS = 20_000;

/**
 * How long an access token is used that came without a lifetime (RFC 6749 only recommends one). The
 * refresh token beside it may be the only key there is, so such an answer is not refused.
 */
const UNTOLD_LIFETIME_SECONDS = 600;

// Longer than any provider's; keeps a nonsensical number from becoming an invalid date.
const LONGEST_LIFETIME_SECONDS = 365 * 86_400;

const TokenBody = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullable().catch(null),
  token_type: z.string().min(1).max(40).catch("Bearer"),
  scope: z.string().min(1).nullable().catch(null),
  expires_in: z.coerce.number().positive().max(LONGEST_LIFETIME_SECONDS)
    .catch(UNTOLD_LIFETIME_SECONDS),
});

/**
 * Asks for tokens, once. Throws a `SyncError`: what `classify` makes of a refusal, `unavailable` when
 * no answer came (the provider may have acted all the same), `response_invalid` for one that holds no
 * token.
 */
export async function requestToken(
  profile: OAuthProfile,
  parameters: Readonly<Record<string, string>>,
  context: TokenRequestContext,
): Promise<TokenAnswer> {
  const { body, receivedAt } = await post(profile, profile.tokenUrl, parameters, context);
  const answer = TokenBody.safeParse(body);
  if (!answer.success) {
    // The parser's own account of what is wrong may quote a token.
    throw new SyncError(
      "response_invalid",
      "The provider's token service answered without a token; it will be tried again.",
    );
  }
  const { access_token, refresh_token, token_type, scope, expires_in } = answer.data;
  return {
    access_token: new Secret(access_token),
    refresh_token: refresh_token === null ? null : new Secret(refresh_token),
    token_type,
    scope,
    expires_at: new Date(receivedAt.getTime() + expires_in * 1000),
  };
}

/** Ends a token at the provider. Throws like {@linkcode requestToken}. */
export async function revokeToken(
  profile: OAuthProfile,
  token: Secret,
  { tokenTypeHint = "refresh_token", ...context }: RevokeContext,
): Promise<void> {
  const parameters = { token: token.reveal(), token_type_hint: tokenTypeHint };
  await post(profile, profile.revokeUrl, parameters, { ...context, request: "revoke" });
}

interface PostContext extends Omit<RevokeContext, "tokenTypeHint"> {
  readonly request: GrantFailure["request"];
}

async function post(
  profile: OAuthProfile,
  url: string,
  parameters: Readonly<Record<string, string>>,
  { fetch, classify, request, now, signal }: PostContext,
): Promise<{ readonly body: unknown; readonly receivedAt: Date }> {
  const { response, body } = await send(url, authenticated(profile, parameters), fetch, signal);
  const receivedAt = now();
  if (response.ok) return { body, receivedAt };
  const { status, headers } = response;
  throw classify({ status, headers, body, request, now: receivedAt });
}

/** The request, by which the client also shows who it is. */
function authenticated(
  { clientAuthentication, clientId, clientSecret }: OAuthProfile,
  parameters: Readonly<Record<string, string>>,
): RequestInit {
  const secret = clientSecret.reveal();
  if (clientAuthentication === "body") {
    const body = { ...parameters, client_id: clientId, client_secret: secret };
    return { headers: { accept: "application/json" }, body: new URLSearchParams(body) };
  }
  const credentials = btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`);
  return {
    headers: { accept: "application/json", authorization: `Basic ${credentials}` },
    body: new URLSearchParams(parameters),
  };
}

async function send(
  url: string,
  init: RequestInit,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<{ readonly response: Response; readonly body: unknown }> {
  try {
    const response = await fetch(url, {
      ...init,
      method: "POST",
      // Codes, tokens and the secret go to the configured address and nowhere else.
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TOKEN_TIMEOUT_MS)]),
    });
    return { response, body: parseJson(await response.text()) };
  } catch (cause) {
    signal.throwIfAborted();
    const message = "The provider's token service could not be reached; it will be tried again.";
    throw new SyncError("unavailable", message, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, or nothing at all: the status says enough.
    return null;
  }
}
