/** A worker that is started again when it dies, as the server does with its own background workers. */

import type { ManagedProcess } from "../processes.ts";

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 5_000;
/** One that has lived this long was healthy: its next end counts as the first again. */
const HEALTHY_AFTER_MS = 5_000;
/** One that ends so often without having been healthy never will be. */
const MOST_ENDS = 10;

/** How a worker is kept up. */
export interface WorkerSupervision {
  readonly first: ManagedProcess;
  readonly start: () => Promise<ManagedProcess>;
  readonly log: (line: string) => void;
}

/** A worker, whichever process that is at the moment. */
export interface SupervisedWorker {
  /** The process id; that of the last one between two. */
  pid(): number;
  /** Resolves when it cannot be kept up; never once it was asked to stop. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Keeps a worker up until it is told to stop. */
export function superviseWorker({ first, start, log }: WorkerSupervision): SupervisedWorker {
  const stopping = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let isStopping = false;
  let current = first;

  async function watch(): Promise<void> {
    let startedAt = Date.now();
    for (let ends = 1; ends <= MOST_ENDS; ends += 1) {
      const { code, signal } = await current.exited;
      if (isStopping) return;
      if (Date.now() - startedAt > HEALTHY_AFTER_MS) ends = 1;
      const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** (ends - 1), LONGEST_BACKOFF_MS);
      const how = signal ?? `status ${code}`;
      log(`the scheduler's worker ended with ${how}; starts again in ${waitMs} ms`);
      await sleepUntil(stopping.promise, waitMs);
      if (isStopping) return;
      startedAt = Date.now();
      current = await start();
      if (isStopping) return;
    }
    ended.resolve();
  }

  const watching = watch().catch(() => ended.resolve());
  return {
    pid: () => current.pid,
    ended: ended.promise,
    async stop() {
      isStopping = true;
      stopping.resolve();
      await current.stop();
      await watching;
      // One that was being started meanwhile would outlive the stop.
      await current.stop();
    },
  };
}

async function sleepUntil(end: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([end, promise]);
  clearTimeout(timer);
}
