/** The loop of pg_cron: decides each second which jobs are due and starts them. */

import process from "node:process";
import postgres from "postgres";
import { oneLine } from "../failure.ts";
import { closeAbandonedRuns, type Job, readJobs, runJob } from "./cron_jobs.ts";
import { parseSchedule } from "./cron_schedule.ts";
import { applicationName } from "./loops.ts";
import { pause } from "./supervise.ts";

const TICK_MS = 1_000;
const MINUTE_MS = 60_000;
const MAX_RUNNING_JOBS = 32;
/** After a longer gap (a machine asleep) the missed minutes are not made up. */
const MAX_MISSED_MINUTES = 180;

/** What the loop remembers of a job between ticks. */
interface JobState {
  /** Minute jobs are run once for each minute missed, jobs in seconds at most once more. */
  pendingRuns: number;
  isRunning: boolean;
  lastStartMs: number;
}

/** Runs due jobs until `signal` aborts. Throws when the database goes away. */
export async function runCronLoop(
  databaseUrl: string,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const sql = postgres(databaseUrl, {
    max: 4,
    onnotice: () => {},
    connection: { application_name: applicationName("pg_cron", process.pid) },
  });
  const states = new Map<string, JobState>();
  let lastMinute = Math.floor(Date.now() / MINUTE_MS);
  try {
    await closeAbandonedRuns(sql);
    while (!signal.aborted) {
      const minutes = minutesSince(lastMinute);
      lastMinute = minutes.at(-1) ?? lastMinute;
      const jobs = await readJobs(sql);
      forgetOthers(states, jobs);
      for (const job of jobs) markDue(stateOf(states, job), job, minutes, log);
      for (const job of jobs) startDue(states, job, () => runJob(sql, databaseUrl, job), log);
      await pause(TICK_MS - Date.now() % TICK_MS, signal);
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Returns the minutes that began after `last`, up to the one that is now. */
function minutesSince(last: number): number[] {
  const now = Math.floor(Date.now() / MINUTE_MS);
  const first = now - last > MAX_MISSED_MINUTES ? now : last + 1;
  return Array.from({ length: Math.max(0, now - first + 1) }, (_, index) => first + index);
}

function stateOf(states: Map<string, JobState>, job: Job): JobState {
  const known = states.get(job.jobid);
  if (known !== undefined) return known;
  const state = { pendingRuns: 0, isRunning: false, lastStartMs: Date.now() };
  states.set(job.jobid, state);
  return state;
}

function forgetOthers(states: Map<string, JobState>, jobs: readonly Job[]): void {
  const known = new Set(jobs.map(({ jobid }) => jobid));
  for (const [jobid, state] of states) {
    if (!known.has(jobid) && !state.isRunning) states.delete(jobid);
  }
}

function markDue(
  state: JobState,
  job: Job,
  minutes: readonly number[],
  log: (line: string) => void,
): void {
  try {
    const schedule = parseSchedule(job.schedule);
    if (schedule.type === "cron") {
      const due = minutes.filter((minute) => schedule.matches(new Date(minute * MINUTE_MS)));
      state.pendingRuns += due.length;
    } else if (Date.now() - state.lastStartMs > schedule.seconds * 1_000 - TICK_MS / 2) {
      state.pendingRuns = 1;
    }
  } catch (cause) {
    // A schedule written past the checks of cron.schedule: the other jobs go on.
    if (minutes.length > 0) log(`job ${job.jobid} has an invalid schedule: ${oneLine(cause)}`);
  }
}

function startDue(
  states: Map<string, JobState>,
  job: Job,
  run: () => Promise<void>,
  log: (line: string) => void,
): void {
  const state = stateOf(states, job);
  const running = [...states.values()].filter(({ isRunning }) => isRunning).length;
  if (state.pendingRuns === 0 || state.isRunning || running >= MAX_RUNNING_JOBS) return;
  state.pendingRuns -= 1;
  state.isRunning = true;
  state.lastStartMs = Date.now();
  run()
    .catch((cause) => log(`run of job ${job.jobid} was not recorded: ${oneLine(cause)}`))
    .finally(() => {
      state.isRunning = false;
    });
}
