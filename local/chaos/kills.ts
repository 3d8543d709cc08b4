/** Killing: SIGKILL, which no process can catch. */
import { signalProcess } from "../processes.ts";
import type { Chance } from "./chance.ts";
import { type HeldLease, heldLeases, lapse, lapseUnbegun } from "./leases.ts";
import type { Stage } from "./stage.ts";

const SYNC_FUNCTIONS = {
  "sync-google-drive": "google_drive",
  "sync-autodesk-construction-cloud": "autodesk_construction_cloud",
} as const;
const DISPATCHER = "dispatcher";
/** A claim that has not been handed over by then was lost with the dispatcher that made it. */
const HANDED_OVER_WITHIN_MS = 4_000;
/** A function that was killed stays down for at least so long. */
const STARTED_AGAIN_AFTER_MS = 180;

/** How often each is killed. */
export const VICTIMS = {
  "sync-google-drive": 5,
  "sync-autodesk-construction-cloud": 5,
  "dispatcher": 4,
  /** All functions at once, as when they are deployed anew. */
  "deploy": 1,
  /** The process of pg_cron and pg_net. */
  "scheduler": 3,
  /** One session of the server: the server then ends all others and recovers. */
  "session": 2,
  /** The server itself. */
  "server": 2,
} as const;

/** What can be killed. */
export type Victim = keyof typeof VICTIMS;

/** What a kill did. */
export interface Killed {
  /** Processes that were there to be killed. */
  readonly processes: number;
  /** Leases that those processes held. */
  readonly leases: number;
  /** Of them, those of first syncs. */
  readonly firstSyncs: number;
}

/** Kills; leases of the dead are made to lapse at once, and later for claims nobody took over. */
export async function kill(
  victim: Victim,
  stage: Stage,
  chance: Chance,
  later: (work: Promise<unknown>) => void,
): Promise<Killed> {
  switch (victim) {
    case "sync-google-drive":
    case "sync-autodesk-construction-cloud": {
      const type = SYNC_FUNCTIONS[victim];
      const isItsOwn = (lease: HeldLease) => lease.is_begun && lease.endpoint_type === type;
      const held = (await heldLeases(stage.sql)).filter(isItsOwn);
      const processes = end([functionPid(stage, victim)]);
      if (processes > 0) await lapse(stage.sql, held);
      return { processes, ...count(held) };
    }
    case "dispatcher": {
      const held = (await heldLeases(stage.sql)).filter(({ is_begun }) => !is_begun);
      const processes = end([functionPid(stage, DISPATCHER)]);
      if (processes > 0) later(lapseLater(stage, held));
      return { processes, ...count(held) };
    }
    case "deploy": {
      const slugs = [...Object.keys(SYNC_FUNCTIONS), DISPATCHER];
      const held = await heldLeases(stage.sql);
      const processes = end(slugs.map((slug) => functionPid(stage, slug)));
      // A function that was down already held nothing either. A claim may still be on its way to
      // the database; nobody else makes one before the first of them is started again.
      await sleep(STARTED_AGAIN_AFTER_MS);
      await lapse(stage.sql, await heldLeases(stage.sql));
      return { processes, ...count(held) };
    }
    case "scheduler":
      return { processes: end([stage.stack.workerPid()]), ...count([]) };
    case "session":
      return { processes: end([await sessionPid(stage, chance)]), ...count([]) };
    case "server":
      return { processes: end([stage.stack.database.pid ?? null]), ...count([]) };
  }
}

function count(held: readonly HeldLease[]): Omit<Killed, "processes"> {
  return {
    leases: held.length,
    firstSyncs: held.filter(({ is_first_sync }) => is_first_sync).length,
  };
}

function functionPid({ stack }: Stage, slug: string): number | null {
  return stack.functionPids()[slug] ?? null;
}

async function lapseLater({ sql }: Stage, held: readonly HeldLease[]): Promise<void> {
  await sleep(HANDED_OVER_WITHIN_MS);
  await lapseUnbegun(sql, held);
}

async function sessionPid({ sql }: Stage, chance: Chance): Promise<number | null> {
  try {
    const rows = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity where backend_type = 'client backend'`;
    return chance.pick(rows)?.pid ?? null;
  } catch {
    // The server is down already.
    return null;
  }
}

function end(pids: readonly (number | null)[]): number {
  let count = 0;
  for (const pid of pids) {
    if (pid === null || !isRunning(pid)) continue;
    signalProcess(pid, "SIGKILL");
    count += 1;
  }
  return count;
}

/** What was killed a moment ago and not yet waited for is no process any more. */
function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^Z/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    // It is gone. Where there is no /proc, there is no chaos either: see the options.
    return false;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
