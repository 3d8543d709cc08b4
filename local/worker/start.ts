/** Starting the worker process from the stack. */

import postgres from "postgres";
import { StackError } from "../failure.ts";
import { type ManagedProcess, readLastLines, startProcess } from "../processes.ts";
import { applicationName, WORKER_LOOPS, type WorkerLoop } from "./loops.ts";

const START_DEADLINE_MS = 60_000;

/** Starts the worker for those of `standIns` that need one; null when none does. */
export async function startWorker(
  databaseUrl: string,
  standIns: readonly string[],
  stateDirectory: string,
): Promise<ManagedProcess | null> {
  const loops = loopsFor(standIns);
  if (loops.length === 0) return null;
  const worker = await launchWorker(databaseUrl, standIns, stateDirectory);
  try {
    await waitUntilConnected(databaseUrl, loops, worker, logFileIn(stateDirectory));
    return worker;
  } catch (cause) {
    await worker.stop();
    throw cause;
  }
}

function loopsFor(standIns: readonly string[]): readonly WorkerLoop[] {
  return WORKER_LOOPS.filter((name) => standIns.includes(name));
}

function logFileIn(stateDirectory: string): string {
  return `${stateDirectory}/worker.log`;
}

/** Starts the worker and waits for nothing: it finds its database by itself. */
export async function launchWorker(
  databaseUrl: string,
  standIns: readonly string[],
  stateDirectory: string,
): Promise<ManagedProcess> {
  const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  return await startProcess({
    command: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net",
      "--allow-env",
      "--allow-read",
      "--allow-sys",
      `${root}local/worker/main.ts`,
    ],
    cwd: root,
    env: {
      STACK_WORKER_DATABASE_URL: databaseUrl,
      STACK_WORKER_LOOPS: loopsFor(standIns).join(","),
      // A proxy of the terminal's environment is not for calls to this machine.
      NO_PROXY: `${Deno.env.get("NO_PROXY") ?? ""},127.0.0.1,localhost,::1`.replace(/^,/, ""),
    },
    logFile: logFileIn(stateDirectory),
  });
}

async function waitUntilConnected(
  databaseUrl: string,
  loops: readonly WorkerLoop[],
  worker: ManagedProcess,
  logFile: string,
): Promise<void> {
  const names = loops.map((loop) => applicationName(loop, worker.pid));
  const deadline = Date.now() + START_DEADLINE_MS;
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    while (true) {
      const rows = await sql`
        select distinct application_name from pg_stat_activity
        where application_name = any (${names})`;
      if (rows.length === names.length) return;
      if (!worker.isRunning() || Date.now() > deadline) {
        const [last] = await readLastLines(logFile, 1);
        throw new StackError(`The scheduler did not start: ${last ?? `see ${logFile}`}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
}
