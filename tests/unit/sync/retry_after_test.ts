import assert from "node:assert/strict";
import { retryAfterMs } from "../../../supabase/functions/_shared/sync/retry_after.ts";

const NOW = new Date("2026-11-22T12:00:00Z");

function read(value: string | null): number | null {
  return retryAfterMs(new Headers(value === null ? {} : { "retry-after": value }), NOW);
}

Deno.test("retryAfterMs() reads seconds", () => {
  assert.equal(read("7"), 7_000);
  assert.equal(read("0"), 0);
});

Deno.test("retryAfterMs() reads an HTTP date, and takes a past one as now", () => {
  assert.equal(read("Sun, 22 Nov 2026 12:00:30 GMT"), 30_000);
  assert.equal(read("Sun, 22 Nov 2026 11:00:00 GMT"), 0);
});

Deno.test("retryAfterMs() answers null for an absent or senseless header", () => {
  for (const value of [null, "", "soon", "-1", "1.5", "12:00"]) {
    assert.equal(read(value), null, String(value));
  }
});

Deno.test("retryAfterMs() never asks for more than a day", () => {
  assert.equal(read("99999999"), 86_400_000);
  assert.equal(read("Sun, 22 Nov 2099 12:00:30 GMT"), 86_400_000);
});
