import { SyncError } from "../errors.ts";
import type { Task } from "../providers/types.ts";
import { retryUnavailable } from "./db_retry.ts";
import { createFileLimit } from "./file_limit.ts";
import type { WorkEnd } from "./outcome.ts";
import { workTask } from "./pages.ts";
import { type EndpointRun, providerContext, type Reading } from "./run_state.ts";
import { createTaskQueue, type TaskQueue } from "./task_queue.ts";

/** The open work of a listing, as far as it was handed over. */
interface OpenWork {
  readonly tasks: readonly Task[];
  readonly openTasks: number;
}

/** Works on the endpoint's listing, opening one first where none is open. */
export async function workListing<Config>(run: EndpointRun<Config>): Promise<WorkEnd> {
  const { listing, tasks } = run.context;
  const work = listing === null
    ? await startListing(run)
    : { tasks, openTasks: listing.open_tasks };
  try {
    return await workTasks(run, work);
  } catch (thrown) {
    if (!(thrown instanceof SyncError) || thrown.code !== "cursor_expired") throw thrown;
    // The provider no longer knows a page token of this listing, so it is begun again, once a slice.
    run.log.warn("listing_restarted", { cause: thrown });
    return await workTasks(run, await startListing(run));
  }
}

async function startListing<Config>(run: EndpointRun<Config>): Promise<OpenWork> {
  const { deps, context, budget } = run;
  const { maxPageSize, foldersPerTask } = deps.provider.limits;
  const start = await deps.provider.startListing(providerContext(run, maxPageSize, run.lost));
  run.lost.throwIfAborted();
  const provider_calls = run.calls.takeCount();
  const opening = { ...start, folders_per_task: foldersPerTask, provider_calls };
  try {
    const { listing, tasks } = await retryUnavailable(deps, budget.unloading, () => {
      budget.spend({ calls: 1 });
      return deps.db.startListing(context, opening);
    });
    run.heartbeat.beat();
    return { tasks, openTasks: listing.open_tasks };
  } catch (thrown) {
    run.calls.giveBack(provider_calls);
    throw thrown;
  }
}

/** Works on the tasks in parallel lanes; throws the first failure once every lane has stopped. */
async function workTasks<Config>(run: EndpointRun<Config>, work: OpenWork): Promise<WorkEnd> {
  const { maxParallelTasks, maxPageSize } = run.deps.provider.limits;
  const failures: unknown[] = [];
  const stop = new AbortController();
  const limit = createFileLimit({
    maxFiles: run.context.endpoint.max_files_per_sync,
    filesSeen: run.context.run.files_seen + run.progress.files + run.progress.filtered,
    maxPageSize,
    parallelPages: () => Math.min(queue.openTasks(), maxParallelTasks),
  });
  const signal = AbortSignal.any([stop.signal, run.lost]);
  const mayGoOn = () => !signal.aborted && !run.budget.isSpent() && !limit.isReached();
  const reading: Reading<Config> = { run, limit, signal, mayGoOn };
  const queue = createTaskQueue({
    lease: run.context,
    db: run.deps.db,
    mayGoOn,
    tasks: work.tasks,
    openTasks: work.openTasks,
  });

  const lanes = Array.from({ length: maxParallelTasks }, async () => {
    try {
      await workLane(reading, queue);
    } catch (thrown) {
      // A read that was broken off on purpose is no failure; whatever caused it has been kept.
      if (!signal.aborted && !run.budget.unloading.aborted) failures.push(thrown);
      stop.abort();
      queue.wake();
    }
  });
  await Promise.all(lanes);
  run.lost.throwIfAborted();
  if (failures.length > 0) throw failures[0];
  if (queue.openTasks() === 0) return "done";
  return limit.isReached() ? "limit_reached" : "continue";
}

async function workLane<Config>(reading: Reading<Config>, queue: TaskQueue): Promise<void> {
  for (let task = await queue.next(); task !== null; task = await queue.next()) {
    try {
      await workTask(reading, queue, task);
    } finally {
      queue.release(task);
    }
  }
}
