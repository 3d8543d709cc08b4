import { cpuMs, memoryMib, ownMemoryMib } from "../process_stat.ts";
import type { LoadWorld } from "./world.ts";

const EVERY_MS = 2_000;

/** The largest of the server's sessions. */
export const LARGEST_SESSION = "largest database session";
/** All processes of the server; what they share, the buffers, is not counted. */
export const SERVER = "PostgreSQL, all its processes";
/** Stands in for what is elsewhere in production. */
export const PROVIDER = "emulated Google";

/** What one process used over time. */
export interface ProcessUse {
  readonly name: string;
  /** Mebibytes. */
  readonly largest: number;
  /** Means of the two halves of the time, in mebibytes. */
  readonly firstHalf: number;
  readonly secondHalf: number;
  /** Cores kept busy, on average; null where it was not looked at. */
  readonly cores: number | null;
}

/** What was seen. */
export interface Samples {
  readonly processes: readonly ProcessUse[];
  /** Most sessions at the same time, those of the measurement itself left out. */
  readonly mostConnections: number;
}

/** Starts looking at processes and sessions. */
export function startSampler(world: LoadWorld): { stop(): Promise<Samples> } {
  const startedAtMs = performance.now();
  const memory = new Map<string, number[]>();
  const work = new Map<string, Work>();
  let mostConnections = 0;
  let isStopping = false;

  const note = (name: string, mib: number) => {
    const list = memory.get(name);
    if (list === undefined) memory.set(name, [mib]);
    else list.push(mib);
  };
  const noteWork = (name: string, pid: number, ms: number) => {
    const known = work.get(name) ?? { usedMs: 0, byPid: new Map() };
    work.set(name, known);
    known.usedMs += ms - (known.byPid.get(pid) ?? ms);
    known.byPid.set(pid, ms);
  };

  async function samplePrograms(): Promise<void> {
    for (const [name, pid] of Object.entries(world.pids())) {
      const [mib, ms] = await Promise.all([memoryMib(pid), cpuMs(pid)]).catch(gone);
      if (mib === null) continue;
      note(name, mib);
      noteWork(name, pid, ms);
    }
  }

  async function sampleServer(): Promise<void> {
    const rows = await world.sql<{ pid: number; is_session: boolean }[]>`
      select pid, backend_type = 'client backend' as is_session from pg_stat_activity
      where pid <> pg_backend_pid()`;
    const uses = await Promise.all(rows.map(async ({ pid, is_session }) => {
      const [mib, ms] = await Promise.all([ownMemoryMib(pid), cpuMs(pid)]).catch(gone);
      if (mib === null) return { mib: 0, isSession: false };
      noteWork(SERVER, pid, ms);
      return { mib, isSession: is_session };
    }));
    const sessions = uses.filter(({ isSession }) => isSession);
    mostConnections = Math.max(mostConnections, sessions.length);
    note(LARGEST_SESSION, Math.max(0, ...sessions.map(({ mib }) => mib)));
    note(SERVER, uses.reduce((sum, { mib }) => sum + mib, 0));
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      await samplePrograms();
      await sampleServer();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  const running = run();
  return {
    async stop() {
      isStopping = true;
      await running;
      const tookMs = performance.now() - startedAtMs;
      const processes = [...memory].map(([name, list]) => {
        const usedMs = work.get(name)?.usedMs;
        return useOf(name, list, usedMs === undefined ? null : usedMs / tookMs);
      });
      return { mostConnections, processes };
    },
  };
}

interface Work {
  usedMs: number;
  readonly byPid: Map<number, number>;
}

/** A process may end between being listed and being looked at. */
function gone(): readonly [null, number] {
  return [null, 0];
}

/** Sums up what was seen of one process. */
export function useOf(name: string, samples: readonly number[], cores: number | null): ProcessUse {
  const half = Math.ceil(samples.length / 2);
  return {
    name,
    largest: Math.max(...samples),
    firstHalf: mean(samples.slice(0, half)),
    secondHalf: mean(samples.slice(-half)),
    cores,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
