import type { CommittedPage, FileRows } from "../db/connector_db.ts";
import type { Page, Task } from "../providers/types.ts";
import type { FileLimit } from "./file_limit.ts";
import { type EndpointRun, holdPage, perSecond, providerContext, reporting } from "./run_state.ts";
import { type SplitFiles, splitFiles } from "./split_files.ts";
import type { TaskQueue } from "./task_queue.ts";

/** What the lanes of one endpoint share while they work on its tasks. */
export interface Reading<Config> {
  readonly run: EndpointRun<Config>;
  readonly limit: FileLimit;
  readonly queue: TaskQueue;
  /** Aborted when the first lane fails or the lease is lost: the others stop. */
  readonly signal: AbortSignal;
  /** Whether another page may be begun. */
  readonly mayGoOn: () => boolean;
}

/** A page as read, and held until it is committed: its files in as little memory as they need. */
interface HeldPage {
  readonly page: Omit<Page, "files">;
  readonly files: FileRows;
  readonly filtered: readonly string[];
  /** How many `files` there are. */
  readonly count: number;
  readonly release: () => void;
}

/**
 * Reads one task page by page until it is done or the reading must stop. The next page is fetched
 * while the last one is being committed; the commits of a task stay in order, and one that fails
 * ends it.
 */
export async function workTask<Config>(reading: Reading<Config>, first: Task): Promise<void> {
  let ahead = readAhead(reading, first);
  try {
    for (let task = first;;) {
      const held = await ahead;
      ahead = NOTHING;
      if (held === null) return;
      const next: Task | null = nextTask(task, held.page);
      if (next !== null) ahead = readAhead(reading, next);
      const committed = await commit(reading, task, held);
      // Somebody has read this page before: the database knows how far, so it is read from there.
      if (committed.repeated || next === null) return;
      task = next;
    }
  } finally {
    // A page read ahead of one that was not committed is of no use.
    ahead.then((held) => held?.release(), () => {});
  }
}

const NOTHING: Promise<HeldPage | null> = Promise.resolve(null);

function nextTask(task: Task, page: Pick<Page, "next">): Task | null {
  if (page.next.type === "done") return null;
  return { ...task, cursor: page.next.cursor, sequence: task.sequence + 1 };
}

/** Begins to read a page; `null` when none may be read. */
function readAhead<Config>(reading: Reading<Config>, task: Task): Promise<HeldPage | null> {
  const ahead = readPage(reading, task);
  // Nobody awaits a page whose predecessor could not be committed; that failure is the one reported.
  ahead.catch(() => {});
  return ahead;
}

async function readPage<Config>(reading: Reading<Config>, task: Task): Promise<HeldPage | null> {
  const { run, limit, queue, signal } = reading;
  if (!reading.mayGoOn()) return null;
  const grant = await limit.grant();
  if (grant === null) return null;
  const place = await holdPage(run, isLeading(run, task));
  let files = 0;
  let hasMore = false;
  let held: HeldPage | null = null;
  try {
    // The waits for the grant and the place may have used up the rest of the slice.
    if (!reading.mayGoOn()) return null;
    const idleLanes = Math.min(queue.idleLanes(), limit.fullPagesLeft());
    const terms = { pageSize: grant.pageSize, idleLanes, signal, place };
    const { files: shown, ...page } = await run.deps.provider.readPage(
      task,
      providerContext(run, terms),
    );
    const gone = page.removed?.length ?? 0;
    run.budget.spend({ items: shown.length + page.folders.length + gone });
    // Until its commit makes them tasks, nobody else need cut up work for the same lanes.
    const seeds = page.seeds.length;
    queue.promise(seeds);
    const release = () => {
      queue.promise(-seeds);
      place.leave();
    };
    files = shown.length;
    hasMore = page.next.type === "more";
    held = { page, ...encoded(run, splitFiles(shown, run.isWanted)), release };
    return held;
  } finally {
    grant.settle(files, hasMore);
    if (held === null) place.leave();
  }
}

/** Whether other tasks need what this one reads. */
function isLeading<Config>({ deps }: EndpointRun<Config>, { kind }: Task): boolean {
  return deps.provider.leadingTasks?.has(kind) ?? false;
}

/** Makes files ready to be sent at once: a page waits for its commit, and objects would be in the way. */
function encoded<Config>({ deps }: EndpointRun<Config>, { files, filtered }: SplitFiles) {
  return { files: deps.db.encodeFiles?.(files) ?? files, filtered, count: files.length };
}

/** Commits a page, and lets go of it whatever comes. */
async function commit<Config>(
  { run, queue }: Reading<Config>,
  task: Task,
  held: HeldPage,
): Promise<CommittedPage> {
  const { deps, context } = run;
  const leave = await run.commits.take(isLeading(run, task));
  const startedAtMs = deps.now().getTime();
  try {
    const committed = await reporting(run, (provider_calls) =>
      deps.db.commitPage(context, {
        ...held.page,
        files: held.files,
        filtered: held.filtered,
        task_id: task.id,
        sequence: task.sequence,
        folders_per_task: deps.provider.limits.foldersPerTask,
        provider_calls,
      }));
    queue.report(committed.tasks, committed.open_tasks);
    note(run, task, held, committed, deps.now().getTime() - startedAtMs);
    return committed;
  } finally {
    leave();
    held.release();
  }
}

function note<Config>(
  { progress, log }: EndpointRun<Config>,
  task: Task,
  { page, count, filtered }: HeldPage,
  committed: CommittedPage,
  tookMs: number,
): void {
  progress.pages += 1;
  progress.files += count;
  progress.filtered += filtered.length;
  progress.folders += page.folders.length;
  progress.added += committed.added;
  progress.updated += committed.updated;
  progress.unchanged += committed.unchanged;
  progress.deleted += committed.deleted;
  // The platform keeps a hundred log events in ten seconds: a page without news is not one of them.
  const level = committed.added + committed.updated + committed.deleted > 0 ? "info" : "debug";
  log[level]("page_committed", {
    task_id: task.id,
    task_kind: task.kind,
    sequence: task.sequence,
    repeated: committed.repeated,
    files: count,
    filtered: filtered.length,
    folders: page.folders.length,
    skipped: page.skipped.length,
    added: committed.added,
    updated: committed.updated,
    unchanged: committed.unchanged,
    deleted: committed.deleted,
    open_tasks: committed.open_tasks,
    took_ms: tookMs,
    files_per_second: perSecond(count, tookMs),
  });
}
