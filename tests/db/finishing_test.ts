import assert from "node:assert/strict";
import {
  addEndpoint,
  beginSlice,
  claim,
  commitPage,
  type EndpointOverrides,
  failureOf,
  finishSlice,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";

/** Runs an endpoint once, from claim to the given outcome; a `done` run has an empty listing. */
async function run(sql: Sql, outcome: { type: string; [field: string]: string | number | null }) {
  const lease = await beginSlice(sql);
  if (outcome.type === "done") {
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    await commitPage(sql, lease, { task_id: task.id });
  }
  return await finishSlice(sql, lease, outcome);
}

async function endpointWith(sql: Sql, overrides: EndpointOverrides = {}) {
  return await addEndpoint(sql, overrides);
}

async function makeDue(sql: Sql) {
  await sql`update connector.endpoint_states set next_run_at = now()`;
}

const FAILED = {
  type: "failed",
  code: "unavailable",
  message: "Google Drive does not answer",
  remedy: "retry",
  retry_after_seconds: null,
};

Deno.test("a finished run is completed, gives its lease back and is due at its next interval", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql, { interval_minutes: 7 });
    assert.equal((await run(sql, { type: "done", provider_calls: 3 })).status, "completed");
    const [row] = await sql`
      select r.status, r.finished_at is not null as is_finished, r.provider_calls::int, r.slices,
        e.last_sync_status, e.last_error_code, s.lease_token, s.run_id,
        s.next_run_at = s.schedule_anchor_at + interval '7 minutes' as is_anchored
      from public.sync_logs r, public.endpoints e, connector.endpoint_states s`;
    assert.deepEqual({ ...row }, {
      status: "completed",
      is_finished: true,
      provider_calls: 4,
      slices: 1,
      last_sync_status: "completed",
      last_error_code: null,
      lease_token: null,
      run_id: null,
      is_anchored: true,
    });
  }));

Deno.test("a slice that goes on keeps its run open and is due at once", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    const first = await beginSlice(sql);
    await startListing(sql, first);
    assert.equal((await finishSlice(sql, first, { type: "continue" })).status, "running");
    const second = await beginSlice(sql);
    const [row] =
      await sql`select count(*)::int as runs, max(slices) as slices from public.sync_logs`;
    assert.deepEqual({ ...row }, { runs: 1, slices: 2 });
    const [context] = await sql`select public.connector_open_tasks(${
      sql.json(second)
    }, 0, 10) as tasks`;
    assert.equal(context?.tasks.length, 1, "the task is still there to go on with");
  }));

Deno.test("a run that reaches its bound is partial, keeps its tasks, and goes on at the next tick", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql, { schedule_type: "interval", interval_minutes: 1440 });
    const lease = await beginSlice(sql);
    await startListing(sql, lease);
    assert.equal((await finishSlice(sql, lease, { type: "limit_reached" })).status, "partial");
    const [row] = await sql`
      select s.next_run_at = date_trunc('minute', now()) + interval '1 minute'
          or s.next_run_at = date_trunc('minute', now()) as is_next_tick,
        (select count(*)::int from connector.tasks where not is_done) as tasks,
        (select last_sync_status from public.endpoints) as status
      from connector.endpoint_states s`;
    assert.deepEqual({ ...row }, { is_next_tick: true, tasks: 1, status: "partial" });
  }));

Deno.test("a listing with a skipped folder ends partial and names the folder", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    await commitPage(sql, lease, {
      task_id: task.id,
      skipped: [{
        external_folder_id: "X",
        code: "access_denied",
        message: "Cannot read folder X",
      }],
    });
    assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "partial");
    const [row] = await sql`
      select r.status, r.error_code, r.error_message, r.receipt -> 'subtrees_skipped' as skipped,
        s.can_sync_incrementally
      from public.sync_logs r, connector.endpoint_states s`;
    assert.equal(row?.status, "partial");
    assert.equal(row?.error_code, "listing_incomplete");
    assert.match(row?.error_message, /Cannot read folder X/);
    assert.equal(row?.skipped, 1);
    const [error] = await sql`
      select external_folder_id, next_attempt_at > now() as is_later from connector.folder_errors`;
    assert.deepEqual({ ...error }, { external_folder_id: "X", is_later: true });
  }));

Deno.test("a run cannot be done while tasks are open", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    const lease = await beginSlice(sql);
    await startListing(sql, lease);
    assert.equal((await failureOf(finishSlice(sql, lease, { type: "done" }))).code, "FC002");
  }));

Deno.test("failures back off exponentially with jitter, pause after five, and recover by themselves", () =>
  withDatabase(async (sql) => {
    const id = await endpointWith(sql);
    const bounds = [[15, 30], [30, 60], [60, 120], [120, 240], [450, 900], [900, 1800], [
      1800,
      3600,
    ]];
    for (const [index, [least, most]] of bounds.entries()) {
      await makeDue(sql);
      await run(sql, FAILED);
      const [row] = await sql`
        select extract(epoch from s.next_run_at - now())::float as wait, e.last_sync_status,
          e.last_error_code, e.last_error_message
        from connector.endpoint_states s join public.endpoints e on e.id = s.endpoint_id`;
      assert.ok(row && least !== undefined && most !== undefined);
      assert.ok(row.wait > least - 5 && row.wait <= most, `failure ${index + 1}: ${row.wait} s`);
      assert.equal(row.last_sync_status, index < 4 ? "failed" : "paused");
      assert.equal(row.last_error_code, "unavailable");
      assert.equal(row.last_error_message, "Google Drive does not answer");
    }
    await makeDue(sql);
    await run(sql, { type: "done" });
    const [row] = await sql`
      select last_sync_status, last_error_code from public.endpoints where id = ${id}`;
    assert.deepEqual({ ...row }, { last_sync_status: "completed", last_error_code: null });
    await makeDue(sql);
    await run(sql, FAILED);
    const [again] = await sql`select last_sync_status from public.endpoints`;
    assert.equal(again?.last_sync_status, "failed", "the count of failures began again");
  }));

Deno.test("a provider's retry-after is respected when it is longer than the back-off", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    await run(sql, { ...FAILED, code: "rate_limited", retry_after_seconds: 5000 });
    const [row] = await sql`
      select extract(epoch from next_run_at - now())::float as wait from connector.endpoint_states`;
    assert.ok(row?.wait > 4990);
  }));

for (const remedy of ["needs_attention", "needs_reauthorization"]) {
  Deno.test(`a failure that only a person can mend ends as ${remedy}, in endpoint and log`, () =>
    withDatabase(async (sql) => {
      await endpointWith(sql);
      await run(sql, { ...FAILED, code: "scope_not_found", message: "Share the folder", remedy });
      const [row] = await sql`
        select e.last_sync_status, e.last_error_message, r.status, r.error_code
        from public.endpoints e, public.sync_logs r`;
      assert.deepEqual({ ...row }, {
        last_sync_status: remedy,
        last_error_message: "Share the folder",
        status: remedy,
        error_code: "scope_not_found",
      });
    }));
}

Deno.test("a failed run keeps its tasks, and the next run goes on from them", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    await commitPage(sql, lease, { task_id: task.id, next: { type: "more", cursor: "page 2" } });
    await finishSlice(sql, lease, FAILED);
    await makeDue(sql);
    const [next] = await claim(sql, 1, 1);
    assert.ok(next);
    const [row] = await sql`select public.connector_begin_slice(${
      sql.json([next])
    }) -> 0 -> 'tasks' as tasks`;
    assert.equal(row?.tasks[0].cursor, "page 2");
    assert.equal(row?.tasks[0].sequence, 1);
  }));

Deno.test("an expired cursor makes the next run list from the beginning", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    const lease = await beginSlice(sql);
    await startListing(sql, lease);
    await finishSlice(sql, lease, { ...FAILED, code: "cursor_expired" });
    const [row] = await sql`select count(*)::int as listings from connector.listings`;
    assert.equal(row?.listings, 0);
  }));

Deno.test("an unknown outcome is refused, and the lease is kept", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    const lease = await beginSlice(sql);
    assert.equal((await failureOf(finishSlice(sql, lease, { type: "maybe" }))).code, "FC003");
    const [row] = await sql`select lease_token from connector.endpoint_states`;
    assert.equal(row?.lease_token, lease.lease_token);
  }));

Deno.test("slices that ask the provider and get nowhere end their run after the fifth", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    const statuses: string[] = [];
    for (let slice = 0; slice < 5; slice++) {
      statuses.push((await run(sql, { type: "continue", provider_calls: 1 })).status);
    }
    assert.deepEqual(statuses, ["running", "running", "running", "running", "failed"]);
  }));

Deno.test("slices that are handed back unworked do not count against their run", () =>
  withDatabase(async (sql) => {
    await endpointWith(sql);
    for (let slice = 0; slice < 8; slice++) {
      assert.equal((await run(sql, { type: "continue", provider_calls: 0 })).status, "running");
    }
  }));
