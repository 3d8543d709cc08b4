import type { CommittedPage } from "../db/connector_db.ts";
import type { FileRecord, Page, Task } from "../providers/types.ts";
import { retryUnavailable } from "./db_retry.ts";
import { perSecond, providerContext, type Reading } from "./run_state.ts";
import type { TaskQueue } from "./task_queue.ts";

/** A page as read, its files divided by the endpoint's `file_types`. */
interface ReadPage {
  readonly page: Page;
  readonly files: readonly FileRecord[];
  readonly filtered: readonly string[];
}

/**
 * Reads one task page by page until it is done or the reading must stop. The next page is fetched
 * while the last one is being committed; the commits of a task stay in order, and one that fails
 * ends it.
 */
export async function workTask<Config>(
  reading: Reading<Config>,
  queue: TaskQueue,
  first: Task,
): Promise<void> {
  let ahead = readAhead(reading, first);
  for (let task: Task | null = first; task !== null;) {
    const read = await ahead;
    if (read === null) return;
    const next = nextTask(task, read.page);
    if (next !== null) ahead = readAhead(reading, next);
    const committed = await commit(reading, task, read);
    queue.report(committed.tasks, committed.open_tasks);
    // Somebody has read this page before: the database knows how far, so the task is read from there.
    if (committed.repeated) return;
    task = next;
  }
}

function nextTask(task: Task, page: Page): Task | null {
  if (page.next.type === "done") return null;
  return { ...task, cursor: page.next.cursor, sequence: task.sequence + 1 };
}

/** Begins to read a page; `null` when none may be read. */
function readAhead<Config>(reading: Reading<Config>, task: Task): Promise<ReadPage | null> {
  const ahead = readPage(reading, task);
  // Nobody awaits a page whose predecessor could not be committed; that failure is the one reported.
  ahead.catch(() => {});
  return ahead;
}

async function readPage<Config>(reading: Reading<Config>, task: Task): Promise<ReadPage | null> {
  const { run, limit, signal } = reading;
  if (!reading.mayGoOn()) return null;
  const grant = await limit.grant();
  if (grant === null) return null;
  let files = 0;
  let hasMore = false;
  try {
    // The wait for the grant may have used up the rest of the slice.
    if (!reading.mayGoOn()) return null;
    const page = await run.deps.provider.readPage(
      task,
      providerContext(run, grant.pageSize, signal),
    );
    run.budget.spend({ items: page.files.length + page.folders.length });
    files = page.files.length;
    hasMore = page.next.type === "more";
    return divide(page, run.isWanted);
  } finally {
    grant.settle(files, hasMore);
  }
}

function divide(page: Page, isWanted: (file: FileRecord) => boolean): ReadPage {
  const files: FileRecord[] = [];
  const filtered: string[] = [];
  for (const file of page.files) {
    if (isWanted(file)) files.push(file);
    else filtered.push(file.external_file_id);
  }
  return { page, files, filtered };
}

async function commit<Config>(
  { run }: Reading<Config>,
  task: Task,
  { page, files, filtered }: ReadPage,
): Promise<CommittedPage> {
  const { deps, context, budget } = run;
  run.lost.throwIfAborted();
  const provider_calls = run.calls.takeCount();
  const startedAtMs = deps.now().getTime();
  try {
    const committed = await retryUnavailable(deps, budget.unloading, () => {
      budget.spend({ calls: 1 });
      return deps.db.commitPage(context, {
        ...page,
        files,
        filtered,
        task_id: task.id,
        sequence: task.sequence,
        folders_per_task: deps.provider.limits.foldersPerTask,
        provider_calls,
      });
    });
    run.heartbeat.beat();
    note(run, task, { page, files, filtered }, committed, deps.now().getTime() - startedAtMs);
    return committed;
  } catch (thrown) {
    run.calls.giveBack(provider_calls);
    throw thrown;
  }
}

function note<Config>(
  { progress, log }: Reading<Config>["run"],
  task: Task,
  { page, files, filtered }: ReadPage,
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
  // The platform keeps a hundred log events in ten seconds: a page without news is not one of them.
  const level = committed.added + committed.updated > 0 ? "info" : "debug";
  log[level]("page_committed", {
    task_id: task.id,
    task_kind: task.kind,
    sequence: task.sequence,
    repeated: committed.repeated,
    files: files.length,
    filtered: filtered.length,
    folders: page.folders.length,
    skipped: page.skipped.length,
    added: committed.added,
    updated: committed.updated,
    unchanged: committed.unchanged,
    open_tasks: committed.open_tasks,
    took_ms: tookMs,
    files_per_second: perSecond(files.length, tookMs),
  });
}
