import { isDeepStrictEqual } from "node:util";
import type { CommittedPage } from "../db/connector_db.ts";
import type { ChangePage, Feed, Task } from "../providers/types.ts";
import type { FileLimit, PageGrant } from "./file_limit.ts";
import { HELD_TASKS } from "./limits.ts";
import type { WorkEnd } from "./outcome.ts";
import {
  type EndpointRun,
  fileLimit,
  holdPage,
  perSecond,
  providerContext,
  reporting,
} from "./run_state.ts";
import { SliceOver } from "./slice_over.ts";
import { type SplitFiles, splitFiles } from "./split_files.ts";

/** How the reading of the change logs ended, and the tasks it made: folders that came into scope. */
export interface ChangesEnd {
  readonly end: WorkEnd;
  /** The logs, from where they are to be read on. */
  readonly feeds: readonly Feed[];
  readonly tasks: readonly Task[];
  readonly openTasks: number;
}

/** A page as read, and held until it is committed; or why none was read; `null`: none is asked for. */
type Read = HeldChanges | Exclude<WorkEnd, "done"> | null;

/** How the reading of one log ended, and where. */
interface Drained {
  readonly end: WorkEnd;
  readonly feed: Feed;
}

interface HeldChanges extends SplitFiles {
  readonly page: ChangePage;
  readonly release: () => void;
}

/** What the reading of one change log after the other carries along. */
interface Draining<Config> {
  readonly run: EndpointRun<Config>;
  readonly limit: FileLimit;
  readonly tasks: Task[];
  openTasks: number;
}

/** Reads every change log to its end, one after the other, page by page. */
export async function workChanges<Config>(
  run: EndpointRun<Config>,
  feeds: readonly Feed[],
): Promise<ChangesEnd> {
  const draining: Draining<Config> = {
    run,
    limit: fileLimit(run, () => 1),
    tasks: [],
    openTasks: 0,
  };
  const drained: Feed[] = [];
  let end: WorkEnd = "done";
  for (const first of feeds) {
    const { feed, ...read } = await drain(draining, first);
    drained.push(feed);
    end = read.end;
    if (end !== "done") break;
  }
  return { end, feeds: drained, tasks: draining.tasks, openTasks: draining.openTasks };
}

/** Reads one log to its end; the next page is fetched while the last one is being committed. */
async function drain<Config>(draining: Draining<Config>, first: Feed): Promise<Drained> {
  let ahead = readAhead(draining, first);
  try {
    for (let feed = first;;) {
      const held = await ahead;
      ahead = NOTHING;
      if (held === null) return { end: "done", feed };
      if (typeof held === "string") return { end: held, feed };
      const { next } = held.page;
      if (isNothingNew(held.page, feed)) {
        held.release();
        return { end: "done", feed };
      }
      const following: Feed = { ...feed, cursor: next.cursor, sequence: feed.sequence + 1 };
      if (next.type === "more") ahead = readAhead(draining, following);
      await commit(draining, feed, held);
      feed = following;
    }
  } finally {
    // A page read ahead of one that was not committed is of no use.
    ahead.then((held) => typeof held === "string" ? undefined : held?.release(), () => {});
  }
}

const NOTHING: Promise<Read> = Promise.resolve(null);

/** Most syncs end here: the log stands where it stood, and there is nothing to be written. */
function isNothingNew(page: ChangePage, feed: Feed): boolean {
  return page.next.type === "drained" && page.files.length === 0 && page.folders.length === 0 &&
    page.removed.length === 0 && page.skipped.length === 0 &&
    isDeepStrictEqual(page.next.cursor, feed.cursor);
}

function readAhead<Config>(draining: Draining<Config>, feed: Feed): Promise<Read> {
  const ahead = readPage(draining, feed);
  // Nobody awaits a page whose predecessor could not be committed; that failure is the one reported.
  ahead.catch(() => {});
  return ahead;
}

async function readPage<Config>({ run, limit }: Draining<Config>, feed: Feed): Promise<Read> {
  if (run.budget.isSpent()) return "continue";
  // A run that has all its files may still learn that nothing has changed, and so be complete.
  const grant = await limit.grant() ?? NO_FILES;
  const place = await holdPage(run);
  let files = 0;
  let held: HeldChanges | null = null;
  try {
    if (run.budget.isSpent()) return "continue";
    const terms = { pageSize: Math.max(1, grant.pageSize), idleLanes: 0, signal: run.lost, place };
    const page = await run.deps.provider.readChanges(feed, providerContext(run, terms));
    run.budget.spend({ items: page.files.length + page.folders.length + page.removed.length });
    if (page.files.length > grant.pageSize) return "limit_reached";
    files = page.files.length;
    held = { page, ...splitFiles(page.files, run.isWanted), release: place.leave };
    return held;
  } finally {
    grant.settle(files, false);
    if (held === null) place.leave();
  }
}

const NO_FILES: PageGrant = { pageSize: 0, settle: () => {} };

/** Commits a page and takes over the tasks it made, and lets go of it whatever comes. */
async function commit<Config>(
  draining: Draining<Config>,
  feed: Feed,
  held: HeldChanges,
): Promise<void> {
  const { run } = draining;
  const { deps, context } = run;
  const startedAtMs = deps.now().getTime();
  let attempts = 0;
  try {
    const committed = await reporting(run, (provider_calls, attempt) => {
      attempts = attempt;
      return deps.db.commitChanges(context, {
        ...held.page,
        files: held.files,
        filtered: held.filtered,
        feed_key: feed.key,
        sequence: feed.sequence,
        folders_per_task: deps.provider.limits.foldersPerTask,
        provider_calls,
      });
    });
    // After an answer that was lost this is what was to be expected; else the log stands elsewhere
    // than this worker was told, and the next slice asks where.
    if (committed.repeated && attempts === 1) throw new SliceOver("The change log has moved on");
    for (const task of committed.tasks) {
      if (draining.tasks.length < HELD_TASKS) draining.tasks.push(task);
    }
    draining.openTasks = committed.open_tasks;
    note(run, feed, held, committed, deps.now().getTime() - startedAtMs);
    if (!committed.repeated) warnOfSkipped(run, feed, held.page);
  } finally {
    held.release();
  }
}

/** How many of the items that were left out a log event names. */
const NAMED_ITEMS = 10;

/** What is left out is never left out in silence. */
function warnOfSkipped<Config>(
  { log }: EndpointRun<Config>,
  feed: Feed,
  { skipped }: ChangePage,
): void {
  if (skipped.length === 0) return;
  log.warn("changes_unreadable", {
    feed: feed.key,
    sequence: feed.sequence,
    count: skipped.length,
    ids: skipped.slice(0, NAMED_ITEMS).map(({ external_folder_id }) => external_folder_id),
  });
}

function note<Config>(
  { progress, log }: EndpointRun<Config>,
  feed: Feed,
  { page, files, filtered }: HeldChanges,
  committed: CommittedPage,
  tookMs: number,
): void {
  progress.pages += 1;
  progress.files += files.length;
  progress.filtered += filtered.length;
  progress.folders += page.folders.length;
  progress.added += committed.added;
  progress.updated += committed.updated;
  progress.unchanged += committed.unchanged;
  progress.deleted += committed.deleted;
  // As for pages of a listing: what has no news is not worth a log event of the few there are.
  const level = committed.added + committed.updated + committed.deleted > 0 ? "info" : "debug";
  log[level]("changes_committed", {
    feed: feed.key,
    sequence: feed.sequence,
    repeated: committed.repeated,
    files: files.length,
    filtered: filtered.length,
    folders: page.folders.length,
    skipped: page.skipped.length,
    removed: page.removed.length,
    added: committed.added,
    updated: committed.updated,
    unchanged: committed.unchanged,
    deleted: committed.deleted,
    open_tasks: committed.open_tasks,
    took_ms: tookMs,
    files_per_second: perSecond(files.length, tookMs),
  });
}
