import assert from "node:assert/strict";
import type { CampaignReport } from "../../../local/chaos/campaign.ts";
import { CHECKS, countFaults, faultOf } from "../../../local/chaos/faults.ts";
import { sumUp } from "../../../local/chaos/lease_watch.ts";
import { reportLines, toMarkdown } from "../../../local/chaos/report.ts";

const REPORT: CampaignReport = {
  kills: { dispatcher: 30, server: 10 },
  troubles: { pool_full: 2 },
  killed: 40,
  leasesLost: 7,
  firstSyncsLost: 3,
  lapsed: sumUp(new Map([["a", 1.5], ["b", 4.25]])),
  changes: 900,
  seconds: 200,
  serverVersion: "17.10",
  standIns: ["pg_net"],
  faults: [],
  endpoints: 12,
  files: 9_876,
  settledSeconds: 14,
  askedAgain: 1,
  removed: 3,
  runs: { byEnd: { completed: 80, "failed unavailable": 2 }, byMode: { "google_drive full": 20 } },
};

Deno.test("faultOf() is nothing for an empty list, and tells of the first ones of a long one", () => {
  assert.deepEqual(faultOf("files lost", []), []);
  assert.deepEqual(faultOf("files lost", ["a", "b", "c", "d"], "Drive: "), [
    { check: "files lost", count: 4, told: "Drive: a; b; c; 4 in all" },
  ]);
});

Deno.test("countFaults() counts every check, those of which nothing was found too", () => {
  const counts = countFaults([
    ...faultOf("files lost", ["a", "b"]),
    ...faultOf("files lost", ["c"]),
  ]);
  assert.deepEqual([...counts.keys()], [...CHECKS]);
  assert.equal(counts.get("files lost"), 3);
  assert.equal(counts.get("runs left running"), 0);
});

Deno.test("a lease long past its end is stuck, one that a tick returned is not", () => {
  assert.deepEqual(sumUp(new Map()), { lapsed: 0, longestSeconds: 0, faults: [] });
  assert.deepEqual(sumUp(new Map([["a", 3]])), { lapsed: 1, longestSeconds: 3, faults: [] });
  const { faults } = sumUp(new Map([["a", 3], ["b", 61.2]]));
  assert.deepEqual(
    faults,
    faultOf("leases stuck beyond their time", ["one was 61 s past its end"]),
  );
});

Deno.test("the report of a campaign has a figure for everything that is looked at", () => {
  const page = toMarkdown(REPORT, 5, ["2 cores"]);
  for (const check of CHECKS) assert.ok(page.includes(`| ${check} | 0 |`), check);
  assert.ok(page.includes("| dispatcher | 30 |") && page.includes("| pool_full | 2 |"));
  assert.ok(
    page.includes("7, 3 of them of first syncs; 2 were seen past their end, the longest for 4.3 s"),
  );
  assert.ok(page.includes("| endpoints, files compared | 12, 9,876 |"));
  assert.ok(page.includes("| endpoints removed meanwhile | 3 |"));
});

Deno.test("the report of a campaign tells of its faults, on the terminal and on the page", () => {
  const faults = faultOf("files lost", ["one"], "Tower: ");
  assert.equal(reportLines({ ...REPORT, faults }).at(-1), "FAULT  files lost: Tower: one");
  const page = toMarkdown({ ...REPORT, faults }, 5, []);
  assert.ok(page.includes("| files lost | 1 |") && page.includes("- files lost: Tower: one"));
});
