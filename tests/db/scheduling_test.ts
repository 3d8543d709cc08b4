import assert from "node:assert/strict";
import {
  ADA,
  addEndpoint,
  asUser,
  beginSlice,
  claim,
  commitPage,
  failureOf,
  fileRecord,
  finishSlice,
  GRACE,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";

async function stateOf(sql: Sql, id: string) {
  const [row] = await sql`
    select next_run_at is null as is_unplanned, next_run_at <= now() as is_due, needs_planning,
      requested_mode
    from connector.endpoint_states where endpoint_id = ${id}`;
  assert.ok(row);
  return { ...row };
}

const NOT_DUE = { is_unplanned: false, is_due: false, needs_planning: false, requested_mode: null };
const DUE = { ...NOT_DUE, is_due: true };
const UNPLANNED = { ...NOT_DUE, is_unplanned: true, is_due: null };

Deno.test("a new endpoint is due at once, unless it is manual or disabled", () =>
  withDatabase(async (sql) => {
    assert.deepEqual(await stateOf(sql, await addEndpoint(sql)), DUE);
    assert.deepEqual(await stateOf(sql, await addEndpoint(sql, { schedule_type: "cron" })), DUE);
    assert.deepEqual(
      await stateOf(sql, await addEndpoint(sql, { schedule_type: "manual" })),
      UNPLANNED,
    );
    assert.deepEqual(await stateOf(sql, await addEndpoint(sql, { enabled: false })), UNPLANNED);
  }));

Deno.test("next_interval_at() is anchored and does not drift", () =>
  withDatabase(async (sql) => {
    const cases = [
      ["2026-01-01T00:00:30Z", 5, "2026-01-01T00:00:30Z", "2026-01-01T00:05:30.000Z"],
      ["2026-01-01T00:00:30Z", 5, "2026-01-01T00:07:59Z", "2026-01-01T00:10:30.000Z"],
      ["2026-01-01T00:00:30Z", 5, "2027-06-15T12:00:00Z", "2027-06-15T12:00:30.000Z"],
      ["2026-01-01T00:00:30Z", 1440, "2026-01-02T00:00:29.999Z", "2026-01-02T00:00:30.000Z"],
      ["2026-01-01T00:00:30Z", 1, "2025-01-01T00:00:00Z", "2026-01-01T00:00:30.000Z"],
    ] as const;
    for (const [anchor, minutes, after, expected] of cases) {
      const [row] = await sql<{ at: Date }[]>`
        select connector.next_interval_at(${anchor}, ${minutes}, ${after}) as at`;
      assert.equal(row?.at.toISOString(), expected);
    }
  }));

Deno.test("an edited interval takes effect at once", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql, { interval_minutes: 1440 });
    await sql`update connector.endpoint_states set next_run_at = now() + interval '1 day'`;
    await sql`update public.endpoints set interval_minutes = 1 where id = ${id}`;
    const [row] = await sql`
      select next_run_at > now() and next_run_at <= now() + interval '1 minute' as is_soon
      from connector.endpoint_states`;
    assert.equal(row?.is_soon, true);
  }));

Deno.test("a schedule set to cron, or an edited one, is planned by the dispatcher", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    await sql`
      update public.endpoints
      set schedule_type = 'cron', schedule_cron = '0 7 * * *', timezone = 'Europe/Berlin'
      where id = ${id}`;
    const [row] = await sql`select public.connector_unplanned_schedules(10) as unplanned`;
    assert.equal(row?.unplanned.length, 1);
    const [plan] = row?.unplanned ?? [];
    assert.equal(plan.schedule_cron, "0 7 * * *");
    assert.equal(plan.timezone, "Europe/Berlin");

    await sql`update public.endpoints set schedule_cron = '0 8 * * *' where id = ${id}`;
    const stale = sql.json([{ ...plan, next_run_at: "2030-01-01T07:00:00Z", error: null }]);
    const [late] = await sql`select public.connector_plan_schedules(${stale}) as planned`;
    assert.equal(late?.planned, 0, "a plan for the schedule before the edit is refused");

    const [again] = await sql`select public.connector_unplanned_schedules(10) -> 0 as plan`;
    const fresh = sql.json([{ ...again?.plan, next_run_at: "2030-01-01T08:00:00Z", error: null }]);
    const [taken] = await sql`select public.connector_plan_schedules(${fresh}) as planned`;
    assert.equal(taken?.planned, 1);
    assert.deepEqual(await stateOf(sql, id), NOT_DUE);
  }));

Deno.test("a schedule that cannot be planned ends as needs_attention and is not asked for again", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    await sql`update public.endpoints set schedule_type = 'cron' where id = ${id}`;
    const [row] = await sql`select public.connector_unplanned_schedules(10) -> 0 as plan`;
    const plans = sql.json([{ ...row?.plan, next_run_at: null, error: "It never comes round" }]);
    await sql`select public.connector_plan_schedules(${plans})`;
    const [endpoint] = await sql`
      select last_sync_status, last_error_code, last_error_message from public.endpoints`;
    assert.deepEqual({ ...endpoint }, {
      last_sync_status: "needs_attention",
      last_error_code: "schedule_invalid",
      last_error_message: "It never comes round",
    });
    assert.deepEqual(await stateOf(sql, id), UNPLANNED);
  }));

Deno.test("a cron endpoint's run takes the next time it is given, or asks to be planned", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql, { schedule_type: "cron" });
    for (const next of ["2031-01-01T00:00:00+00:00", null]) {
      await sql`update connector.endpoint_states set next_run_at = now()`;
      const lease = await beginSlice(sql);
      const [task] = await startListing(sql, lease);
      assert.ok(task);
      await commitPage(sql, lease, { task_id: task.id });
      const finished = await finishSlice(sql, lease, { type: "done", next_cron_at: next });
      assert.equal(finished.next_run_at, next);
      assert.equal((await stateOf(sql, id)).needs_planning, next === null);
    }
  }));

Deno.test("disabling an endpoint takes it off the schedule and stops its run", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    await sql`update public.endpoints set enabled = false where id = ${id}`;
    const failure = await failureOf(commitPage(sql, lease, { task_id: task?.id ?? 0 }));
    assert.equal(failure.code, "FC001");
    assert.deepEqual(await stateOf(sql, id), UNPLANNED);
    const [run] = await sql`select status, error_code from public.sync_logs`;
    assert.deepEqual({ ...run }, { status: "partial", error_code: "superseded" });
    await sql`update public.endpoints set enabled = true where id = ${id}`;
    assert.deepEqual(await stateOf(sql, id), DUE);
  }));

for (
  const [column, value] of [
    ["file_types", ["pdf"]],
    ["endpoint_config", { folder_id: "other" }],
    ["project_id", "another"],
  ] as const
) {
  Deno.test(`changing ${column} starts a full sync, and the running one can write nothing more`, () =>
    withDatabase(async (sql) => {
      const id = await addEndpoint(sql, { schedule_type: "manual" });
      await sql`select public.request_sync(${id})`;
      const lease = await beginSlice(sql);
      const [task] = await startListing(sql, lease);
      assert.ok(task);
      const change = { [column]: typeof value === "string" ? value : sql.json(value) };
      await sql`update public.endpoints set ${sql(change)} where id = ${id}`;
      const failure = await failureOf(
        commitPage(sql, lease, { task_id: task.id, files: [fileRecord("a")] }),
      );
      assert.equal(failure.code, "FC001");
      assert.equal((await stateOf(sql, id)).is_due, true);
      const [row] = await sql`
        select (select count(endpoint_id)::int from connector.listings) as listings,
          (select count(*)::int from connector.feeds) as feeds, s.can_sync_incrementally
        from connector.endpoint_states s`;
      assert.deepEqual({ ...row }, { listings: 0, feeds: 0, can_sync_incrementally: false });
    }));
}

Deno.test("changing the scope retires the cached access token, but not a person's own consent", () =>
  withDatabase(async (sql) => {
    const cached = await addEndpoint(sql);
    const consented = await addEndpoint(sql);
    await sql`
      insert into public.oauth_tokens
        (endpoint_id, access_token, refresh_token, expires_at, grant_type)
      values (${cached}, 'sealed', null, now(), 'application'),
             (${consented}, 'sealed', 'sealed', now(), 'user')`;
    await sql`update public.endpoints set endpoint_config = '{"impersonate": "x@example.com"}'`;
    const active = await sql`select endpoint_id from public.oauth_tokens where is_active`;
    assert.deepEqual(active.map((row) => row.endpoint_id), [consented]);
  }));

Deno.test("an edit that changes nothing does not disturb the running sync", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const lease = await beginSlice(sql);
    await startListing(sql, lease);
    await sql`
      update public.endpoints
      set name = 'new name', file_types = file_types, endpoint_config = endpoint_config,
        schedule_type = schedule_type, enabled = enabled
      where id = ${id}`;
    const [row] = await sql`select lease_token from connector.endpoint_states`;
    assert.equal(row?.lease_token, lease.lease_token);
  }));

for (const status of ["failed", "paused", "needs_attention", "needs_reauthorization"]) {
  Deno.test(`request_sync() makes an endpoint due that is ${status}`, () =>
    withDatabase(async (sql) => {
      const id = await addEndpoint(sql);
      await sql`update connector.endpoint_states set next_run_at = now() + interval '1 day'`;
      await sql`update public.endpoints set last_sync_status = ${status}`;
      await asUser(sql, ADA, (as) => as`select public.request_sync(${id})`);
      assert.deepEqual(await stateOf(sql, id), { ...DUE, requested_mode: "incremental" });
    }));
}

Deno.test("request_sync() in full mode drops the unfinished listing of an earlier run", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const lease = await beginSlice(sql);
    await startListing(sql, lease);
    await finishSlice(sql, lease, { type: "limit_reached" });
    await asUser(sql, ADA, (as) => as`select public.request_sync(${id}, 'full')`);
    const [next] = await claim(sql, 1, 1);
    assert.ok(next);
    const [row] = await sql`
      select public.connector_begin_slice(${sql.json([next])}) -> 0 as context`;
    assert.equal(row?.context.listing, null);
    assert.equal(row?.context.run.mode, "full");
    assert.equal(row?.context.run.trigger, "request");
  }));

Deno.test("a sync requested while one runs starts after it", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql, { interval_minutes: 1440 });
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    await asUser(sql, ADA, (as) => as`select public.request_sync(${id})`);
    assert.deepEqual(await claim(sql, 10, 10), [], "not while the first one holds its lease");
    await commitPage(sql, lease, { task_id: task.id });
    await finishSlice(sql, lease, { type: "done" });
    assert.equal((await claim(sql, 10, 10)).length, 1);
  }));

Deno.test("request_sync() refuses what it cannot do, and says why", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const request = (userId: string, mode: string) =>
      failureOf(asUser(sql, userId, (as) => as`select public.request_sync(${id}, ${mode})`));
    assert.equal((await request(GRACE, "full")).code, "PT404");
    assert.match((await request(ADA, "fast")).hint, /incremental or full/);
    await sql`update public.endpoints set enabled = false`;
    assert.equal((await request(ADA, "full")).code, "PT409");
    const anonymous = await failureOf(
      asUser(sql, null, (as) => as`select public.request_sync(${id})`),
    );
    assert.equal(anonymous.code, "42501");
  }));
