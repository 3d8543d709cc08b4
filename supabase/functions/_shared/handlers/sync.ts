import { z } from "zod";
import { readSyncSettings } from "../config.ts";
import { jsonAnswer } from "../http/answers.ts";
import { readJsonBody } from "../http/body.ts";
import { createIdentifyCaller } from "../http/caller.ts";
import { createTimedFetch } from "../http/timed_fetch.ts";
import { createAccessTokens } from "../oauth/access_tokens.ts";
import { createGrants } from "../oauth/grants.ts";
import { createTokenVault } from "../oauth/token_vault.ts";
import type { Provider } from "../providers/types.ts";
import type { EngineDeps } from "../sync/deps.ts";
import { createGovernor } from "../sync/governor.ts";
import { workLeases } from "../sync/slice.ts";
import { type Answer, createHandler, type Handler } from "./create_handler.ts";
import type { FunctionDeps } from "./function_deps.ts";
import { keepGrants } from "./keep_grants.ts";
import { wakeDispatcher } from "./wake_dispatcher.ts";

/** What a sync function touches besides what every function does. */
export interface SyncFunctionDeps
  extends FunctionDeps, Pick<EngineDeps<unknown>, "sleep" | "random" | "unloading"> {
  /** Reaches the providers' token addresses, with each request sent once: `freshFetch`. */
  readonly tokenFetch: typeof fetch;
}

/** Most endpoints handed over in one request. */
const MOST_LEASES = 200;

/** Most grants to be kept alive in one request. */
const MOST_REFRESHES = 100;

// With the slice (60 s) and one provider call (30 s) before it, a commit that hangs still ends
// within the 150 s a worker lives on the free plan.
const DATABASE_TIMEOUT_MS = 45_000;
const WAKE_TIMEOUT_MS = 10_000;

const SyncBody = z.object({
  leases: z.array(z.object({ endpoint_id: z.guid(), lease_token: z.guid() })).max(MOST_LEASES),
  /** Endpoints whose grants are to be kept alive. */
  refreshes: z.array(z.guid()).max(MOST_REFRESHES).default([]),
  more_due: z.boolean().default(true),
}).refine(({ leases, refreshes }) => leases.length + refreshes.length > 0);

/**
 * Takes over leased endpoints of one provider, and grants to be kept alive: answers 202 at once and
 * works in the background.
 */
export function createSyncHandler<Config>(
  provider: Provider<Config>,
  deps: SyncFunctionDeps,
): Handler {
  return createHandler(deps, {
    methods: ["POST"],
    allowsBrowsers: false,
    audience: { callers: ["secret"], isOpen: () => false },
    prepare: () => prepareSync(provider, deps),
  });
}

function prepareSync<Config>(provider: Provider<Config>, deps: SyncFunctionDeps): Answer {
  const settings = readSyncSettings(deps.env);
  const providerSettings = provider.parseSettings(deps.env);
  const identifyCaller = createIdentifyCaller(settings);
  const db = deps.connectAsService(settings, DATABASE_TIMEOUT_MS);
  const vault = createTokenVault(settings.tokenKeys);
  // One for all requests of this worker: no token is obtained, and no call allowed, twice.
  const shared = { ...deps, db, vault, publicUrl: settings.publicUrl };
  const grants = createGrants(shared);
  const accessTokens = createAccessTokens({ ...shared, grants });
  const governor = createGovernor({ ...deps, db });
  const dispatcherFetch = createTimedFetch({ fetch: deps.fetch, timeoutMs: WAKE_TIMEOUT_MS });
  return async function answerSync(request, { requestId, log }) {
    const startedAt = deps.now();
    await identifyCaller(request, ["secret"]);
    const { leases, refreshes, more_due } = await readJsonBody(request, SyncBody);
    const engine: EngineDeps<Config> = {
      ...deps,
      provider,
      settings: providerSettings,
      db,
      accessTokens,
      governor,
      log,
      maxConcurrentSyncs: settings.maxConcurrentSyncs,
      wakeDispatcher: () => wakeDispatcher({ ...settings, fetch: dispatcherFetch, log }),
    };
    if (leases.length > 0) {
      deps.background("sync", workLeases(leases, engine, { startedAt, isMoreDue: more_due }));
    }
    if (refreshes.length > 0) {
      deps.background("keep_grants", keepGrants(refreshes, { ...engine, grants }));
    }
    return jsonAnswer({ accepted: leases.length + refreshes.length, request_id: requestId }, 202);
  };
}
