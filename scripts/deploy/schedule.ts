/** The connector's jobs of pg_cron. */
import { z } from "zod";
import { type Database, literal } from "./database.ts";

/** A job as the migrations schedule it. */
export interface Job {
  readonly name: string;
  readonly schedule: string;
  readonly command: string;
}

/**
 * The jobs. The migrations schedule them once; these definitions serve a project where somebody has
 * unscheduled one since. A job that is there keeps the schedule it has.
 */
export const JOBS: readonly Job[] = [
  { name: "connector-tick", schedule: "* * * * *", command: "select connector.tick()" },
  {
    name: "connector-retention",
    schedule: "*/5 * * * *",
    command: "select connector.apply_retention(), connector.delete_detached_listings()",
  },
];

/** The state of each job. */
export type Schedule = ReadonlyMap<string, "on" | "off" | "missing">;

const Rows = z.array(z.object({ jobname: z.string(), active: z.boolean() }));
const NAMES = JOBS.map(({ name }) => literal(name)).join(", ");

/** Reads the state of each job. */
export async function readSchedule(database: Database): Promise<Schedule> {
  const rows = Rows.parse(
    await database.query(`select jobname, active from cron.job where jobname in (${NAMES})`),
  );
  const found = new Map(rows.map(({ jobname, active }) => [jobname, active] as const));
  return new Map(
    JOBS.map(({ name }) => {
      const isActive = found.get(name);
      return [name, isActive === undefined ? "missing" : isActive ? "on" : "off"] as const;
    }),
  );
}

/** Turns on what is off and schedules what is missing; returns the names of the jobs it changed. */
export async function turnOn(database: Database, schedule: Schedule): Promise<readonly string[]> {
  const missing = JOBS.filter(({ name }) => schedule.get(name) === "missing");
  for (const { name, schedule: when, command } of missing) {
    await database.query(
      `select cron.schedule(${literal(name)}, ${literal(when)}, ${literal(command)})`,
    );
  }
  const off = namesOf(schedule, "off");
  if (off.length > 0) await setActive(database, off, true);
  return [...missing.map(({ name }) => name), ...off];
}

/** Turns off what is on; returns the names of the jobs it changed. */
export async function turnOff(database: Database, schedule: Schedule): Promise<readonly string[]> {
  const on = namesOf(schedule, "on");
  if (on.length > 0) await setActive(database, on, false);
  return on;
}

function namesOf(schedule: Schedule, state: "on" | "off"): string[] {
  return [...schedule].filter(([, found]) => found === state).map(([name]) => name);
}

async function setActive(
  database: Database,
  names: readonly string[],
  isActive: boolean,
): Promise<void> {
  await database.query(
    `select cron.alter_job(jobid, active := ${isActive}) from cron.job
     where jobname in (${names.map(literal).join(", ")})`,
  );
}
