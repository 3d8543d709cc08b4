/** `deno task token` where it cannot make one: the status says whose fault it is, the line what to do. */
import assert from "node:assert/strict";
import { fromFileUrl } from "../support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const ADA = "11111111-1111-4111-8111-111111111111";

Deno.test("deno task token says how to start a stack where none is running", async () => {
  const { code, text } = await token("--user", ADA);
  assert.equal(code, 1, text);
  assert.match(text, /^error: No stack is running in "[^"]+": .*`npx --yes deno task start`.*\n$/);
});

Deno.test("deno task token ends with 2 when it is used wrongly", async () => {
  const { code, text } = await token("--user", "me");
  assert.equal(code, 2, text);
  assert.match(text, /^error: Cannot make a token: --user must be a user's UUID\n$/);
});

async function token(...flags: string[]) {
  const stateDir = await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "local/token.ts", "--state-dir", stateDir, ...flags],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
}
