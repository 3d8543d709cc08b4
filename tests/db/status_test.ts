import assert from "node:assert/strict";
import {
  ADA,
  addEndpoint,
  asUser,
  beginSlice,
  finishSlice,
  GRACE,
  type Sql,
  withDatabase,
} from "../support/database.ts";

async function statusFor(sql: Sql, userId: string) {
  const [row] = await asUser(sql, userId, (as) => as`select public.sync_status() as status`);
  return row?.status;
}

/** A run of Ada's that ended `minutesAgo`, `lagSeconds` after its time. */
async function addRun(
  sql: Sql,
  endpointId: string,
  { minutesAgo, lagSeconds, code = null }: {
    readonly minutesAgo: number;
    readonly lagSeconds: number;
    readonly code?: string | null;
  },
): Promise<void> {
  await sql`
    insert into public.sync_logs (endpoint_id, status, trigger, mode, due_at, started_at, finished_at,
      error_code, files_seen, files_added, provider_calls)
    select ${endpointId}, ${code === null ? "completed" : "failed"}, 'schedule', 'incremental',
      t - make_interval(secs => ${lagSeconds}), t, t + interval '10 seconds', ${code}, 5, 2, 3
    from (select now() - make_interval(mins => ${minutesAgo}) as t) as at`;
}

Deno.test("a run knows when it was due, and so how late it began", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    await sql`
      update connector.endpoint_states set next_run_at = now() - interval '42 seconds'
      where endpoint_id = ${id}`;
    const lease = await beginSlice(sql);
    await finishSlice(sql, lease, {
      type: "failed",
      code: "unavailable",
      message: "m",
      remedy: "retry",
    });
    const [run] = await sql`
      select extract(epoch from started_at - due_at)::float as lag from public.sync_logs`;
    const lag: number = run?.lag;
    assert.ok(lag >= 42 && lag < 62, `${lag} s`);
    const status = await statusFor(sql, ADA);
    assert.equal(Math.round(status.last_hour.lag_seconds.max), Math.round(lag));
  }));

Deno.test("sync_status() sums up the caller's own last hour", () =>
  withDatabase(async (sql) => {
    const adas = await addEndpoint(sql);
    const graces = await addEndpoint(sql, { user_id: GRACE });
    await addRun(sql, adas, { minutesAgo: 50, lagSeconds: 1 });
    await addRun(sql, adas, { minutesAgo: 40, lagSeconds: 2 });
    await addRun(sql, adas, { minutesAgo: 30, lagSeconds: 9, code: "rate_limited" });
    await addRun(sql, adas, { minutesAgo: 90, lagSeconds: 1_000 });
    await addRun(sql, graces, { minutesAgo: 5, lagSeconds: 500 });
    const { last_hour: hour } = await statusFor(sql, ADA);
    assert.equal(hour.runs, 3);
    assert.deepEqual(hour.runs_by_status, { completed: 2, failed: 1 });
    assert.deepEqual(hour.errors, { rate_limited: 1 });
    assert.deepEqual(hour.provider_calls, { google_drive: 9 });
    assert.equal(hour.files_seen, 15);
    assert.equal(hour.files_added, 6);
    assert.deepEqual([hour.lag_seconds.p50, hour.lag_seconds.max], [2, 9]);
    assert.equal(hour.run_seconds.p50, 10);
  }));

Deno.test("sync_status() of an idle hour has no lag to tell of", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    const { last_hour: hour, tokens } = await statusFor(sql, ADA);
    assert.equal(hour.runs, 0);
    assert.deepEqual(hour.lag_seconds, { p50: null, p95: null, max: null });
    assert.deepEqual(tokens, { by_status: { "No Token": 1 }, next_end_of_grant: null });
  }));

Deno.test("connector_quotas() tells what may be called now, and who asked to wait", () =>
  withDatabase(async (sql) => {
    await sql`select public.connector_take_calls('one', 400, 60)`;
    await sql`select public.connector_take_calls('two', 400, 1)`;
    await sql`select public.connector_block_calls('two', 90)`;
    const [row] = await sql`select public.connector_quotas() as quotas`;
    const byName = Object.fromEntries(
      row?.quotas.map((quota: { bucket: string }) => [quota.bucket, quota]),
    );
    assert.equal(Math.round(byName.one.units_left), 40);
    assert.equal(byName.one.units_per_minute, 400);
    assert.equal(byName.one.blocked_seconds, 0);
    assert.equal(Math.round(byName.two.blocked_seconds), 90);
  }));
