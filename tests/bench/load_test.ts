import assert from "node:assert/strict";
import { demandsOf } from "../../bench/load/demands.ts";
import { isMet, type LoadReport, toMarkdown } from "../../bench/load/report.ts";
import type { Lag } from "../../bench/load/lags.ts";
import { LARGEST_SESSION, type ProcessUse, PROVIDER, useOf } from "../../bench/load/sampler.ts";

function lag(whose: Lag["whose"], afterTick: number): Lag {
  return {
    whose,
    runs: 100,
    p50: 20,
    p95: 50,
    largest: 60,
    after_tick_p50: 0.1,
    after_tick_p95: 1,
    after_tick_largest: afterTick,
  };
}

function use(name: string, first: number, second: number): ProcessUse {
  return useOf(name, [first, first, second, second], 0.5);
}

const REPORT: LoadReport = {
  minutes: 10,
  lags: [lag("all", 40), lag("the other 49", 2), lag("the user with 900", 40)],
  failures: {},
  waiting: { count: 3, longest: 12, longest_of_others: 1 },
  leftBehind: 0,
  loggedErrors: 0,
  samples: {
    mostConnections: 15,
    processes: [use("dispatcher", 90, 91), use(PROVIDER, 100, 300), use(LARGEST_SESSION, 9, 10)],
  },
  machine: ["2 cores"],
  loadAverages: [1, 2],
};

function missed(changes: Partial<LoadReport>): string[] {
  return demandsOf({ ...REPORT, ...changes }).filter(({ isMet }) => !isMet)
    .map(({ measured }) => measured);
}

Deno.test("useOf() compares the halves of what was seen", () => {
  assert.deepEqual(useOf("one", [1, 3, 100, 5, 7], null), {
    name: "one",
    largest: 100,
    firstHalf: 104 / 3,
    secondHalf: 112 / 3,
    cores: null,
  });
});

Deno.test("a load in which nothing fails, grows or starves is met", () => {
  assert.deepEqual(missed({}), []);
  assert.equal(isMet(REPORT), true);
  assert.match(
    toMarkdown(REPORT),
    /\| dispatcher \| 91\.0 MiB \| 90\.0 MiB \| 91\.0 MiB \| \+1\.00/,
  );
});

Deno.test("a load is not met by no runs at all", () => {
  assert.equal(isMet({ ...REPORT, lags: [] }), false);
});

Deno.test("a load is missed for each thing that must hold, and says by what", () => {
  assert.deepEqual(missed({ failures: { "failed internal": 2 } }), ["2 (2 × failed internal)"]);
  assert.deepEqual(missed({ loggedErrors: 4 }), ["4"]);
  assert.deepEqual(missed({ leftBehind: 1 }), ["1"]);
  assert.deepEqual(missed({ lags: [lag("all", 40), lag("the other 49", 39)] }), ["39.0 s"]);
  assert.deepEqual(missed({ waiting: { count: 1, longest: 99, longest_of_others: 99 } }), [
    "2.0 s",
  ]);
  const samples = (...processes: ProcessUse[]) => ({ samples: { mostConnections: 26, processes } });
  assert.deepEqual(
    missed(samples(use("dispatcher", 90, 130), use("sync-google-drive", 270, 260))),
    [
      "26",
      "sync-google-drive",
      "dispatcher",
    ],
  );
});
