import type { BegunRefresh } from "../db/connector_db.ts";
import { SyncError, toSyncError } from "../errors.ts";
import type { GrantRequest, GrantsDeps, GrantToken } from "./grants.ts";
import { requestToken, type TokenAnswer } from "./token_request.ts";

/** A refresh that is this worker's alone to make. */
export interface RefreshOrder extends GrantRequest {
  readonly begun: Extract<BegunRefresh, { type: "refresh" }>;
  /** When the provider is to be asked at the latest. */
  readonly askBy: Date;
}

const DAY_MS = 86_400_000;
const FIRST_PAUSE_MS = 250;

/** How long a failing database is asked again to store what may be the only key there is. */
const LONGEST_STORING_MS = 60_000;

/**
 * Uses a refresh token and stores what it brings before anyone uses that. It does not end with the
 * run it is for: the provider may have acted already, and then its answer must be kept. `null`: others
 * have stored tokens meanwhile.
 */
export async function refreshGrant(
  deps: GrantsDeps,
  order: RefreshOrder,
): Promise<GrantToken | null> {
  const { endpointId, begun } = order;
  const fields = { endpoint_id: endpointId, generation: begun.generation };
  if (begun.is_outcome_unknown) deps.log.warn("refresh_outcome_unknown", fields);
  let tokens: TokenAnswer;
  try {
    tokens = await ask(deps, order);
  } catch (thrown) {
    const failure = toSyncError(thrown);
    deps.log.warn("grant_not_refreshed", { ...fields, code: failure.code, cause: thrown });
    if (await isSuperseded(deps, order, failure)) return null;
    throw failure;
  }
  if (!await store(deps, order, tokens)) return null;
  deps.log.info("grant_refreshed", fields);
  const { access_token, expires_at } = tokens;
  return { token: access_token, expiresAt: expires_at, generation: begun.generation + 1 };
}

async function ask(deps: GrantsDeps, order: RefreshOrder): Promise<TokenAnswer> {
  const { begun, endpointId, profile, classify, askBy } = order;
  // Of a value that cannot be opened the provider has heard nothing: the grant stays as it is.
  const refreshToken = await deps.vault.open(begun.refresh_token, endpointId);
  if (deps.now() > askBy) {
    throw new SyncError("unavailable", "The database was too slow; it will be tried again.");
  }
  const tokens = await requestToken(
    profile,
    { grant_type: "refresh_token", refresh_token: refreshToken.reveal() },
    { fetch: deps.tokenFetch, classify, request: "refresh", now: deps.now, signal: never() },
  );
  // One that stays good is sealed anew as well, or the key it was sealed with could never go.
  return { ...tokens, refresh_token: tokens.refresh_token ?? refreshToken };
}

/** Notes the failure; `true` when other tokens are there already, of which it says nothing. */
async function isSuperseded(
  deps: GrantsDeps,
  { endpointId, begun }: RefreshOrder,
  failure: SyncError,
): Promise<boolean> {
  try {
    const noted = await untilAnswered(deps, () =>
      deps.db.failRefresh({
        endpoint_id: endpointId,
        generation: begun.generation,
        lease_token: begun.lease_token,
        is_final: failure.code === "grant_revoked",
        code: failure.code,
        message: failure.message,
      }));
    return noted.type === "superseded";
  } catch (cause) {
    // The lease ends by itself, and the next worker asks the provider again.
    deps.log.warn("refresh_failure_unrecorded", { endpoint_id: endpointId, cause });
    return false;
  }
}

async function store(
  deps: GrantsDeps,
  { endpointId, begun, profile }: RefreshOrder,
  tokens: TokenAnswer,
): Promise<boolean> {
  const { vault, db, now, log } = deps;
  const { refresh_token } = tokens;
  const refreshByMs = now().getTime() + profile.refreshTokenDays * DAY_MS / 2;
  const sealed = {
    endpoint_id: endpointId,
    generation: begun.generation,
    access_token: await vault.seal(tokens.access_token, endpointId),
    refresh_token: refresh_token === null ? null : await vault.seal(refresh_token, endpointId),
    token_type: tokens.token_type,
    scope: tokens.scope,
    expires_at: tokens.expires_at.toISOString(),
    refresh_by: new Date(refreshByMs).toISOString(),
  };
  try {
    return await untilAnswered(deps, () => db.storeRefresh(sealed));
  } catch (cause) {
    log.error("refresh_not_stored", { endpoint_id: endpointId, cause });
    throw cause;
  }
}

/** Repeats a database call while the database does not answer, for a limited time. */
async function untilAnswered<Result>(
  { now, sleep, random }: GrantsDeps,
  call: () => Promise<Result>,
): Promise<Result> {
  const deadlineMs = now().getTime() + LONGEST_STORING_MS;
  for (let pauseMs = FIRST_PAUSE_MS;; pauseMs *= 2) {
    try {
      return await call();
    } catch (thrown) {
      const isPassing = thrown instanceof SyncError && thrown.code === "unavailable";
      if (!isPassing || now().getTime() + pauseMs >= deadlineMs) throw thrown;
    }
    await sleep(pauseMs * (0.5 + random()), never());
  }
}

function never(): AbortSignal {
  return new AbortController().signal;
}
