/** What a function takes from the environment before any request: it shows in every line of its logs. */
import assert from "node:assert/strict";
import { fromFileUrl } from "../support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const SCRIPT = `
import { liveDeps } from "./supabase/functions/_shared/handlers/live_deps.ts";
const { log } = liveDeps("health");
log.info("first");
log.warn("second", { environment: "forged" });
`;

Deno.test("every line of the logs carries the name of the deployment, where it has one", async () => {
  const named = await linesOf({ CONNECTOR_ENVIRONMENT: "staging", SB_EXECUTION_ID: "e1" });
  assert.deepEqual(named.map(({ event, environment }) => [event, environment]), [
    ["first", "staging"],
    ["second", "staging"],
  ]);
  assert.deepEqual(named.map(({ execution_id }) => execution_id), ["e1", "e1"]);
  const [unnamed = {}] = await linesOf({ CONNECTOR_ENVIRONMENT: " " });
  assert.ok(!("environment" in unnamed), JSON.stringify(unnamed));
});

async function linesOf(env: Record<string, string>): Promise<Record<string, unknown>[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", SCRIPT],
    cwd: ROOT,
    env,
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return text.trim().split("\n").filter((line) => line.startsWith("{")).map((line) =>
    JSON.parse(line)
  );
}
