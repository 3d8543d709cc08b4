import type { ConnectorDb, Lease, StoredToken } from "../db/connector_db.ts";
import { SyncError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AccessToken, Provider, ProviderSettings } from "../providers/types.ts";
import { Secret } from "../secret.ts";
import { type AuthMode, grantMissing } from "./auth_mode.ts";
import { type Grants, type GrantToken, RENEW_BEFORE_MS } from "./grants.ts";
import type { TokenVault } from "./token_vault.ts";

/** What {@linkcode createAccessTokens} needs. */
export interface AccessTokensDeps {
  readonly db: Pick<ConnectorDb, "storeToken">;
  readonly vault: TokenVault;
  /** Where the tokens of connected accounts come from. */
  readonly grants: Grants;
  /** `CONNECTOR_PUBLIC_URL`; where owners connect accounts. */
  readonly publicUrl: string;
  readonly now: () => Date;
  readonly log: Log;
}

/** Whose token is wanted, and how to obtain one. */
export interface AccessTokenRequest<Config> {
  readonly lease: Lease;
  /** Whose token: `authModeOf` says it. */
  readonly mode: AuthMode;
  /** The sealed token of the slice's context. */
  readonly stored: StoredToken | null;
  readonly provider: Pick<Provider<Config>, "issueToken" | "oauthProfile" | "classifyGrant">;
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
  /** Of a grant's token; `null` for one of the application's own. */
  readonly generation: number | null;
}

/** Obtains a token other than that of the refused generation. */
type Issue = (refusedGeneration: number | null) => Promise<HeldToken>;

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

  return {
    accessTokenFor: (request) =>
      createSource(
        deps,
        request,
        request.mode === "user"
          ? (refusedGeneration) => useGrant(deps, request, refusedGeneration)
          : () => issueOnce(request),
      ),
  };
}

function createSource<Config>(
  deps: AccessTokensDeps,
  request: AccessTokenRequest<Config>,
  issue: Issue,
): AccessTokenSource {
  let held: Promise<HeldToken> | null = null;
  let refused: HeldToken | null = null;
  let latest: HeldToken | null = null;

  async function obtain(): Promise<HeldToken> {
    if (refused !== null) return await issue(refused.generation);
    const opened = await openStored(deps, request);
    return opened.type === "usable" ? opened.held : await issue(opened.unreadableGeneration);
  }

  async function settle(attempt: Promise<HeldToken>): Promise<HeldToken> {
    try {
      return latest = await attempt;
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
      if (held === attempt || held === null) held = issue(null);
      return (await settle(held)).token;
    },
    invalidate(token) {
      // Several tasks may report the same token; the replacement is there or on its way.
      if (refused !== null) return token.reveal() === refused.token.reveal();
      if (latest?.token.reveal() !== token.reveal()) return true;
      deps.log.warn("access_token_refused", { endpoint_id: request.lease.endpoint_id });
      refused = latest;
      held = null;
      return true;
    },
  };
}

type Opened =
  | { readonly type: "usable"; readonly held: HeldToken }
  /** The token of that generation, if any, cannot be read and must be replaced. */
  | { readonly type: "none"; readonly unreadableGeneration: number | null };

const NONE: Opened = { type: "none", unreadableGeneration: null };

async function openStored<Config>(
  deps: AccessTokensDeps,
  { lease, stored, mode }: AccessTokenRequest<Config>,
): Promise<Opened> {
  // Neither stands in for the other: they may see different files.
  if (stored?.grant_type !== mode) return NONE;
  const usableUntilMs = Date.parse(stored.expires_at) - RENEW_BEFORE_MS;
  if (!(deps.now().getTime() < usableUntilMs)) return NONE;
  const generation = mode === "user" ? stored.generation : null;
  try {
    const token = await deps.vault.open(stored.access_token, lease.endpoint_id);
    return { type: "usable", held: { token, usableUntilMs, generation } };
  } catch (cause) {
    // An access token can be had anew; whether the refresh token can be read will be seen then.
    deps.log.warn("stored_token_unreadable", { endpoint_id: lease.endpoint_id, cause });
    return { type: "none", unreadableGeneration: generation };
  }
}

async function useGrant<Config>(
  deps: AccessTokensDeps,
  { lease, stored, provider, config, settings, signal }: AccessTokenRequest<Config>,
  refusedGeneration: number | null,
): Promise<HeldToken> {
  const endpointId = lease.endpoint_id;
  if (stored?.grant_type !== "user") throw grantMissing(deps.publicUrl, endpointId);
  const granted = await deps.grants.accessToken({
    endpointId,
    profile: provider.oauthProfile(config, settings),
    classify: (failure) => provider.classifyGrant(failure),
    refusedGeneration,
    signal,
  });
  return toHeld(granted, deps.now());
}

function toHeld({ token, expiresAt, generation }: GrantToken, now: Date): HeldToken {
  return { token, usableUntilMs: usableUntil(expiresAt, now), generation };
}

async function issueAndStore<Config>(
  deps: AccessTokensDeps,
  request: AccessTokenRequest<Config>,
): Promise<HeldToken> {
  const { lease, provider, config, settings, fetch, signal } = request;
  const issued = await provider.issueToken({ config, settings, fetch, now: deps.now, signal });
  if (!(issued.expires_at > deps.now())) {
    throw new SyncError(
      "response_invalid",
      "The provider issued an access token that has expired.",
    );
  }
  await deps.db.storeToken(lease, await sealToken(deps.vault, lease, issued));
  return {
    token: new Secret(issued.access_token),
    usableUntilMs: usableUntil(issued.expires_at, deps.now()),
    generation: null,
  };
}

// A provider of short-lived tokens would otherwise be asked again for every page.
function usableUntil(expiresAt: Date, now: Date): number {
  const remainingMs = expiresAt.getTime() - now.getTime();
  return expiresAt.getTime() - Math.min(RENEW_BEFORE_MS, remainingMs / 2);
}

async function sealToken(vault: TokenVault, lease: Lease, issued: AccessToken) {
  return {
    access_token: await vault.seal(new Secret(issued.access_token), lease.endpoint_id),
    token_type: issued.token_type,
    scope: issued.scope,
    expires_at: issued.expires_at.toISOString(),
  };
}
