import assert from "node:assert/strict";
import { connect, type Sql, withDatabase } from "../support/database.ts";

async function take(sql: Sql, bucket: string, units: number, perMinute = 1200) {
  const [row] = await sql<{ taken: { granted: number; wait_seconds: number } }[]>`
    select public.connector_take_calls(${bucket}, ${perMinute}, ${units}) as taken`;
  assert.ok(row);
  return row.taken;
}

/** A quarter less than a bucket of 1,200 a minute is filled by in a second. */
const REFILL = 15;

/** At most what was granted at first, and what has come in since `startedAtMs`. */
function assertGranted(granted: number, atFirst: number, startedAtMs: number): void {
  const most = atFirst + REFILL * (performance.now() - startedAtMs) / 1000;
  assert.ok(granted >= atFirst && granted <= most, `granted ${granted} of ${atFirst} to ${most}`);
}

function withBucket(test: (sql: Sql, bucket: string) => Promise<void>): Promise<void> {
  return withDatabase((sql) => test(sql, `test ${crypto.randomUUID()}`));
}

Deno.test("a bucket grants a quarter of its minute at once, then less, then says how long to wait", () =>
  withBucket(async (sql, bucket) => {
    let startedAtMs = performance.now();
    assert.equal((await take(sql, bucket, 200)).granted, 200);
    assertGranted((await take(sql, bucket, 200)).granted, 100, startedAtMs);
    startedAtMs = performance.now();
    await sql`update connector.rate_limits set units = 0, refilled_at = clock_timestamp()`;
    const { granted, wait_seconds } = await take(sql, bucket, 30);
    assertGranted(granted, 0, startedAtMs);
    assert.ok(granted > 0 || Math.abs(wait_seconds - 2) < 0.1, `waits ${wait_seconds}`);
  }));

Deno.test("no minute of takings from eight connections holds more than the quota", () =>
  withBucket(async (sql, bucket) => {
    const pools = Array.from({ length: 8 }, () => connect(1));
    try {
      let granted = 0;
      for (let round = 0; round < 20; round++) {
        const takings = await Promise.all(pools.map((pool) => take(pool, bucket, 50)));
        granted += takings.reduce((sum, taking) => sum + taking.granted, 0);
      }
      const [row] = await sql<{ passed: number }[]>`
        select extract(epoch from clock_timestamp() - min(refilled_at))::float as passed
        from connector.rate_limits where bucket = ${bucket}`;
      // A burst of 300 and a flow of 15 a second; the whole takes far less than a minute.
      assert.ok(granted >= 300 && granted <= 300 + 15 * 30, `granted ${granted}, ${row?.passed}`);
    } finally {
      await Promise.all(pools.map((pool) => pool.end()));
    }
  }));

Deno.test("a bucket refills with time, up to its burst", () =>
  withBucket(async (sql, bucket) => {
    await take(sql, bucket, 300);
    const startedAtMs = performance.now();
    await sql`
      update connector.rate_limits set units = 0, refilled_at = now() - interval '10 seconds'
      where bucket = ${bucket}`;
    const { granted } = await take(sql, bucket, 300);
    assertGranted(granted, 150, startedAtMs);
    await sql`update connector.rate_limits set refilled_at = now() - interval '1 day'`;
    assert.equal((await take(sql, bucket, 1000)).granted, 300);
  }));

Deno.test("a blocked bucket grants nothing to anybody until its time, and the longest word counts", () =>
  withBucket(async (sql, bucket) => {
    await take(sql, bucket, 1);
    await sql`select public.connector_block_calls(${bucket}, 60)`;
    await sql`select public.connector_block_calls(${bucket}, 5)`;
    const blocked = await take(sql, bucket, 1);
    assert.equal(blocked.granted, 0);
    assert.ok(blocked.wait_seconds > 55 && blocked.wait_seconds <= 60);
    await sql`update connector.rate_limits set blocked_until = now() - interval '1 second'`;
    assert.ok((await take(sql, bucket, 1)).granted >= 0);
  }));

Deno.test("buckets do not touch each other", () =>
  withBucket(async (sql, bucket) => {
    await take(sql, bucket, 300);
    assert.equal((await take(sql, `${bucket} too`, 300)).granted, 300);
  }));
