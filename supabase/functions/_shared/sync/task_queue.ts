import type { ConnectorDb, Lease } from "../db/connector_db.ts";
import type { Task } from "../providers/types.ts";
import { HELD_TASKS } from "./limits.ts";

/** The open tasks of one listing. The database holds them all; this holds a bounded few. */
export interface TaskQueue {
  /**
   * The next task to work on; waits while the tasks under way may bring new ones. `null` when there
   * is none left, or when `mayGoOn` says so.
   */
  next(): Promise<Task | null>;
  /** Takes over what a commit reported: tasks it created, and how many are open in all. */
  report(tasks: readonly Task[], openTasks: number): void;
  /** A task taken by {@linkcode next} is worked on no longer. */
  release(task: Task): void;
  /** Open tasks as far as is known; 0 is certain. */
  openTasks(): number;
  /** How many lanes have no task and none to come, seeds of uncommitted pages included. */
  idleLanes(): number;
  /** Counts tasks that a page under way will bring; negative when it has, or will not. */
  promise(tasks: number): void;
  /** Lets those who wait look again at whether they may go on. */
  wake(): void;
}

/** What {@linkcode createTaskQueue} needs. */
export interface TaskQueueOptions {
  readonly lease: Lease;
  readonly db: Pick<ConnectorDb, "openTasks">;
  readonly mayGoOn: () => boolean;
  readonly tasks: readonly Task[];
  readonly openTasks: number;
  /** Most tasks worked on at the same time. */
  readonly lanes: number;
  /** Kinds of task that are taken before others; none unless told. */
  readonly leadingTasks?: ReadonlySet<string> | undefined;
}

/** Creates the queue of one endpoint's slice. */
export function createTaskQueue(options: TaskQueueOptions): TaskQueue {
  const held = new Map<number, Task>();
  const active = new Set<number>();
  /** Tasks given back while a refill was being read: its answer is older than they are. */
  const releasedMeanwhile = new Set<number>();
  let open = options.openTasks;
  let promised = 0;
  let refill: Promise<void> | null = null;
  /** Counts what may have made new tasks visible; a refill that found nothing waits for the next. */
  let news = 1;
  let newsSeen = 0;
  let changed = Promise.withResolvers<void>();

  function wake(): void {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  }

  function hold(tasks: readonly Task[]): void {
    for (const task of tasks) {
      if (held.size >= HELD_TASKS) return;
      if (!active.has(task.id) && !releasedMeanwhile.has(task.id)) held.set(task.id, task);
    }
  }

  async function readOpenTasks(): Promise<void> {
    newsSeen = news;
    const tasks = await options.db.openTasks(options.lease, 0, HELD_TASKS);
    hold(tasks);
    if (held.size > 0) news += 1;
    if (tasks.length === 0) open = 0;
  }

  function refillOnce(): Promise<void> {
    refill ??= readOpenTasks().finally(() => {
      releasedMeanwhile.clear();
      refill = null;
      wake();
    });
    return refill;
  }

  function take(): Task | null {
    const [eldest] = held.values();
    const isLeading = ({ kind }: Task) => options.leadingTasks?.has(kind) ?? false;
    const task = held.values().find(isLeading) ?? eldest;
    if (task === undefined) return null;
    held.delete(task.id);
    active.add(task.id);
    return task;
  }

  hold(options.tasks);
  return {
    async next() {
      while (options.mayGoOn() && open > 0) {
        const task = take();
        if (task !== null) return task;
        const isRefillWorthwhile = refill !== null || news > newsSeen;
        if (active.size === 0 && !isRefillWorthwhile) return null;
        if (isRefillWorthwhile && (open > active.size || active.size === 0)) {
          await refillOnce();
        } else {
          await changed.promise;
        }
      }
      return null;
    },
    report(tasks, openTasks) {
      open = openTasks;
      news += 1;
      hold(tasks);
      wake();
    },
    release(task) {
      active.delete(task.id);
      if (refill !== null) releasedMeanwhile.add(task.id);
      news += 1;
      wake();
    },
    openTasks: () => open,
    idleLanes: () => Math.max(0, options.lanes - open - promised),
    promise(tasks) {
      promised += tasks;
    },
    wake,
  };
}
