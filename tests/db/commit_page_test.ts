import assert from "node:assert/strict";
import postgres from "postgres";
import {
  addEndpoint,
  beginSlice,
  commitPage,
  connect,
  failureOf,
  fileRecord,
  finishSlice,
  folderRecord,
  type Lease,
  type Sql,
  type StartedTask,
  startListing,
  withDatabase,
} from "../support/database.ts";
import { untilWaiting } from "../support/locking.ts";

/** An endpoint in the middle of a listing: its id, its lease and its one open task. */
async function listing(sql: Sql): Promise<{ id: string; lease: Lease; task: StartedTask }> {
  const id = await addEndpoint(sql, { max_files_per_sync: null });
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease);
  assert.ok(task);
  return { id, lease, task };
}

/** Everything that a page may change, as one comparable value. */
async function everything(sql: Sql): Promise<unknown> {
  const [row] = await sql`
    select
      (select jsonb_agg(to_jsonb(f) order by f.id) from public.files f) as files,
      (select jsonb_agg(to_jsonb(f) order by f.external_folder_id) from connector.folders f) as folders,
      (select jsonb_agg(to_jsonb(t) order by t.id) from connector.tasks t) as tasks,
      (select jsonb_agg(to_jsonb(l)) from connector.listings l) as listings,
      (select jsonb_agg(to_jsonb(r) order by r.id) from public.sync_logs r) as runs,
      (select jsonb_agg(to_jsonb(s) - 'lease_expires_at') from connector.endpoint_states s) as states`;
  return row;
}

Deno.test("a page, its cursor, its counters and the lease extension are one transaction", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    await sql`update connector.endpoint_states set lease_expires_at = now() + interval '5 seconds'`;
    const before = await everything(sql);
    const failure = await failureOf(commitPage(sql, lease, {
      task_id: task.id,
      files: [fileRecord("a"), fileRecord("b", { file_size: "-1" })],
      folders: [folderRecord("F", "R")],
      next: { type: "more", cursor: "page 2" },
    }));
    assert.equal(failure.constraint, "files_file_size_check");
    assert.deepEqual(await everything(sql), before);

    await commitPage(sql, lease, {
      task_id: task.id,
      files: [fileRecord("a"), fileRecord("b")],
      receipt: { pages: 1 },
      next: { type: "more", cursor: "page 2" },
    });
    const [row] = await sql`
      select t.cursor, t.sequence, r.files_seen::int, r.files_added::int, r.provider_calls::int,
        s.lease_expires_at > now() + interval '100 seconds' as is_extended,
        s.file_count::int, s.total_bytes::int, g.receipt
      from connector.tasks t, public.sync_logs r, connector.endpoint_states s, connector.listings g`;
    assert.deepEqual({ ...row }, {
      cursor: "page 2",
      sequence: 1,
      files_seen: 2,
      files_added: 2,
      provider_calls: 1,
      is_extended: true,
      file_count: 2,
      total_bytes: 20,
      receipt: { pages: 1 },
    });
  }));

Deno.test("committing the same page again changes nothing and says so", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    const page = {
      task_id: task.id,
      files: [fileRecord("a")],
      folders: [folderRecord("F", "R")],
      walk: ["F"],
      next: { type: "more", cursor: "page 2" },
      receipt: { pages: 1 },
    };
    const first = await commitPage(sql, lease, page);
    const after = await everything(sql);
    const second = await commitPage(sql, lease, page);
    assert.equal(first.repeated, false);
    assert.equal(second.repeated, true);
    assert.equal(second.open_tasks, first.open_tasks);
    assert.equal(second.files_seen, 1);
    assert.deepEqual(await everything(sql), after);
  }));

Deno.test("a worker whose lease is gone can write nothing, by any call", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    await sql`update connector.endpoint_states set lease_token = gen_random_uuid()`;
    const before = await everything(sql);
    const json = sql.json(lease);
    const calls: (() => Promise<unknown>)[] = [
      () => commitPage(sql, lease, { task_id: task.id, files: [fileRecord("a")] }),
      () => finishSlice(sql, lease, { type: "done" }),
      () => startListing(sql, lease),
      async () => await sql`select public.connector_open_tasks(${json}, 0, 10)`,
      async () =>
        await sql`select public.connector_store_token(${json}, ${
          sql.json({ access_token: "sealed" })
        })`,
    ];
    for (const call of calls) assert.equal((await failureOf(call())).code, "FC001");
    assert.deepEqual(await everything(sql), before);
  }));

Deno.test("a lease lost while a page is being committed rolls that page back", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    const other = connect(1);
    try {
      // The commit waits behind this transaction at its last step, the lease's own row.
      await other`begin`;
      await other`update connector.endpoint_states set lease_token = gen_random_uuid()`;
      const commit = failureOf(
        commitPage(sql, lease, { task_id: task.id, files: [fileRecord("a")] }),
      );
      await untilWaiting(sql);
      await other`commit`;
      assert.equal((await commit).code, "FC001");
    } finally {
      await other.end();
    }
    const [row] = await sql`select count(*)::int as files from public.files`;
    assert.equal(row?.files, 0);
  }));

/** Commits a page as the worker does: one that lost a race for a file comes again. */
async function commitUntilWon(
  sql: Sql,
  lease: Lease,
  page: Parameters<typeof commitPage>[2],
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      await commitPage(sql, lease, page);
      return;
    } catch (thrown) {
      const isRace = thrown instanceof postgres.PostgresError && thrown.code === "40001";
      if (!isRace || attempt === 10) throw thrown;
    }
  }
}

Deno.test("pages of two tasks committed at the same time are both kept, and counted once each", () =>
  withDatabase(async (sql) => {
    const { lease } = await listing(sql);
    const tasks = await startListing(sql, lease, {
      seeds: Array.from(
        { length: 4 },
        (_, n) => ({ kind: "files", key: `window ${n}`, cursor: n }),
      ),
    });
    assert.equal(tasks.length, 4);
    for (let sequence = 0; sequence < 10; sequence++) {
      await Promise.all(tasks.map((task, lane) =>
        commitUntilWon(sql, lease, {
          task_id: task.id,
          sequence,
          // Every lane also reports the same shared file, in an order of its own.
          files: [
            fileRecord(`${lane}-${sequence}`),
            fileRecord("shared"),
            ...(lane % 2 === 0
              ? [fileRecord("z"), fileRecord("b")]
              : [fileRecord("b"), fileRecord("z")]),
          ],
          next: sequence === 9 ? { type: "done" } : { type: "more", cursor: sequence },
        })
      ));
    }
    const [row] = await sql`
      select (select count(*)::int from public.files) as files,
        (select file_count::int from connector.endpoint_states) as counted,
        (select open_tasks::int from connector.listings) as open_tasks,
        (select files_seen::int from public.sync_logs) as seen`;
    assert.equal(row?.files, 43);
    assert.equal(row?.open_tasks, 0);
    assert.equal(row?.seen, 160);
  }));

Deno.test("an unchanged file is not written at all", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    const files = Array.from({ length: 20 }, (_, n) => fileRecord(`f${n}`));
    await commitPage(sql, lease, { task_id: task.id, files, next: { type: "more", cursor: 1 } });
    const before = await sql`select ctid, xmin, xmax, * from public.files order by id`;
    const committed = await commitPage(sql, lease, {
      task_id: task.id,
      sequence: 1,
      files,
      next: { type: "more", cursor: 2 },
    });
    assert.equal(committed.unchanged, 20);
    assert.deepEqual(await sql`select ctid, xmin, xmax, * from public.files order by id`, before);
  }));

for (
  const [field, value] of Object.entries({
    external_parent_id: "elsewhere",
    file_name: "renamed.pdf",
    file_link: "https://drive.example/other",
    file_size: "11",
    file_type: "doc",
    mime_type: "text/plain",
    external_created_at: "2026-02-02T00:00:00Z",
    external_updated_at: "2026-02-03T00:00:00Z",
    file_metadata: { md5_checksum: "x" },
  })
) {
  Deno.test(`a changed ${field} updates the row`, () =>
    withDatabase(async (sql) => {
      const { lease, task } = await listing(sql);
      await commitPage(sql, lease, {
        task_id: task.id,
        files: [fileRecord("a")],
        next: { type: "more", cursor: 1 },
      });
      const committed = await commitPage(sql, lease, {
        task_id: task.id,
        sequence: 1,
        files: [fileRecord("a", { [field]: value })],
      });
      assert.deepEqual([committed.added, committed.updated, committed.unchanged], [0, 1, 0]);
    }));
}

Deno.test("a file twice on one page is one row", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    const committed = await commitPage(sql, lease, {
      task_id: task.id,
      files: [fileRecord("a"), fileRecord("a")],
    });
    assert.equal(committed.added, 1);
  }));

Deno.test("files of one name in one folder are two rows", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    await commitPage(sql, lease, {
      task_id: task.id,
      files: [fileRecord("a", { file_name: "same" }), fileRecord("b", { file_name: "same" })],
    });
    const rows = await sql`select external_file_id, file_path from public.files order by 1`;
    assert.deepEqual(rows.map((row) => ({ ...row })), [
      { external_file_id: "a", file_path: "/same" },
      { external_file_id: "b", file_path: "/same" },
    ]);
  }));

Deno.test("a size above 2^53 is stored to the last digit, and a missing one is null", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    await commitPage(sql, lease, {
      task_id: task.id,
      files: [
        fileRecord("big", { file_size: "9007199254740993" }),
        fileRecord("none", { file_size: null }),
      ],
    });
    const rows =
      await sql`select file_size::text as size from public.files order by external_file_id`;
    assert.deepEqual(rows.map((row) => row.size), ["9007199254740993", null]);
    const [state] = await sql`select total_bytes::text from connector.endpoint_states`;
    assert.equal(state?.total_bytes, "9007199254740993");
  }));

Deno.test("a filtered file leaves its row as a tombstone, and comes back when it passes again", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    const more = { type: "more", cursor: 1 };
    await commitPage(sql, lease, { task_id: task.id, files: [fileRecord("a")], next: more });
    await commitPage(sql, lease, {
      task_id: task.id,
      sequence: 1,
      filtered: ["a", "b"],
      next: more,
    });
    const [gone] = await sql`
      select f.sync_status, f.deletion_reason, f.deleted_at is not null as has_time,
        s.file_count::int, s.total_bytes::int, r.files_deleted::int, r.files_skipped::int
      from public.files f, connector.endpoint_states s, public.sync_logs r`;
    assert.deepEqual({ ...gone }, {
      sync_status: "deleted",
      deletion_reason: "filtered",
      has_time: true,
      file_count: 0,
      total_bytes: 0,
      files_deleted: 1,
      files_skipped: 2,
    });
    await commitPage(sql, lease, {
      task_id: task.id,
      sequence: 2,
      files: [fileRecord("a")],
      next: more,
    });
    const [back] = await sql`
      select f.sync_status, f.deletion_reason, f.deleted_at, s.file_count::int, s.total_bytes::int
      from public.files f, connector.endpoint_states s`;
    assert.deepEqual({ ...back }, {
      sync_status: "completed",
      deletion_reason: null,
      deleted_at: null,
      file_count: 1,
      total_bytes: 10,
    });
  }));

Deno.test("each folder is walked once a listing, and folders are grouped into tasks", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    const ids = Array.from({ length: 7 }, (_, n) => `F${n}`);
    const first = await commitPage(sql, lease, {
      task_id: task.id,
      folders: ids.map((id) => folderRecord(id, "R")),
      walk: ids,
      folders_per_task: 3,
      next: { type: "more", cursor: 1 },
    });
    assert.deepEqual(first.tasks.map((each) => each.folder_ids.length), [3, 3, 1]);
    assert.deepEqual(first.tasks.flatMap((each) => each.folder_ids).sort(), ids);
    assert.equal(first.open_tasks, 4);
    const second = await commitPage(sql, lease, {
      task_id: task.id,
      sequence: 1,
      walk: ids,
      next: { type: "done" },
    });
    assert.deepEqual(second.tasks, []);
    assert.equal(second.open_tasks, 3);
  }));

Deno.test("a seed of the same kind and key is taken once a listing, even after it is done", () =>
  withDatabase(async (sql) => {
    const { lease, task } = await listing(sql);
    const seeds = [{ kind: "files", key: "second", cursor: { from: 1 } }];
    const first = await commitPage(sql, lease, {
      task_id: task.id,
      seeds,
      next: { type: "more", cursor: 1 },
    });
    const second = first.tasks[0];
    assert.ok(second);
    await commitPage(sql, lease, { task_id: second.id });
    const again = await commitPage(sql, lease, { task_id: task.id, sequence: 1, seeds });
    assert.deepEqual(again.tasks, []);
    assert.equal(again.open_tasks, 0);
  }));
