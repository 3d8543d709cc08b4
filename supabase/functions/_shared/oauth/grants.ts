import type { BegunRefresh, ConnectorDb } from "../db/connector_db.ts";
import { SyncError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { GrantFailure, OAuthProfile } from "../providers/types.ts";
import type { Secret } from "../secret.ts";
import { grantMissing } from "./auth_mode.ts";
import { refreshGrant } from "./refresh.ts";
import { TOKEN_TIMEOUT_MS } from "./token_request.ts";
import type { TokenVault } from "./token_vault.ts";

/** What {@linkcode createGrants} needs. */
export interface GrantsDeps {
  readonly db: Pick<ConnectorDb, "beginRefresh" | "storeRefresh" | "failRefresh">;
  readonly vault: TokenVault;
  /** Sends each request once: `freshFetch`. */
  readonly tokenFetch: typeof fetch;
  /** `CONNECTOR_PUBLIC_URL`; where owners connect accounts. */
  readonly publicUrl: string;
  readonly now: () => Date;
  /** Waits `ms`; rejects with the signal's reason as soon as it is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly log: Log;
}

/** Whose grant is wanted, and at which provider. */
export interface GrantRequest {
  readonly endpointId: string;
  readonly profile: OAuthProfile;
  /** `Provider.classifyGrant` */
  readonly classify: (failure: GrantFailure) => SyncError;
  /** The provider refused the access token of this generation; `null`: none was refused. */
  readonly refusedGeneration: number | null;
  /** Use the refresh token in any case, lest it lapse. */
  readonly isKeepAlive?: boolean;
  /** Ends the waiting for another worker; a refresh that was begun is brought to its end. */
  readonly signal: AbortSignal;
}

/** An access token that a person's grant brought. It is stored already. */
export interface GrantToken {
  readonly token: Secret;
  readonly expiresAt: Date;
  readonly generation: number;
}

/** The access tokens of connected accounts; one instance per process. */
export interface Grants {
  /**
   * A token with time left: the stored one, or a new one. In the whole system one worker at a time uses
   * a refresh token, and the others wait for what it stores. Throws `grant_missing`, `grant_revoked`,
   * or what passes by itself.
   */
  accessToken(request: GrantRequest): Promise<GrantToken>;
}

/** A token is replaced when it has no more than this left. */
export const RENEW_BEFORE_MS = 5 * 60_000;

/** How long one worker may take from its permission to refresh to the stored answer. */
const LEASE_MS = 40_000;

// A lost worker's lease ends within this, and whoever waits for it takes over.
const LONGEST_WAIT_MS = LEASE_MS + 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * What another worker brought while this one waited is fresh, however short it lives: with the usual
 * margin, all who wait for a token of a few minutes would refresh it again, one after the other.
 */
const MARGIN_AFTER_WAIT_MS = 10_000;

interface Flight {
  readonly token: Promise<GrantToken>;
  readonly signal: AbortSignal;
}

/** Creates the process's grants. */
export function createGrants(deps: GrantsDeps): Grants {
  const inFlight = new Map<string, Flight>();

  function begin(key: string, request: GrantRequest): Promise<GrantToken> {
    const token = obtain(deps, request).finally(() => inFlight.delete(key));
    inFlight.set(key, { token, signal: request.signal });
    return token;
  }

  return {
    async accessToken(request) {
      const { endpointId, refusedGeneration, isKeepAlive = false, signal } = request;
      const key = `${endpointId} ${refusedGeneration} ${isKeepAlive}`;
      for (;;) {
        const running = inFlight.get(key);
        if (running === undefined) return await begin(key, request);
        try {
          return await running.token;
        } catch (failure) {
          // What ended may have been the other's run, not the attempt.
          if (!running.signal.aborted || signal.aborted) throw failure;
        }
      }
    },
  };
}

async function obtain(deps: GrantsDeps, request: GrantRequest): Promise<GrantToken> {
  const deadlineMs = deps.now().getTime() + LONGEST_WAIT_MS;
  let hasWaited = false;
  for (let pauseMs = FIRST_PAUSE_MS;; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const askedAtMs = deps.now().getTime();
    const begun = await deps.db.beginRefresh({
      endpoint_id: request.endpointId,
      refused_generation: request.refusedGeneration,
      margin_seconds: (hasWaited ? MARGIN_AFTER_WAIT_MS : RENEW_BEFORE_MS) / 1000,
      lease_seconds: LEASE_MS / 1000,
      is_keep_alive: (request.isKeepAlive ?? false) && !hasWaited,
    });
    const token = await answer(deps, request, begun, askedAtMs);
    if (token !== null) return token;
    hasWaited = true;
    if (deps.now().getTime() >= deadlineMs) throw stillRefreshing();
    await deps.sleep(pauseMs * (0.5 + deps.random()), request.signal);
  }
}

/** The token; `null`: another worker has it, or will have it soon. */
async function answer(
  deps: GrantsDeps,
  request: GrantRequest,
  begun: BegunRefresh,
  askedAtMs: number,
): Promise<GrantToken | null> {
  const { endpointId } = request;
  switch (begun.type) {
    case "ready":
      return {
        token: await deps.vault.open(begun.access_token, endpointId),
        expiresAt: new Date(begun.expires_at),
        generation: begun.generation,
      };
    case "refresh": {
      // Past it, another worker could be asking too before the provider has answered.
      const askBy = new Date(askedAtMs + LEASE_MS - TOKEN_TIMEOUT_MS);
      return await refreshGrant(deps, { ...request, begun, askBy });
    }
    case "wait":
      return null;
    case "missing":
      throw grantMissing(deps.publicUrl, endpointId);
    case "ended":
      throw grantEnded();
  }
}

function grantEnded(): SyncError {
  return new SyncError(
    "grant_revoked",
    "The provider no longer accepts the connection of this account. Connect the account again.",
  );
}

function stillRefreshing(): SyncError {
  return new SyncError(
    "unavailable",
    "Another worker has been refreshing the connection for too long; it will be tried again.",
  );
}
