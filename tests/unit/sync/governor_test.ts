import assert from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import type { Quota } from "../../../supabase/functions/_shared/providers/types.ts";
import { createGovernor } from "../../../supabase/functions/_shared/sync/governor.ts";
import { createMemoryLog } from "../../support/memory_log.ts";
import { createTestClock, type TestClock } from "../../support/test_clock.ts";

/** What Google allows one user: 3,250 listing calls a minute. */
const LISTING: Quota = { bucket: "google/user", units: 100, unitsPerMinute: 325_000 };
const NEVER = new AbortController().signal;

/** The buckets of the database, shared by the workers of a test. */
function createBuckets(clock: TestClock) {
  const buckets = new Map<string, { units: number; atMs: number; blockedUntilMs: number }>();
  const state = { takes: 0, blocks: 0, isDown: false };
  const open = (bucket: string, burst: number) => {
    const found = buckets.get(bucket) ??
      { units: burst, atMs: clock.now().getTime(), blockedUntilMs: 0 };
    buckets.set(bucket, found);
    return found;
  };
  const check = () => {
    if (state.isDown) throw new SyncError("unavailable", "The database does not answer.");
  };
  return {
    state,
    // deno-lint-ignore require-await
    async takeCalls({ bucket, unitsPerMinute }: Omit<Quota, "units">, units: number) {
      state.takes += 1;
      check();
      const nowMs = clock.now().getTime();
      const one = open(bucket, unitsPerMinute / 4);
      const flow = unitsPerMinute * 0.75 / 60_000;
      one.units = Math.min(unitsPerMinute / 4, one.units + (nowMs - one.atMs) * flow);
      one.atMs = nowMs;
      if (one.blockedUntilMs > nowMs) {
        return { granted: 0, wait_seconds: (one.blockedUntilMs - nowMs) / 1000 };
      }
      const granted = Math.min(units, one.units);
      one.units -= granted;
      return { granted, wait_seconds: granted > 0 ? 0 : units / flow / 1000 };
    },
    // deno-lint-ignore require-await
    async blockCalls(bucket: string, seconds: number) {
      state.blocks += 1;
      check();
      open(bucket, 0).blockedUntilMs = clock.now().getTime() + seconds * 1000;
    },
  };
}

function setUp() {
  const clock = createTestClock(600_000);
  const db = createBuckets(clock);
  const log = createMemoryLog();
  const worker = () => createGovernor({ db, now: clock.now, sleep: clock.sleep, log });
  const until = (ms: number, signal = NEVER) => ({
    deadline: new Date(clock.now().getTime() + ms),
    signal,
  });
  return { clock, db, log, worker, until };
}

Deno.test("admit() asks the database once for a handful of calls", async () => {
  const { db, worker, until, clock } = setUp();
  const governor = worker();
  for (let call = 0; call < 10; call++) {
    assert.equal(await governor.admit(LISTING, until(60_000)), 0);
  }
  assert.equal(db.state.takes, 1);
  assert.deepEqual(clock.waits, []);
});

Deno.test("admit() asks less than once in 25 calls when many are made", async () => {
  const { db, worker, until, clock } = setUp();
  const governor = worker();
  const calls = 2_000;
  const lane = async () => {
    for (let call = 0; call < calls / 8; call++) {
      await governor.admit(LISTING, until(60_000));
      clock.advance(10);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  assert.ok(db.state.takes <= calls / 25, `${db.state.takes} takes`);
});

Deno.test("admit() keeps all workers together below the provider's limit of a minute", async () => {
  const { worker, until, clock } = setUp();
  const startMs = clock.now().getTime();
  const workers = [worker(), worker(), worker()];
  let calls = 0;
  const lane = async (index: number) => {
    const governor = workers[index];
    while (governor !== undefined && clock.now().getTime() - startMs < 60_000) {
      const waitMs = await governor.admit(LISTING, until(60_000));
      if (waitMs === 0 && clock.now().getTime() - startMs < 60_000) calls += 1;
    }
  };
  await Promise.all([0, 1, 2, 0, 1, 2].map(lane));
  assert.ok(calls <= 3_250, `${calls} calls`);
  assert.ok(calls >= 2_500, `${calls} calls`);
});

Deno.test("block() makes every lane of every worker wait, and tells the database once", async () => {
  const { db, worker, until, clock } = setUp();
  const [told, other] = [worker(), worker()];
  await told.admit(LISTING, until(60_000));
  await Promise.all([1, 2, 3].map(() => told.block(LISTING, 20_000)));
  assert.equal(db.state.blocks, 1);
  const startMs = clock.now().getTime();
  await told.admit(LISTING, until(60_000));
  assert.ok(clock.now().getTime() - startMs >= 20_000);
  await told.block(LISTING, 20_000);
  const againMs = clock.now().getTime();
  await other.admit(LISTING, until(60_000));
  assert.ok(clock.now().getTime() - againMs >= 20_000);
});

Deno.test("block() of one bucket does not touch another", async () => {
  const { worker, until, clock } = setUp();
  const governor = worker();
  await governor.block(LISTING, 20_000);
  await governor.admit({ ...LISTING, bucket: "google/other" }, until(60_000));
  assert.deepEqual(clock.waits, []);
});

Deno.test("admit() answers at once with a wait that goes beyond the deadline", async () => {
  const { worker, until, clock } = setUp();
  const governor = worker();
  await governor.admit(LISTING, until(60_000));
  await governor.block(LISTING, 45_000);
  assert.equal(await governor.admit(LISTING, until(30_000)), 45_000);
  const other = await worker().admit(LISTING, until(30_000));
  assert.ok(Math.abs(other - 45_000) < 10, `${other}`);
  assert.deepEqual(clock.waits, []);
});

Deno.test("admit() ends when it is no longer wanted", async () => {
  const { worker, until } = setUp();
  const stop = new AbortController();
  stop.abort(new SyncError("lease_lost", "gone"));
  await assert.rejects(worker().admit(LISTING, until(60_000, stop.signal)), { code: "lease_lost" });
});

Deno.test("what is not used for half a minute lapses", async () => {
  const { db, worker, until, clock } = setUp();
  const governor = worker();
  await governor.admit(LISTING, until(60_000));
  clock.advance(30_000);
  await governor.admit(LISTING, until(60_000));
  assert.equal(db.state.takes, 2);
});

Deno.test("without the database calls go on at a tenth of the provider's limit", async () => {
  const { db, log, worker, until, clock } = setUp();
  db.state.isDown = true;
  const governor = worker();
  const startMs = clock.now().getTime();
  for (let call = 0; call < 100; call++) await governor.admit(LISTING, until(60_000));
  const tookMs = clock.now().getTime() - startMs;
  assert.ok(tookMs >= 15_000 && tookMs <= 30_000, `${tookMs} ms for 100 of 325 calls a minute`);
  await governor.block(LISTING, 1_000);
  const events = new Set(log.entries.map(({ event }) => event));
  assert.deepEqual([...events], ["calls_ungoverned", "calls_not_blocked"]);
  db.state.isDown = false;
  for (let call = 0; call < 10; call++) await governor.admit(LISTING, until(60_000));
});

Deno.test("a call that costs more than the bucket holds is admitted when enough has flowed in", async () => {
  const { worker, until } = setUp();
  const costly = { bucket: "costly", units: 50, unitsPerMinute: 60 };
  const governor = worker();
  assert.equal(await governor.admit(costly, until(600_000)), 0);
  assert.equal(await governor.admit(costly, until(600_000)), 0);
});
