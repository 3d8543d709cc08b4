import type { SliceContext, SliceOutcome } from "../db/connector_db.ts";
import { SyncError, toSyncError } from "../errors.ts";
import { createTimedFetch } from "../http/timed_fetch.ts";
import { type Log, logWith } from "../log.ts";
import { authModeOf } from "../oauth/auth_mode.ts";
import type { Budget } from "./budget.ts";
import { retryUnavailable } from "./db_retry.ts";
import type { EngineDeps } from "./deps.ts";
import { createFileFilter } from "./file_types.ts";
import { type Heartbeat, startHeartbeat } from "./heartbeat.ts";
import {
  CALL_TIMEOUT_MS,
  HELD_PAGES_PER_ENDPOINT,
  OPEN_PAGES_PER_ENDPOINT,
  PARALLEL_COMMITS,
} from "./limits.ts";
import { endedOutcome, failedOutcome, nextCronAt } from "./outcome.ts";
import { workPhases } from "./phases.ts";
import { createProviderCalls, type ProviderCalls } from "./provider_calls.ts";
import {
  type EndpointRun,
  listingTerms,
  noProgress,
  perSecond,
  type Progress,
} from "./run_state.ts";
import { SliceOver } from "./slice_over.ts";
import { createSlots } from "./slots.ts";

/** How a slice of a run ended; `lost`: the lease is another worker's, and nothing was recorded. */
export type RunEnd = SliceOutcome["type"] | "lost";

/** One endpoint's slice: what the database handed over, and when. */
export interface EndpointSlice {
  readonly context: SliceContext;
  readonly leasedAt: Date;
}

/**
 * Works on one endpoint until its run is over or the budget is spent, and records the outcome.
 * Never throws: whatever goes wrong is the endpoint's outcome, or is logged where even that cannot be
 * recorded (the lease then expires and the run goes on elsewhere).
 */
export async function runEndpoint<Config>(
  { context, leasedAt }: EndpointSlice,
  budget: Budget,
  deps: EngineDeps<Config>,
): Promise<RunEnd> {
  const log = logWith(deps.log, { endpoint_id: context.endpoint_id, run_id: context.run_id });
  const startedAtMs = deps.now().getTime();
  const progress = noProgress();
  const lost = new AbortController();
  const heartbeat = startHeartbeat({
    ...deps,
    log,
    lease: context,
    leasedAt,
    onLost: () => lost.abort(leaseLost()),
  });
  log.info("slice_started", {
    slice: context.slice,
    mode: context.run.mode,
    trigger: context.run.trigger,
    open_tasks: context.listing?.open_tasks ?? null,
  });
  try {
    const base = { context, budget, log, heartbeat, progress, lost: lost.signal };
    const outcome = await work(base, deps);
    lost.signal.throwIfAborted();
    await record(outcome, context, budget, deps);
    report(outcome, progress, deps.now().getTime() - startedAtMs, log);
    return outcome.type;
  } catch (thrown) {
    // Either the lease is gone, and another worker does the rest; or the database does not answer,
    // and the lease will expire.
    log.warn(isLeaseLost(thrown) ? "lease_lost" : "outcome_unrecorded", { cause: thrown });
    return "lost";
  } finally {
    heartbeat.stop();
  }
}

interface Base {
  readonly context: SliceContext;
  readonly budget: Budget;
  readonly log: Log;
  readonly heartbeat: Heartbeat;
  readonly progress: Progress;
  readonly lost: AbortSignal;
}

/** Does the slice's work and says how it ended; throws only `lease_lost`. */
async function work<Config>(base: Base, deps: EngineDeps<Config>): Promise<SliceOutcome> {
  const { context, budget, log } = base;
  let calls: ProviderCalls | null = null;
  const rest = () => ({
    provider_calls: calls?.takeCount() ?? 0,
    next_cron_at: nextCronAt(context, deps.now(), log),
  });
  try {
    const run = prepare(base, deps);
    calls = run.calls;
    return endedOutcome(await workPhases(run), rest());
  } catch (thrown) {
    base.lost.throwIfAborted();
    if (isLeaseLost(thrown)) throw thrown;
    if (thrown instanceof SliceOver) {
      log.info("slice_over", { reason: thrown.message, cause: thrown.cause });
      return endedOutcome("continue", rest());
    }
    if (budget.unloading.aborted) return endedOutcome("continue", rest());
    const failure = toSyncError(thrown);
    log.warn("run_failed", { code: failure.code, cause: thrown });
    return failedOutcome(failure, rest());
  }
}

/** Parses what the endpoint's owner wrote and gets everything ready for reading. */
function prepare<Config>(base: Base, deps: EngineDeps<Config>): EndpointRun<Config> {
  const { provider, settings } = deps;
  const { endpoint, token, needs_grant } = base.context;
  if (endpoint.endpoint_type !== provider.key) {
    throw new SyncError(
      "internal",
      `The endpoint is of type "${endpoint.endpoint_type}" but was handed to ${provider.key}.`,
    );
  }
  const config = provider.parseConfig(endpoint.endpoint_config);
  const signal = AbortSignal.any([base.lost, base.budget.unloading]);
  const tokens = deps.accessTokens.accessTokenFor({
    lease: base.context,
    mode: authModeOf(endpoint.endpoint_config, needs_grant),
    stored: token,
    provider,
    config,
    settings,
    fetch: createTimedFetch({ fetch: deps.fetch, timeoutMs: CALL_TIMEOUT_MS, signal }),
    signal,
  });
  const calls = createProviderCalls({
    ...deps,
    apiUrl: settings.apiUrl,
    tokens,
    headers: provider.callHeaders?.(config) ?? {},
    budget: base.budget,
    quotaOf: (url) => provider.quotaOf(url, config, settings),
  });
  return {
    ...base,
    deps,
    config,
    calls,
    listing: listingTerms(base.context),
    isWanted: createFileFilter(endpoint.file_types),
    pages: createSlots(HELD_PAGES_PER_ENDPOINT),
    openPages: createSlots(OPEN_PAGES_PER_ENDPOINT),
    commits: createSlots(PARALLEL_COMMITS),
  };
}

async function record<Config>(
  outcome: SliceOutcome,
  context: SliceContext,
  budget: Budget,
  deps: EngineDeps<Config>,
): Promise<void> {
  await retryUnavailable(deps, budget.unloading, () => {
    budget.spend({ calls: 1 });
    return deps.db.finishSlice(context, outcome);
  });
}

function report(outcome: SliceOutcome, progress: Progress, tookMs: number, log: Log): void {
  log.info(outcome.type === "continue" ? "run_continues" : "run_finished", {
    outcome: outcome.type,
    code: outcome.type === "failed" ? outcome.code : null,
    ...progress,
    took_ms: tookMs,
    files_per_second: perSecond(progress.files, tookMs),
  });
}

function leaseLost(): SyncError {
  return new SyncError("lease_lost", "Another worker has taken over this endpoint.");
}

function isLeaseLost(thrown: unknown): boolean {
  return thrown instanceof SyncError && thrown.code === "lease_lost";
}
