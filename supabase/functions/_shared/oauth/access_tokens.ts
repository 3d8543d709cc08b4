import type { ConnectorDb, Lease, StoredToken } from "../db/connector_db.ts";
import { SyncError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AccessToken, Provider, ProviderSettings } from "../providers/types.ts";
import { Secret } from "../secret.ts";
import type { TokenVault } from "./token_vault.ts";

/** What {@linkcode createAccessTokens} needs. */
export interface AccessTokensDeps {
  readonly db: Pick<ConnectorDb, "storeToken">;
  readonly vault: TokenVault;
  readonly now: () => Date;
  readonly log: Log;
}

/** Whose token is wanted, and how to obtain one. */
export interface AccessTokenRequest<Config> {
  readonly lease: Lease;
  /** The sealed token of the slice's context. */
  readonly stored: StoredToken | null;
  readonly provider: Pick<Provider<Config>, "issueToken">;
  readonly config: Config;
  readonly settings: ProviderSettings;
  /** Reaches the provider's token address; carries a time limit. */
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/** The access token of one endpoint during one slice. Safe to ask from several tasks at once. */
export interface AccessTokenSource {
  /** A token with time left: the stored one, or a new one, stored before it is returned. */
  get(): Promise<Secret>;
  /**
   * Reports that the provider refused `token` with 401. `true`: ask {@linkcode get} again and repeat
   * the request once. `false`: the refused token was itself a replacement, so another would not help.
   */
  invalidate(token: Secret): boolean;
}

/** Hands out access tokens; one instance per process, so that one endpoint asks only once at a time. */
export interface AccessTokens {
  accessTokenFor<Config>(request: AccessTokenRequest<Config>): AccessTokenSource;
}

interface HeldToken {
  readonly token: Secret;
  readonly usableUntilMs: number;
}

/** A token is replaced when it has no more than this left. */
export const RENEW_BEFORE_MS = 5 * 60_000;

/** Creates the process's access tokens. */
export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  const inFlight = new Map<string, Promise<HeldToken>>();

  /** Joins a request that is under way for the endpoint, or begins one. */
  function issueOnce<Config>(request: AccessTokenRequest<Config>): Promise<HeldToken> {
    const endpointId = request.lease.endpoint_id;
    const running = inFlight.get(endpointId);
    if (running !== undefined) return running;
    const issued = issueAndStore(deps, request).finally(() => inFlight.delete(endpointId));
    inFlight.set(endpointId, issued);
    return issued;
  }

  return { accessTokenFor: (request) => createSource(deps, request, () => issueOnce(request)) };
}

function createSource<Config>(
  deps: AccessTokensDeps,
  request: AccessTokenRequest<Config>,
  issue: () => Promise<HeldToken>,
): AccessTokenSource {
  let held: Promise<HeldToken> | null = null;
  let refused: Secret | null = null;

  async function obtain(): Promise<HeldToken> {
    const opened = refused === null ? await openStored(deps, request) : null;
    return opened ?? await issue();
  }

  async function settle(attempt: Promise<HeldToken>): Promise<HeldToken> {
    try {
      return await attempt;
    } catch (error) {
      // A failed attempt is not kept: the next caller tries again.
      if (held === attempt) held = null;
      throw error;
    }
  }

  return {
    async get() {
      const attempt = held ??= obtain();
      const { token, usableUntilMs } = await settle(attempt);
      if (deps.now().getTime() < usableUntilMs) return token;
      if (held === attempt || held === null) held = issue();
      return (await settle(held)).token;
    },
    invalidate(token) {
      // Several tasks may report the same token; the replacement is there or on its way.
      if (refused !== null) return token.reveal() === refused.reveal();
      deps.log.warn("access_token_refused", { endpoint_id: request.lease.endpoint_id });
      refused = token;
      held = null;
      return true;
    },
  };
}

async function openStored<Config>(
  deps: AccessTokensDeps,
  { lease, stored }: AccessTokenRequest<Config>,
): Promise<HeldToken | null> {
  if (stored === null) return null;
  const usableUntilMs = Date.parse(stored.expires_at) - RENEW_BEFORE_MS;
  if (!(deps.now().getTime() < usableUntilMs)) return null;
  try {
    return { token: await deps.vault.open(stored.access_token, lease.endpoint_id), usableUntilMs };
  } catch (cause) {
    // Only a cache: a token of the application's own is issued anew.
    deps.log.warn("stored_token_unreadable", { endpoint_id: lease.endpoint_id, cause });
    return null;
  }
}

async function issueAndStore<Config>(
  deps: AccessTokensDeps,
  request: AccessTokenRequest<Config>,
): Promise<HeldToken> {
  const { lease, provider, config, settings, fetch, signal } = request;
  const issued = await provider.issueToken({ config, settings, fetch, now: deps.now, signal });
  const remainingMs = issued.expires_at.getTime() - deps.now().getTime();
  if (!(remainingMs > 0)) {
    throw new SyncError(
      "response_invalid",
      "The provider issued an access token that has expired.",
    );
  }
  await deps.db.storeToken(lease, await sealToken(deps.vault, lease, issued));
  // A provider of short-lived tokens would otherwise be asked again for every page.
  const renewBeforeMs = Math.min(RENEW_BEFORE_MS, remainingMs / 2);
  return {
    token: new Secret(issued.access_token),
    usableUntilMs: issued.expires_at.getTime() - renewBeforeMs,
  };
}

async function sealToken(vault: TokenVault, lease: Lease, issued: AccessToken) {
  return {
    access_token: await vault.seal(new Secret(issued.access_token), lease.endpoint_id),
    token_type: issued.token_type,
    scope: issued.scope,
    expires_at: issued.expires_at.toISOString(),
  };
}
