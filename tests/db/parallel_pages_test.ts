import assert from "node:assert/strict";
import {
  addEndpoint,
  beginSlice,
  commitPage,
  connect,
  failureOf,
  fileRecord,
  type Lease,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";
import { untilWaiting } from "../support/locking.ts";

/** A listing with three open tasks. */
async function threeTasks(sql: Sql): Promise<{ lease: Lease; tasks: number[] }> {
  await addEndpoint(sql);
  const lease = await beginSlice(sql);
  const seeds = ["one", "two", "three"].map((key) => ({ kind: "files", key, cursor: null }));
  const tasks = await startListing(sql, lease, { seeds });
  return { lease, tasks: tasks.map(({ id }) => id) };
}

async function checkCounters(sql: Sql): Promise<void> {
  const [row] = await sql`
    select s.file_count::int, s.total_bytes::text,
      (select count(*)::int from public.files where deleted_at is null) as files,
      (select coalesce(sum(file_size), 0)::text from public.files where deleted_at is null) as bytes
    from connector.endpoint_states as s`;
  assert.deepEqual([row?.file_count, row?.total_bytes], [row?.files, row?.bytes]);
}

/** Commits a page with a file of `size` while another page with it, of another size, is at it too. */
async function race(sql: Sql, lease: Lease, tasks: readonly number[], size: number): Promise<void> {
  const pageOf = (task: number | undefined, file_size: string) => ({
    task_id: task ?? 0,
    files: [fileRecord("moving", { file_size })],
  });
  const other = connect(1);
  try {
    await other`begin`;
    await commitPage(other, lease, pageOf(tasks[0], String(size)));
    const late = pageOf(tasks[1], String(size + 1));
    const failure = failureOf(commitPage(sql, lease, late));
    await untilWaiting(sql);
    await other`commit`;
    assert.equal((await failure).code, "40001", "the worker is told to commit again");
    assert.equal((await commitPage(sql, lease, late)).repeated, false);
  } finally {
    await other.end();
  }
  await checkCounters(sql);
}

Deno.test("a new file shown by two pages at once is counted once", () =>
  withDatabase(async (sql) => {
    const { lease, tasks } = await threeTasks(sql);
    await race(sql, lease, tasks, 100);
  }));

Deno.test("a changed file shown by two pages at once is counted once", () =>
  withDatabase(async (sql) => {
    const { lease, tasks } = await threeTasks(sql);
    await commitPage(sql, lease, {
      task_id: tasks[2] ?? 0,
      files: [fileRecord("moving", { file_size: "5" })],
    });
    await race(sql, lease, tasks, 100);
  }));
