import assert from "node:assert/strict";
import { median, show, showMs } from "../../bench/measure.ts";
import { parseBenchOptions } from "../../bench/options.ts";
import { reportLines, toMarkdown } from "../../bench/report.ts";
import type { Measured } from "../../bench/row.ts";

const MEASURED: Measured = {
  row: { name: "speed", method: "With a watch.", measure: () => Promise.resolve([]) },
  results: [{
    measure: "this | that",
    figure: "2.00 ×",
    must: "≤ 3 ×",
    aim: "≤ 1 ×",
    isMet: true,
    isAimMet: false,
    detail: "4 s against 2 s",
  }],
};

Deno.test("median() is the middle one, or lies between the middle two", () => {
  assert.equal(median([9, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 9]), 3.5);
  assert.throws(() => median([]), RangeError);
});

Deno.test("show() and showMs() give no more digits than can be trusted", () => {
  assert.deepEqual([0.876, 12.34, 123.4, 12345.6].map(show), ["0.88", "12.3", "123", "12,346"]);
  assert.deepEqual([12.34, 12_340].map(showMs), ["12.3 ms", "12.3 s"]);
});

Deno.test("parseBenchOptions() picks measurements and refuses what it does not know", () => {
  const known = ["cpu", "tick"];
  assert.deepEqual(parseBenchOptions(["--quick", "--row", "tick"], known), {
    isHelp: false,
    isQuick: true,
    rows: ["tick"],
    rounds: 3,
  });
  assert.equal(parseBenchOptions([], known).rounds, 5);
  assert.throws(() => parseBenchOptions(["--row", "speed"], known), /one of cpu, tick/);
  assert.throws(() => parseBenchOptions(["--rounds", "0"], known), /whole number/);
});

Deno.test("a report says of each figure whether what must be, and what is aimed at, is met", () => {
  assert.match(
    reportLines([MEASURED]).at(-1) ?? "",
    /^this \| that {2}2\.00 × .* met .*4 s against 2 s$/,
  );
  const page = toMarkdown([MEASURED], ["2 cores"], 5);
  assert.ok(page.includes("| this \\| that | 2.00 × | ≤ 3 × | ≤ 1 × | met | 4 s against 2 s |"));
  assert.ok(page.includes("- **speed**: With a watch."));
});
