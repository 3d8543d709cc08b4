import type { ConnectorDb, TakenCalls } from "../db/connector_db.ts";
import type { Log } from "../log.ts";
import type { Quota } from "../providers/types.ts";

/** Keeps all workers together within a provider's limits, without asking the database each time. */
export interface Governor {
  /**
   * Waits until the call may be sent. Answers 0 when it may, or, where the wait would go beyond
   * `deadline`, at once and with the milliseconds that it would take. Rejects when the signal is
   * aborted.
   */
  admit(quota: Quota, until: { deadline: Date; signal: AbortSignal }): Promise<number>;
  /** The provider asks for patience: nobody, in no worker, calls within the next `ms`. */
  block(quota: Quota, ms: number): Promise<void>;
}

/** What {@linkcode createGovernor} needs. */
export interface GovernorDeps {
  readonly db: Pick<ConnectorDb, "takeCalls" | "blockCalls">;
  readonly now: () => Date;
  /** Waits; rejects when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

/** A worker's share of one bucket. */
interface Share {
  units: number;
  /** What was taken long ago may not be added to what others have taken since. */
  lapsesAtMs: number;
  /** The provider asked for patience until then. */
  blockedUntilMs: number;
  /** There is nothing to be taken before then. */
  emptyUntilMs: number;
  refill: Promise<void> | null;
  refilledAtMs: number;
  /** Calls taken at once: more for a worker that uses them up fast. */
  batchCalls: number;
  /** Units that those who are waiting need. */
  wanted: number;
}

/** What an invocation with a handful of unchanged endpoints uses: what it does not use is wasted. */
const FIRST_BATCH_CALLS = 10;
/** The largest batch is this part of what the provider allows in a minute: workers share it. */
const LARGEST_BATCH_SHARE = 1 / 10;
/** Doubling ends here, whatever a call costs. */
const MOST_BATCH_CALLS = 640;
/** A batch used up within this time was too small, one that lasted much longer too large. */
const SHORT_MS = 2_000;
const LONG_MS = 10_000;
/** A bucket that gave less than it was asked for is left alone for this long. */
const REST_MS = 1_000;
/** Units not used for this long lapse. */
const LAPSE_MS = 30_000;
/** Without the database each worker goes on at this part of the provider's limit. */
const UNGOVERNED_SHARE = 0.1;
/** Two blocks that end this close together are one. */
const SAME_BLOCK_MS = 250;

/** Creates the governor of one worker process, shared by all endpoints it works on. */
export function createGovernor(deps: GovernorDeps): Governor {
  const shares = new Map<string, Share>();

  function shareOf({ bucket }: Quota): Share {
    const known = shares.get(bucket);
    if (known !== undefined) return known;
    const share = newShare();
    shares.set(bucket, share);
    return share;
  }

  function refillOnce(share: Share, quota: Quota): Promise<void> {
    share.refill ??= refill(share, quota, deps).finally(() => share.refill = null);
    return share.refill;
  }

  return {
    async admit(quota, { deadline, signal }) {
      const share = shareOf(quota);
      share.wanted += quota.units;
      try {
        while (true) {
          signal.throwIfAborted();
          const nowMs = deps.now().getTime();
          if (spend(share, quota.units, nowMs)) return 0;
          const waitMs = Math.max(share.blockedUntilMs, share.emptyUntilMs) - nowMs;
          if (waitMs <= 0) await refillOnce(share, quota);
          else if (nowMs + waitMs < deadline.getTime()) await deps.sleep(waitMs, signal);
          else return waitMs;
        }
      } finally {
        share.wanted -= quota.units;
      }
    },
    async block(quota, ms) {
      const share = shareOf(quota);
      const untilMs = deps.now().getTime() + ms;
      share.units = 0;
      // Calls that were under way together are refused together: the database is told once.
      const isNews = untilMs > share.blockedUntilMs + SAME_BLOCK_MS;
      share.blockedUntilMs = Math.max(share.blockedUntilMs, untilMs);
      if (!isNews) return;
      try {
        await deps.db.blockCalls(quota.bucket, ms / 1000);
      } catch (cause) {
        // This worker waits all the same; the others are told by the provider itself.
        deps.log.warn("calls_not_blocked", { bucket: quota.bucket, seconds: ms / 1000, cause });
      }
    },
  };
}

function newShare(): Share {
  return {
    units: 0,
    lapsesAtMs: 0,
    blockedUntilMs: 0,
    emptyUntilMs: 0,
    refill: null,
    refilledAtMs: 0,
    batchCalls: FIRST_BATCH_CALLS,
    wanted: 0,
  };
}

function spend(share: Share, units: number, nowMs: number): boolean {
  if (nowMs >= share.lapsesAtMs) share.units = 0;
  if (nowMs < share.blockedUntilMs || share.units < units) return false;
  share.units -= units;
  return true;
}

/** Takes a batch from the shared bucket; where that gives too little, sets how long to wait. */
async function refill(share: Share, quota: Quota, deps: GovernorDeps): Promise<void> {
  const askedAtMs = deps.now().getTime();
  share.batchCalls = batchAfter(share.batchCalls, askedAtMs - share.refilledAtMs);
  const largest = quota.unitsPerMinute * LARGEST_BATCH_SHARE;
  const batch = Math.min(share.batchCalls * quota.units, largest);
  const needed = Math.max(share.wanted, quota.units) - share.units;
  const asked = Math.max(batch, needed);
  const { granted, wait_seconds } = await take(asked, quota, deps);
  const nowMs = deps.now().getTime();
  share.refilledAtMs = nowMs;
  // A block that came meanwhile is younger than what was granted.
  if (share.blockedUntilMs > nowMs) return;
  share.units += granted;
  if (granted < asked || wait_seconds > 0) {
    // The bucket is low: what is missing flows in while this worker waits, a good deal at a time.
    const flowMs = (quota.units - share.units) / quota.unitsPerMinute * 60_000;
    share.emptyUntilMs = nowMs + Math.max(REST_MS, flowMs, wait_seconds * 1000);
    share.batchCalls = FIRST_BATCH_CALLS;
  }
  share.lapsesAtMs = Math.max(nowMs, share.emptyUntilMs) + LAPSE_MS;
}

function batchAfter(batchCalls: number, lastedMs: number): number {
  if (lastedMs > LONG_MS) return FIRST_BATCH_CALLS;
  return lastedMs < SHORT_MS ? Math.min(batchCalls * 2, MOST_BATCH_CALLS) : batchCalls;
}

async function take(units: number, quota: Quota, deps: GovernorDeps): Promise<TakenCalls> {
  try {
    return await deps.db.takeCalls(quota, units);
  } catch (cause) {
    // The provider has limits of its own and says when they are met: a slow pace keeps clear of them.
    const perSecond = quota.unitsPerMinute / 60 * UNGOVERNED_SHARE;
    const granted = Math.max(quota.units, perSecond);
    const wait_seconds = granted / perSecond;
    deps.log.warn("calls_ungoverned", { bucket: quota.bucket, granted, wait_seconds, cause });
    return { granted, wait_seconds };
  }
}
