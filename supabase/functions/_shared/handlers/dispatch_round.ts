import type { Claim, ConnectorDb } from "../db/connector_db.ts";
import type { Log } from "../log.ts";
import { planSchedules } from "./plan_schedules.ts";
import { startDueRefreshes } from "./due_refreshes.ts";
import { type StartedBatch, type StartResult, toBatches } from "./start_sync.ts";

/** What a round of dispatching needs. */
export interface DispatchDeps {
  readonly db: ConnectorDb;
  readonly log: Log;
  readonly now: () => Date;
  readonly start: (batch: StartedBatch) => Promise<StartResult>;
  readonly maxConcurrentSyncs: number;
}

/** What a round did. */
export interface DispatchReport {
  readonly planned: number;
  readonly claimed: number;
  readonly started: number;
  readonly released: number;
  /** Grants that were handed over to be kept alive. */
  readonly refreshed: number;
}

const LARGEST_CLAIM = 100;
// A worker of the free plan takes no new work after 75 seconds; the next tick goes on.
const LONGEST_ROUND_MS = 45_000;

/**
 * Plans new schedules, then claims what is due and starts it, until nothing more may be claimed.
 * What cannot be started is given back at once, with the reason. Grants that would lapse are handed
 * over at the same time, and hinder none of it.
 */
export async function runDispatchRound(deps: DispatchDeps): Promise<DispatchReport> {
  const [claimed, refreshed] = await Promise.all([claimAndStart(deps), startDueRefreshes(deps)]);
  return { ...claimed, refreshed };
}

async function claimAndStart(deps: DispatchDeps): Promise<Omit<DispatchReport, "refreshed">> {
  const startedAtMs = deps.now().getTime();
  const planned = await planTolerantly(deps);
  let claimed = 0;
  let started = 0;
  let released = 0;
  while (
    claimed < deps.maxConcurrentSyncs &&
    deps.now().getTime() - startedAtMs < LONGEST_ROUND_MS
  ) {
    const { claims, more_due } = await deps.db.claim({
      maxConcurrent: deps.maxConcurrentSyncs,
      batch: Math.min(deps.maxConcurrentSyncs - claimed, LARGEST_CLAIM),
    });
    if (claims.length === 0) break;
    const outcome = await startAll(deps, claims, more_due);
    claimed += claims.length;
    started += outcome.started;
    released += outcome.released;
    if (!more_due) break;
  }
  return { planned, claimed, started, released };
}

async function planTolerantly({ db, log, now }: DispatchDeps): Promise<number> {
  try {
    return await planSchedules(db, now());
  } catch (cause) {
    // Endpoints that are due already need no plan; the next round plans again.
    log.error("schedules_not_planned", { cause });
    return 0;
  }
}

async function startAll(deps: DispatchDeps, claims: readonly Claim[], isMoreDue: boolean) {
  const batches = toBatches(claims).map((batch) => ({ ...batch, refreshes: [], isMoreDue }));
  const counts = await Promise.all(batches.map((batch) => startOrRelease(deps, batch)));
  return counts.reduce((sum, count) => ({
    started: sum.started + count.started,
    released: sum.released + count.released,
  }), { started: 0, released: 0 });
}

async function startOrRelease({ db, log, start }: DispatchDeps, batch: StartedBatch) {
  const { endpointType, claims } = batch;
  const result = await start(batch);
  if (result.type === "started") return { started: claims.length, released: 0 };
  const fields = { endpoint_type: endpointType, endpoints: claims.length };
  log.warn("sync_not_started", { ...fields, code: result.code, cause: result.cause });
  try {
    return { started: 0, released: await db.release(claims, result.code, result.message) };
  } catch (cause) {
    // The leases expire by themselves; the other batches must not suffer.
    log.error("release_failed", { ...fields, cause });
    return { started: 0, released: 0 };
  }
}
