import type { ConnectorDb, SchedulePlan, UnplannedSchedule } from "../db/connector_db.ts";
import { SyncError } from "../errors.ts";
import { nextCronTime } from "../sync/schedule.ts";

const SCHEDULES_PER_CALL = 100;
// A CPU limit of two seconds holds for the worker's life; what is left is planned at the next tick.
const MOST_CALLS = 5;

/** Computes the next times of new and edited cron schedules; answers how many were planned. */
export async function planSchedules(
  db: Pick<ConnectorDb, "unplannedSchedules" | "planSchedules">,
  now: Date,
): Promise<number> {
  let planned = 0;
  for (let call = 0; call < MOST_CALLS; call++) {
    const schedules = await db.unplannedSchedules(SCHEDULES_PER_CALL);
    if (schedules.length === 0) break;
    planned += await db.planSchedules(schedules.map((schedule) => planOne(schedule, now)));
    if (schedules.length < SCHEDULES_PER_CALL) break;
  }
  return planned;
}

function planOne(schedule: UnplannedSchedule, now: Date): SchedulePlan {
  const { endpoint_id, schedule_version, schedule_cron, timezone } = schedule;
  const plan = { endpoint_id, schedule_version };
  try {
    const next = nextCronTime(schedule_cron, timezone, now);
    if (next !== null) return { ...plan, next_run_at: next.toISOString(), error: null };
    const error = `The cron expression "${schedule_cron}" never comes due.`;
    return { ...plan, next_run_at: null, error };
  } catch (thrown) {
    if (!(thrown instanceof SyncError)) throw thrown;
    // One malformed schedule is that endpoint's matter: its owner reads the sentence.
    return { ...plan, next_run_at: null, error: thrown.message };
  }
}
