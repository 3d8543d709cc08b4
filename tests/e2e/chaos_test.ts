/** The short form of `deno task chaos`. Another seed: CONNECTOR_TEST_CHAOS_SEED. */
import assert from "node:assert/strict";
import { runCampaign } from "../../local/chaos/campaign.ts";
import { VICTIMS } from "../../local/chaos/kills.ts";
import { reportLines } from "../../local/chaos/report.ts";

const KILLS = 20;
const SEED = 1;

Deno.test("killed twenty times, cut off and starved, the connector ends up with the providers' truth", async () => {
  const said: string[] = [];
  const report = await runCampaign({
    server: Deno.env.get("CONNECTOR_E2E_DATABASE") === "system" ? "system" : "embedded",
    seed: Number(Deno.env.get("CONNECTOR_TEST_CHAOS_SEED") ?? SEED),
    kills: KILLS,
    scale: 0.2,
    longestPauseMs: 1_200,
    longestTroubleMs: 2_500,
    endsWithDeploy: true,
    say: (line) => said.push(line),
  });
  const told = [...said, ...reportLines(report)].join("\n");
  assert.deepEqual(report.faults, [], told);
  assert.ok(report.killed >= KILLS, told);
  for (const victim of Object.keys(VICTIMS)) {
    // A system server has its scheduler inside.
    if (victim === "scheduler" && report.kills[victim] === undefined) continue;
    assert.ok((report.kills[victim] ?? 0) > 0, `${victim} was never killed\n${told}`);
  }
  assert.ok(
    report.files > 0 && report.changes > 0 && Object.keys(report.troubles).length > 0,
    told,
  );
});
