import { SyncError } from "../errors.ts";
import type { Feed, ListingMode, Task } from "../providers/types.ts";
import { confirmAbsences } from "./absences.ts";
import { workChanges } from "./changes.ts";
import { retryUnavailable } from "./db_retry.ts";
import type { WorkEnd } from "./outcome.ts";
import { type EndpointRun, providerContext, reporting } from "./run_state.ts";
import { workTasks } from "./tasks.ts";

/** What there is to be done for an endpoint, as far as it was handed over. */
interface Work {
  readonly tasks: readonly Task[];
  readonly openTasks: number;
  readonly feeds: readonly Feed[];
  /** A listing is open that, when all is read, may tell what is gone: what it has not shown. */
  readonly maySweep: boolean;
}

/**
 * Works on the endpoint, one phase after the other: the open tasks, the change logs, the tasks that
 * those brought (and then the logs again), the sweep. Where there are no logs, every run is a listing.
 * A page of a listing is never committed beside or after a page of the logs that was read later: the
 * older look at a file must not win.
 */
export async function workPhases<Config>(run: EndpointRun<Config>): Promise<WorkEnd> {
  try {
    return await work(run, await openingWork(run));
  } catch (thrown) {
    if (!(thrown instanceof SyncError) || thrown.code !== "cursor_expired") throw thrown;
    // The provider has forgotten a position in its listing or its log, so everything is listed anew;
    // the rows stay. Once a slice.
    run.log.warn("listing_restarted", { cause: thrown });
    return await work(run, await startListing(run, "full"));
  }
}

async function openingWork<Config>(run: EndpointRun<Config>): Promise<Work> {
  const { context } = run;
  const { listing, tasks, feeds } = context;
  const isFull = listing?.is_full ?? false;
  const isWalk = run.deps.provider.incremental === "walk";
  if (context.run.mode === "full" && !isFull) return await startListing(run, "full");
  if (isWalk && listing === null) return await startListing(run, "incremental");
  return { tasks, openTasks: listing?.open_tasks ?? 0, feeds, maySweep: isFull || isWalk };
}

async function startListing<Config>(run: EndpointRun<Config>, mode: ListingMode): Promise<Work> {
  const { deps, context } = run;
  const { maxPageSize, maxParallelTasks, foldersPerTask } = deps.provider.limits;
  const terms = { pageSize: maxPageSize, idleLanes: maxParallelTasks, signal: run.lost };
  run.listing.mode = mode;
  const start = await deps.provider.startListing(providerContext(run, terms));
  const { listing, tasks } = await reporting(
    run,
    (provider_calls) =>
      deps.db.startListing(context, { ...start, folders_per_task: foldersPerTask, provider_calls }),
  );
  run.listing.memory = start.memory ?? null;
  return {
    tasks,
    openTasks: listing.open_tasks,
    feeds: start.feeds.map((feed) => ({ ...feed, sequence: 0 })),
    maySweep: true,
  };
}

async function work<Config>(run: EndpointRun<Config>, found: Work): Promise<WorkEnd> {
  const listed = await workTasks(run, found);
  if (listed !== "done") return listed;
  const followed = await follow(run, found.feeds);
  if (followed !== "done") return followed;
  if (!found.maySweep) return "done";
  const confirmed = await confirmAbsences(run);
  return confirmed === "done" ? await sweep(run) : confirmed;
}

/**
 * Reads the change logs and walks what they brought, until they bring nothing more: a folder may have
 * been out of sight only while it was walked, and then the log after the walk alone tells of it.
 */
async function follow<Config>(run: EndpointRun<Config>, first: readonly Feed[]): Promise<WorkEnd> {
  for (let feeds = first;;) {
    const changes = await workChanges(run, feeds);
    if (changes.end !== "done" || changes.openTasks === 0) return changes.end;
    const walked = await workTasks(run, changes);
    if (walked !== "done") return walked;
    feeds = changes.feeds;
  }
}

/** Deletes what the listing has not shown, part by part; the database decides what that is. */
async function sweep<Config>(run: EndpointRun<Config>): Promise<WorkEnd> {
  const { deps, context, budget, progress, log } = run;
  while (!budget.isSpent()) {
    run.lost.throwIfAborted();
    const swept = await retryUnavailable(deps, budget.unloading, () => {
      budget.spend({ calls: 1 });
      return deps.db.sweep(context);
    });
    run.heartbeat.beat();
    progress.deleted += swept.deleted;
    if (swept.held !== null) log.warn("deletions_held", { held: swept.held });
    if (!swept.more) return "done";
  }
  return "continue";
}
