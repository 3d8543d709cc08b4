/** Commands that take no flags: whoever asks what they do does not start them. */
import assert from "node:assert/strict";
import { fromFileUrl } from "../support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

for (const [task, script] of [["gen:types", "gen_types.ts"], ["ok", "ok.ts"]] as const) {
  Deno.test(`deno task ${task} explains itself, and refuses flags that it does not know`, async () => {
    const help = await run(script, "--help");
    assert.equal(help.code, 0, help.text);
    assert.ok(help.text.startsWith(`deno task ${task}\n`), help.text);
    const unknown = await run(script, "--frobnicate");
    assert.equal(unknown.code, 2, unknown.text);
    assert.match(unknown.text, /^error: Unknown option '--frobnicate'.*\(see --help\)\n$/);
  });
}

async function run(script: string, ...flags: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `scripts/${script}`, ...flags],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
