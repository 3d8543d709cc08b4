import type { SliceContext, SliceOutcome } from "../db/connector_db.ts";
import { REMEDIES, type SyncError } from "../errors.ts";
import type { Log } from "../log.ts";
import { nextCronTime } from "./schedule.ts";

/** How the work of one slice ended, before it is recorded. */
export type WorkEnd = Extract<
  SliceOutcome,
  { type: "continue" | "limit_reached" | "done" }
>["type"];

/** Builds the outcome of a slice that ended without a failure. */
export function endedOutcome(end: WorkEnd, rest: OutcomeRest): SliceOutcome {
  return { type: end, ...rest };
}

/** Builds the outcome of a slice that failed. */
export function failedOutcome(failure: SyncError, rest: OutcomeRest): SliceOutcome {
  const waitMs = failure.retryAfterMs;
  return {
    type: "failed",
    code: failure.code,
    message: failure.message,
    remedy: REMEDIES[failure.code],
    retry_after_seconds: waitMs === undefined ? null : Math.ceil(waitMs / 1000),
    ...rest,
  };
}

/** What every outcome carries. */
export type OutcomeRest = Pick<SliceOutcome, "provider_calls" | "next_cron_at">;

/** The next time of a cron schedule; `null` for the other kinds, and where there is none. */
export function nextCronAt(context: SliceContext, now: Date, log: Log): string | null {
  const { schedule_type, schedule_cron, timezone } = context.endpoint;
  if (schedule_type !== "cron") return null;
  try {
    return nextCronTime(schedule_cron, timezone, now)?.toISOString() ?? null;
  } catch (cause) {
    // The planner meets the same expression and reports it as the endpoint's own error.
    log.warn("schedule_unreadable", { schedule_cron, timezone, cause });
    return null;
  }
}
