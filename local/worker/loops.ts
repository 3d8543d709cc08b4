/** The stand-ins that a process outside the server has to drive. */

/** Names of the loops: those of the extensions they stand in for. */
export const WORKER_LOOPS = ["pg_cron", "pg_net"] as const;

/** One of {@linkcode WORKER_LOOPS}. */
export type WorkerLoop = typeof WORKER_LOOPS[number];

/** The name a loop's connection shows in `pg_stat_activity`. */
export function applicationName(loop: WorkerLoop, pid: number): string {
  return `${loop} stand-in ${pid}`;
}
