/** Owners' edits that come while a worker is writing: two connections, each in its own transaction. */
import assert from "node:assert/strict";
import {
  addEndpoint,
  beginSlice,
  claim,
  commitPage,
  failureOf,
  fileRecord,
  finishSlice,
  folderRecord,
  type Lease,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";
import { beside, untilWaiting, whileLocked } from "../support/locking.ts";

async function stateOf(sql: Sql, endpointId: string) {
  const [row] = await sql<{
    enabled: boolean;
    last_sync_status: string;
    lease_token: string | null;
    run_id: string | null;
    next_run_at: Date | null;
    requested_mode: string | null;
    needs_planning: boolean;
    file_count: number;
  }[]>`
    select e.enabled, e.last_sync_status, s.lease_token, s.run_id, s.next_run_at, s.requested_mode,
      s.needs_planning, s.file_count::int
    from public.endpoints as e join connector.endpoint_states as s on s.endpoint_id = e.id
    where e.id = ${endpointId}`;
  assert.ok(row);
  return row;
}

/** An endpoint in its first run, all of it read. */
async function listed(sql: Sql, count = 0): Promise<{ id: string; lease: Lease }> {
  const id = await addEndpoint(sql, { max_files_per_sync: null });
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease);
  assert.ok(task);
  const files = Array.from({ length: count }, (_, n) => fileRecord(`f${n}`));
  await commitPage(sql, lease, { task_id: task.id, files });
  return { id, lease };
}

const DISABLE = (id: string) => `update public.endpoints set enabled = false where id = '${id}'`;

for (const type of ["done", "continue", "failed"]) {
  Deno.test(`an endpoint that is disabled while a slice ends as ${type} stays disabled`, () =>
    withDatabase(async (sql) => {
      const { id, lease } = await listed(sql);
      await sql`select public.connector_sweep(${sql.json(lease)})`;
      const outcome = {
        type,
        provider_calls: 1,
        code: "unavailable",
        message: "m",
        remedy: "retry",
      };
      const failure = await whileLocked(
        sql,
        DISABLE(id),
        () =>
          failureOf(sql`
          select public.connector_finish_slice(${sql.json(lease)}, ${sql.json(outcome)})`),
      );
      assert.equal(failure.code, "FC001");
      const { enabled, last_sync_status, lease_token, run_id, next_run_at } = await stateOf(
        sql,
        id,
      );
      assert.deepEqual(
        { enabled, last_sync_status, lease_token, run_id, next_run_at },
        {
          enabled: false,
          last_sync_status: "pending",
          lease_token: null,
          run_id: null,
          next_run_at: null,
        },
      );
      assert.deepEqual(await claim(sql, 10, 10), []);
    }));
}

Deno.test("a lease that is released while its endpoint is disabled fails nobody's run", () =>
  withDatabase(async (sql) => {
    const { id, lease } = await listed(sql);
    const [row] = await beside(
      DISABLE(id),
      "commit",
      async (hurried) =>
        await hurried<{ count: number }[]>`
        select public.connector_release(${sql.json([lease])}, 'internal', 'm') as count`,
    );
    assert.equal(row?.count, 0);
    assert.equal((await stateOf(sql, id)).next_run_at, null);
  }));

Deno.test("a listing that begins while the scope is changed is not kept for the new scope", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql, { endpoint_config: { folder_id: "B" } });
    const lease = await beginSlice(sql);
    let editing: Promise<unknown> = Promise.resolve();
    await whileLocked(
      sql,
      "lock table connector.tasks in share mode",
      () => startListing(sql, lease),
      async () => {
        editing = sql`
          update public.endpoints set endpoint_config = '{"folder_id": "C"}' where id = ${id}`
          .execute();
        await untilWaiting(sql, 2);
      },
    );
    await editing;
    assert.equal((await failureOf(startListing(sql, lease))).code, "FC001");
    const [row] = await sql<{ listings: number; feeds: number }[]>`
      select (select count(endpoint_id)::int from connector.listings) as listings,
        (select count(*)::int from connector.feeds) as feeds`;
    assert.deepEqual({ ...row }, { listings: 0, feeds: 0 });
  }));

Deno.test("a sweep during which the endpoint is disabled deletes nothing, and counts nothing", () =>
  withDatabase(async (sql) => {
    const { id, lease: first } = await listed(sql, 3);
    await finishSlice(sql, first, { type: "done" });
    await sql`update connector.endpoint_states set next_run_at = now(), requested_mode = 'full'`;
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    await commitPage(sql, lease, { task_id: task.id, files: [fileRecord("f0"), fileRecord("f1")] });
    const failure = await whileLocked(
      sql,
      "lock table public.files in share mode",
      () => failureOf(sql`select public.connector_sweep(${sql.json(lease)})`),
      async () => {
        await sql.unsafe(DISABLE(id));
      },
    );
    assert.equal(failure.code, "FC001");
    const [row] =
      await sql`select count(*)::int as living from public.files where deleted_at is null`;
    assert.deepEqual([row?.living, (await stateOf(sql, id)).file_count], [3, 3]);
  }));

/** Commits a page that has written to its task when it waits for a folder, with its files before it. */
async function whileCommitting(
  sql: Sql,
  ownersDeed: (id: string) => Promise<unknown>,
): Promise<{ readonly failure: unknown; readonly again: () => Promise<unknown> }> {
  const id = await addEndpoint(sql, { max_files_per_sync: null });
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease);
  assert.ok(task);
  const more = { type: "more", cursor: { page: 2 } };
  await commitPage(sql, lease, {
    task_id: task.id,
    folders: [folderRecord("A", null)],
    next: more,
  });
  let deed: Promise<unknown> = Promise.resolve();
  const second = {
    task_id: task.id,
    sequence: 1,
    folders: [folderRecord("A", null, "renamed")],
    files: [fileRecord("f1")],
  };
  const failure = await whileLocked(
    sql,
    "select from connector.folders for update",
    () => commitPage(sql, lease, second).then(() => null, (thrown: unknown) => thrown),
    async () => {
      deed = ownersDeed(id);
      deed.catch(() => {});
      await untilWaiting(sql, 2);
    },
  );
  await deed;
  return { failure, again: () => commitPage(sql, lease, { ...second, sequence: 2 }) };
}

Deno.test("an endpoint that is removed while a page of it is committed goes, and nobody is locked out", () =>
  withDatabase(async (sql) => {
    const { failure, again } = await whileCommitting(
      sql,
      (id) => sql`delete from public.endpoints where id = ${id}`.execute(),
    );
    assert.equal(failure, null);
    const [row] = await sql<{ left: number }[]>`
      select (select count(*)::int from public.endpoints) + (select count(*)::int from public.files)
        as left`;
    assert.equal(row?.left, 0);
    assert.equal((await failureOf(again())).code, "FC001");
  }));

Deno.test("a scope that is changed while a page of it is committed changes, and nobody is locked out", () =>
  withDatabase(async (sql) => {
    const { failure, again } = await whileCommitting(
      sql,
      (id) =>
        sql`update public.endpoints set endpoint_config = '{"folder_id": "C"}' where id = ${id}`
          .execute(),
    );
    assert.equal(failure, null);
    const [row] = await sql`select count(endpoint_id)::int as listings from connector.listings`;
    assert.equal(row?.listings, 0);
    assert.equal((await failureOf(again())).code, "FC001");
  }));

Deno.test("who asks for a sync while a run ends is served, and neither waits for the other for ever", () =>
  withDatabase(async (sql) => {
    const { id, lease } = await listed(sql);
    await sql`select public.connector_sweep(${sql.json(lease)})`;
    let asking: Promise<unknown> | null = null;
    await whileLocked(
      sql,
      "lock table connector.pending_items in exclusive mode",
      async () =>
        await sql`
          select public.connector_finish_slice(${sql.json(lease)}, '{"type": "done"}')`,
      async () => {
        asking = sql`select public.request_sync(${id}, 'full')`.execute();
        await untilWaiting(sql, 2);
      },
    );
    await asking;
    const { run_id, next_run_at, requested_mode } = await stateOf(sql, id);
    assert.equal(run_id, null);
    assert.equal(requested_mode, "full");
    assert.ok(next_run_at !== null && next_run_at <= new Date());
  }));

Deno.test("an endpoint that is disabled while a batch is begun takes nobody's lease but its own", () =>
  withDatabase(async (sql) => {
    const ids = [await addEndpoint(sql), await addEndpoint(sql), await addEndpoint(sql)].sort();
    const leases = await claim(sql, 10, 10);
    const [row] = await beside(
      DISABLE(ids[1] ?? ""),
      "commit",
      async (hurried) =>
        await hurried<{ contexts: { endpoint_id: string }[] }[]>`
        select public.connector_begin_slice(${sql.json(leases)}) as contexts`,
    );
    assert.deepEqual(row?.contexts.map(({ endpoint_id }) => endpoint_id), [ids[0], ids[2]]);
    const [logs] = await sql`select count(*)::int as runs from public.sync_logs`;
    assert.equal(logs?.runs, 2);
  }));

Deno.test("a schedule that is edited during a run is planned anew, whatever the run had computed", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql, { schedule_type: "cron", schedule_cron: "0 3 1 1 *" });
    const { lease } = await listedOf(sql);
    await sql`update public.endpoints set schedule_cron = '*/5 * * * *' where id = ${id}`;
    const planned = "2030-01-01T00:05:00Z";
    const [unplanned] = await sql<{ plans: { schedule_version: number }[] }[]>`
      select public.connector_unplanned_schedules(10) as plans`;
    await sql`select public.connector_plan_schedules(${
      sql.json([{
        endpoint_id: id,
        schedule_version: unplanned?.plans[0]?.schedule_version ?? 0,
        next_run_at: planned,
        error: null,
      }])
    })`;
    await finishSlice(sql, lease, { type: "done", next_cron_at: "2031-01-01T03:00:00Z" });
    const { next_run_at, needs_planning } = await stateOf(sql, id);
    assert.deepEqual({ next_run_at, needs_planning }, { next_run_at: null, needs_planning: true });
  }));

/** The run of the one endpoint that is due, all of it read. */
async function listedOf(sql: Sql): Promise<{ lease: Lease }> {
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease);
  assert.ok(task);
  await commitPage(sql, lease, { task_id: task.id });
  return { lease };
}

Deno.test("a sync that was asked for and could not be begun is still asked for", () =>
  withDatabase(async (sql) => {
    const { id, lease: first } = await listed(sql);
    await finishSlice(sql, first, { type: "done" });
    await sql`select public.request_sync(${id}, 'full')`;
    const leases = await claim(sql, 10, 10);
    await sql`select public.connector_release(${sql.json(leases)}, 'unavailable', 'not started')`;
    const { requested_mode, next_run_at } = await stateOf(sql, id);
    assert.equal(requested_mode, "full");
    assert.ok(next_run_at !== null && next_run_at > new Date());
    await sql`update connector.endpoint_states set next_run_at = now()`;
    await beginSlice(sql);
    const [run] = await sql`
      select trigger, mode from public.sync_logs where status = 'running'`;
    assert.deepEqual({ ...run }, { trigger: "request", mode: "full" });
  }));

Deno.test("what is due because of its changed scope stays due when its schedule is edited as well", () =>
  withDatabase(async (sql) => {
    const { id, lease } = await listed(sql);
    await finishSlice(sql, lease, { type: "done" });
    await sql`
      update public.endpoints
      set schedule_type = 'cron', schedule_cron = '0 3 1 1 *', endpoint_config = '{"folder_id": "C"}'
      where id = ${id}`;
    const [unplanned] = await sql<{ plans: { schedule_version: number }[] }[]>`
      select public.connector_unplanned_schedules(10) as plans`;
    await sql`select public.connector_plan_schedules(${
      sql.json([{
        endpoint_id: id,
        schedule_version: unplanned?.plans[0]?.schedule_version ?? 0,
        next_run_at: "2031-01-01T03:00:00Z",
        error: null,
      }])
    })`;
    assert.equal((await claim(sql, 10, 10)).length, 1);
  }));

Deno.test("a scope that is changed detaches its listing, which is deleted in batches", () =>
  withDatabase(async (sql) => {
    const { id, lease } = await listed(sql, 3);
    const [task] = await sql`
      update connector.tasks set is_done = false returning id::int, sequence`;
    await sql`
      insert into connector.seen_files (listing_id, external_file_id)
      select g.id, 'seen' || n from connector.listings as g, generate_series(1, 25) as n`;
    const marks = async () => {
      const [row] = await sql`
        select (select count(*)::int from connector.seen_files) as seen,
          (select count(*)::int from connector.listings) as listings`;
      return { ...row };
    };
    await sql`update public.endpoints set endpoint_config = '{"folder_id": "C"}' where id = ${id}`;
    assert.deepEqual(await marks(), { seen: 25, listings: 1 });

    // It is nobody's: what comes for it writes nothing, and the next run opens one of its own.
    const late = { task_id: task?.["id"], sequence: task?.["sequence"], files: [fileRecord("x")] };
    assert.equal((await failureOf(commitPage(sql, lease, late))).code, "FC001");
    const next = await beginSlice(sql);
    await startListing(sql, next);
    await sql`
      insert into connector.seen_files (listing_id, external_file_id)
      select g.id, 'kept' from connector.listings as g where g.endpoint_id is not null`;
    assert.equal((await failureOf(commitPage(sql, lease, late))).code, "FC001");
    assert.equal((await commitPage(sql, next, late)).repeated, true);

    const deleted: number[] = [];
    for (let call = 0; call < 4; call++) {
      const [row] = await sql`select connector.delete_detached_listings(15)::int as count`;
      deleted.push(row?.["count"]);
    }
    // The marks, then the task and the listing itself; nothing of the open one.
    assert.deepEqual(deleted, [15, 12, 0, 0]);
    assert.deepEqual(await marks(), { seen: 1, listings: 1 });
    assert.equal((await finishSlice(sql, next, { type: "continue" })).status, "running");
  }));
