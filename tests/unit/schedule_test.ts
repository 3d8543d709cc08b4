import assert from "node:assert/strict";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { nextCronTime } from "../../supabase/functions/_shared/sync/schedule.ts";

function timesAfter(expression: string, timezone: string, after: string, count: number): string[] {
  const times: string[] = [];
  let last = new Date(after);
  for (let index = 0; index < count; index++) {
    const next = nextCronTime(expression, timezone, last);
    if (next === null) break;
    times.push(next.toISOString());
    last = next;
  }
  return times;
}

function refusal(expression: string, timezone: string): SyncError {
  try {
    nextCronTime(expression, timezone, new Date());
  } catch (error) {
    if (error instanceof SyncError) return error;
    throw error;
  }
  throw new Error(`Cannot find a refusal: "${expression}" in "${timezone}" was accepted`);
}

Deno.test("nextCronTime() is strictly after the given time", () => {
  assert.deepEqual(timesAfter("*/5 * * * *", "UTC", "2026-11-22T10:05:00Z", 2), [
    "2026-11-22T10:10:00.000Z",
    "2026-11-22T10:15:00.000Z",
  ]);
});

Deno.test("nextCronTime() reads the expression in the endpoint's time zone", () => {
  assert.deepEqual(timesAfter("0 9 * * MON-FRI", "Asia/Kolkata", "2026-11-20T12:00:00Z", 2), [
    "2026-11-23T03:30:00.000Z",
    "2026-11-24T03:30:00.000Z",
  ]);
});

Deno.test("nextCronTime() runs a time that the clock skips right after the skipped hour", () => {
  assert.deepEqual(timesAfter("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2), [
    "2026-03-29T01:00:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ]);
});

Deno.test("nextCronTime() runs a time that the clock repeats once", () => {
  const expected = ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"];
  assert.deepEqual(timesAfter("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), expected);
});

Deno.test("nextCronTime() keeps a steady step through both clock changes", () => {
  const spring = timesAfter("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 4);
  assert.deepEqual(spring.map((time) => time.slice(11, 16)), ["00:30", "01:00", "01:30", "02:00"]);
  const autumn = timesAfter("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 5);
  assert.deepEqual(
    autumn.map((time) => time.slice(11, 16)),
    ["00:00", "00:30", "01:00", "01:30", "02:00"],
  );
});

Deno.test("nextCronTime() handles a clock change of half an hour", () => {
  assert.deepEqual(timesAfter("0 * * * *", "Australia/Lord_Howe", "2026-04-04T13:30:00Z", 3), [
    "2026-04-04T14:00:00.000Z",
    "2026-04-04T15:30:00.000Z",
    "2026-04-04T16:30:00.000Z",
  ]);
});

Deno.test("nextCronTime() answers null for a date that never comes", () => {
  assert.equal(nextCronTime("0 0 31 2 *", "UTC", new Date("2026-01-01T00:00:00Z")), null);
});

Deno.test("nextCronTime() says what a malformed expression must be", () => {
  for (const expression of ["", "often", "* * * *", "61 * * * *", "* * * * * *", "0 25 * * *"]) {
    const error = refusal(expression, "UTC");
    assert.equal(error.code, "schedule_invalid");
    assert.ok(error.message.includes(`"${expression}"`), error.message);
    assert.ok(error.message.includes("five fields"), error.message);
  }
});

Deno.test("nextCronTime() says what an unknown time zone must be", () => {
  const error = refusal("* * * * *", "Mars/Olympus");
  assert.equal(error.code, "schedule_invalid");
  assert.ok(error.message.includes('"Mars/Olympus"'), error.message);
  assert.ok(error.message.includes("IANA"), error.message);
});

Deno.test("nextCronTime() shortens an endless expression in its message", () => {
  assert.ok(refusal("1,".repeat(5_000), "UTC").message.length < 500);
});
