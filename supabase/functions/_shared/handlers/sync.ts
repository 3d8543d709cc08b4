import { z } from "zod";
import { readSyncSettings } from "../config.ts";
import { jsonAnswer } from "../http/answers.ts";
import { readJsonBody } from "../http/body.ts";
import { createIdentifyCaller } from "../http/caller.ts";
import { createTimedFetch } from "../http/timed_fetch.ts";
import { createAccessTokens } from "../oauth/access_tokens.ts";
import { createTokenVault } from "../oauth/token_vault.ts";
import type { Provider } from "../providers/types.ts";
import type { EngineDeps } from "../sync/deps.ts";
import { createGovernor } from "../sync/governor.ts";
import { workLeases } from "../sync/slice.ts";
import { type Answer, createHandler, type Handler } from "./create_handler.ts";
import type { FunctionDeps } from "./function_deps.ts";
import { wakeDispatcher } from "./wake_dispatcher.ts";

/** What a sync function touches besides what every function does. */
export interface SyncFunctionDeps
  extends FunctionDeps, Pick<EngineDeps<unknown>, "sleep" | "random" | "unloading"> {}

/** Most endpoints handed over in one request. */
export const MOST_LEASES = 200;

// With the slice (60 s) and one provider call (30 s) before it, a commit that hangs still ends
// within the 150 s a worker lives on the free plan.
const DATABASE_TIMEOUT_MS = 45_000;
const WAKE_TIMEOUT_MS = 10_000;

const SyncBody = z.object({
  leases: z.array(z.object({ endpoint_id: z.guid(), lease_token: z.guid() }))
    .min(1).max(MOST_LEASES),
  more_due: z.boolean().default(true),
});

/** Takes over leased endpoints of one provider: answers 202 at once and works in the background. */
export function createSyncHandler<Config>(
  provider: Provider<Config>,
  deps: SyncFunctionDeps,
): Handler {
  return createHandler(deps, {
    methods: ["POST"],
    allowsBrowsers: false,
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
  const accessTokens = createAccessTokens({ db, vault, now: deps.now, log: deps.log });
  const governor = createGovernor({ ...deps, db });
  const dispatcherFetch = createTimedFetch({ fetch: deps.fetch, timeoutMs: WAKE_TIMEOUT_MS });
  return async function answerSync(request, { requestId, log }) {
    const startedAt = deps.now();
    await identifyCaller(request, ["secret"]);
    const { leases, more_due } = await readJsonBody(request, SyncBody);
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
    deps.background("sync", workLeases(leases, engine, { startedAt, isMoreDue: more_due }));
    return jsonAnswer({ accepted: leases.length, request_id: requestId }, 202);
  };
}
