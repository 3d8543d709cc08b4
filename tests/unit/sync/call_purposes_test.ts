/** How long an answer is insisted on, by what it is needed for. */
import assert from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { createBudget } from "../../../supabase/functions/_shared/sync/budget.ts";
import { SliceOver } from "../../../supabase/functions/_shared/sync/slice_over.ts";
import { createTestClock, type TestClock } from "../../support/test_clock.ts";
import { type Answer, failure, json, PAGE, setUp, text } from "./provider_calls_setup.ts";

/** The times, in milliseconds, of the timers that are set while `work` is done. */
async function timersOf(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const { setTimeout } = globalThis;
  const times: unknown[] = [];
  const noting = (...[done, ms]: Parameters<typeof setTimeout>) => {
    times.push(ms);
    return setTimeout(done, ms);
  };
  Object.assign(globalThis, { setTimeout: noting });
  try {
    await work();
  } finally {
    Object.assign(globalThis, { setTimeout });
  }
  return times;
}

/** An answer that comes, or fails, after some seconds of the clock. */
function late({ advance }: TestClock, seconds: number, answer: Answer): Answer {
  return () => {
    advance(seconds * 1000);
    return answer();
  };
}

const silence: Answer = () => {
  throw new DOMException("The signal has been aborted", "AbortError");
};

Deno.test("getJson() says of a folder that is silent twice so, and leaves all else to the next slice", async () => {
  const signal = new AbortController().signal;
  for (const purpose of ["folder", "run", "probe"] as const) {
    const clock = createTestClock();
    const silences = [late(clock, 30, silence), late(clock, 30, silence)];
    const { now, sleep } = clock;
    const budget = createBudget({ now, startedAt: now(), unloading: signal });
    const { calls, sent } = setUp(silences, { now, sleep, budget });
    const thrown = await calls.getJson(PAGE, { signal, purpose }).catch((reason) => reason);
    assert.ok(purpose === "folder" ? thrown instanceof SyncError : thrown instanceof SliceOver);
    assert.equal(sent.length, 2);
  }
});

Deno.test("getJson() is patient with a folder for half a minute, however fast or slowly it fails", async () => {
  const signal = new AbortController().signal;
  // Seconds that each failure takes, and how many of them there are before it is given up.
  for (const [seconds, sendings] of [[0, 5], [6, 5], [9, 4], [14, 3], [29, 2]] as const) {
    const clock = createTestClock();
    const answers = Array.from({ length: 5 }, () => late(clock, seconds, text("", 503)));
    const { now, sleep } = clock;
    const budget = createBudget({ now, startedAt: now(), unloading: signal });
    const { calls, sent } = setUp(answers, { now, sleep, budget });
    const thrown = await failure(calls.getJson(PAGE, { signal, purpose: "folder" }));
    assert.equal(thrown.code, "unavailable");
    assert.equal(sent.length, sendings, `${seconds} s`);
  }
});

Deno.test("getJson() leaves a folder to the next slice that this one is too short to judge", async () => {
  const signal = new AbortController().signal;
  const clock = createTestClock();
  const { now, sleep } = clock;
  const startedAt = new Date(now().getTime() - 35_000);
  const budget = createBudget({ now, startedAt, unloading: signal });
  const { calls, sent } = setUp([late(clock, 30, silence)], { now, sleep, budget });
  await assert.rejects(calls.getJson(PAGE, { signal, purpose: "folder" }), SliceOver);
  assert.equal(sent.length, 1);
});

Deno.test("getJson() does not give a folder up for being asked to wait", async () => {
  const signal = new AbortController().signal;
  const clock = createTestClock(60_000);
  const { now, sleep } = clock;
  const budget = createBudget({ now, startedAt: now(), unloading: signal });
  const busy = text("", 429, { "retry-after": "16" });
  const { calls } = setUp([busy, busy, busy, json({ ok: true })], { now, sleep, budget });
  assert.deepEqual(await calls.getJson(PAGE, { signal, purpose: "folder" }), { ok: true });
});

Deno.test("getJson() waits ten seconds for the answer to a probe, and half a minute for any other", async () => {
  const signal = new AbortController().signal;
  const waits = await timersOf(async () => {
    for (const purpose of ["probe", "folder", "run"] as const) {
      await setUp([json({})]).calls.getJson(PAGE, { signal, purpose });
    }
  });
  // One for the headers and one for the body, of each.
  assert.deepEqual(waits, [10_000, 10_000, 30_000, 30_000, 30_000, 30_000]);
});

Deno.test("getJson() gives the body no more time than the headers have left", async () => {
  const clock = createTestClock();
  const { get } = setUp([late(clock, 12, json({}))], { now: clock.now });
  const waits = await timersOf(get);
  assert.deepEqual(waits, [30_000, 18_000]);
});
