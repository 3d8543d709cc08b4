import { memoryMib } from "../process_stat.ts";
import type { LoadWorld } from "./world.ts";

const EVERY_MS = 2_000;

/** Memory of one process over time, in mebibytes. */
export interface MemoryUse {
  readonly name: string;
  readonly largest: number;
  /** Mean of the last quarter less mean of the second: the first one warms up. */
  readonly growth: number;
}

/** What was seen. */
export interface Samples {
  readonly memory: readonly MemoryUse[];
  /** Most sessions at the same time, those of the measurement itself left out. */
  readonly mostConnections: number;
}

/** Starts looking at processes and sessions. */
export function startSampler({ stack, sql }: LoadWorld): { stop(): Promise<Samples> } {
  const memory = new Map<string, number[]>();
  let mostConnections = 0;
  let isStopping = false;

  async function sample(): Promise<void> {
    const pids: Record<string, number> = {
      ...stack.functionPids(),
      "gateway and REST": Deno.pid,
      "scheduler": stack.workerPid() ?? 0,
    };
    for (const [name, pid] of Object.entries(pids)) {
      const list = memory.get(name) ?? [];
      memory.set(name, list);
      list.push(await memoryMib(pid));
    }
    const rows = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity
      where backend_type = 'client backend' and application_name <> 'load'`;
    mostConnections = Math.max(mostConnections, rows.length);
    const sessions = await Promise.all(rows.map(({ pid }) => memoryMib(pid).catch(() => 0)));
    const list = memory.get("largest database session") ?? [];
    memory.set("largest database session", list);
    list.push(Math.max(0, ...sessions));
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      await sample();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  const running = run();
  return {
    async stop() {
      isStopping = true;
      await running;
      return { mostConnections, memory: [...memory].map(([name, list]) => useOf(name, list)) };
    },
  };
}

function useOf(name: string, samples: readonly number[]): MemoryUse {
  const quarter = Math.floor(samples.length / 4);
  const growth = mean(samples.slice(-quarter)) - mean(samples.slice(quarter, 2 * quarter));
  return { name, largest: Math.max(...samples), growth };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
