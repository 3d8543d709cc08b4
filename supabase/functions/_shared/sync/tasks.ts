import type { Task } from "../providers/types.ts";
import type { WorkEnd } from "./outcome.ts";
import { type Reading, workTask } from "./pages.ts";
import { type EndpointRun, fileLimit } from "./run_state.ts";
import { createTaskQueue } from "./task_queue.ts";

/** Open tasks, as far as they were handed over, and how many there are in all. */
export interface OpenTasks {
  readonly tasks: readonly Task[];
  readonly openTasks: number;
}

/**
 * Works on the tasks in parallel lanes, until none is open or the slice must stop; throws the first
 * failure once every lane has stopped.
 */
export async function workTasks<Config>(
  run: EndpointRun<Config>,
  open: OpenTasks,
): Promise<WorkEnd> {
  if (open.openTasks === 0) return "done";
  const lanes = run.deps.provider.limits.maxParallelTasks;
  const failures: unknown[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, run.lost]);
  const limit = fileLimit(run, () => Math.min(queue.openTasks(), lanes));
  const mayGoOn = () => !signal.aborted && !run.budget.isSpent() && !limit.isReached();
  const queue = createTaskQueue({
    lease: run.context,
    db: run.deps.db,
    mayGoOn,
    tasks: open.tasks,
    openTasks: open.openTasks,
    lanes,
    leadingTasks: run.deps.provider.leadingTasks,
  });
  const reading: Reading<Config> = { run, limit, queue, signal, mayGoOn };

  await Promise.all(Array.from({ length: lanes }, async () => {
    try {
      await workLane(reading);
    } catch (thrown) {
      // A read that was broken off on purpose is no failure; whatever caused it has been kept.
      if (!signal.aborted && !run.budget.unloading.aborted) failures.push(thrown);
      stop.abort();
      queue.wake();
    }
  }));
  run.lost.throwIfAborted();
  if (failures.length > 0) throw failures[0];
  if (queue.openTasks() === 0) return "done";
  return limit.isReached() ? "limit_reached" : "continue";
}

async function workLane<Config>(reading: Reading<Config>): Promise<void> {
  const { queue } = reading;
  for (let task = await queue.next(); task !== null; task = await queue.next()) {
    try {
      await workTask(reading, task);
    } finally {
      queue.release(task);
    }
  }
}
