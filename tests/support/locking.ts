/** Two connections that meet at a lock, for tests of who waits for whom. */
import { connect, type Sql } from "./database.ts";
import { waitFor } from "./wait_for.ts";

/** Waits until `count` statements of others wait for a lock. */
export async function untilWaiting(sql: Sql, count = 1): Promise<void> {
  await waitFor(`${count} statements wait for a lock`, async () => {
    const [row] = await sql<{ waiting: number }[]>`
      select count(*)::int as waiting from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`;
    return (row?.waiting ?? 0) >= count;
  });
}

/** Does `work` while a transaction holds what `lock` says; `inside` runs in it once `work` waits. */
export async function whileLocked<Result>(
  sql: Sql,
  lock: string,
  work: () => Promise<Result>,
  inside: (holder: Sql) => Promise<void> = () => Promise.resolve(),
): Promise<Result> {
  const holder = connect(1);
  let working: Promise<Result> | null = null;
  try {
    await holder.unsafe("begin");
    await holder.unsafe(lock);
    working = work();
    working.catch(() => {});
    await untilWaiting(sql);
    await inside(holder);
  } finally {
    await holder.unsafe("commit");
    await holder.end({ timeout: 5 });
  }
  return await working;
}

/**
 * Does `work` beside a transaction that holds what `lock` says and does not end before it. `work` gets a
 * connection whose statements fail when they wait for a lock (55P03).
 */
export async function beside<Result>(
  lock: string,
  end: "commit" | "rollback",
  work: (hurried: Sql) => Promise<Result>,
): Promise<Result> {
  const holder = connect(1);
  const hurried = connect(1);
  try {
    await holder.unsafe("begin");
    await holder.unsafe(lock);
    await hurried.unsafe("set lock_timeout = '1s'");
    return await work(hurried);
  } finally {
    await holder.unsafe(end);
    await Promise.all([holder.end({ timeout: 5 }), hurried.end({ timeout: 5 })]);
  }
}
