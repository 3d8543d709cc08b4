/** The last check of a test run, on the notes of a run that is made up. */
import assert from "node:assert/strict";
import { createTerminal } from "../../local/terminal.ts";
import { OUTPUT_FILE, searchRun } from "../../scripts/secret_search.ts";
import type { Tally } from "../../scripts/steps.ts";

const VALUE = `made-up-${crypto.randomUUID()}`;
const STACK = { name: "a stack", values: 1, bytes: 1, tookMs: 1, leaks: [], failure: null };

/** Searches a run that has left these files; answers the counts and what was said. */
async function searched(
  files: Readonly<Record<string, readonly unknown[]>>,
  options = { isEverything: false, paths: ["tests/db"] },
): Promise<{ readonly tally: Tally; readonly said: string }> {
  const folder = await Deno.makeTempDir();
  let said = "";
  const terminal = createTerminal({
    isInteractive: false,
    columns: () => 200,
    write: (text) => said += text,
    writeError: (text) => said += text,
  });
  try {
    for (const [name, lines] of Object.entries(files)) {
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return { tally: await searchRun(folder, terminal, options), said };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const SECRETS = { "secrets-1.jsonl": [{ name: "access_token", value: VALUE }] };
const STACKS = { "searches-1.jsonl": [STACK] };

Deno.test("a run without a leak passes, with a check for each stack and one for what was written", async () => {
  const { tally, said } = await searched({ ...SECRETS, ...STACKS });
  assert.deepEqual(tally, { passed: 2, failed: 0, failures: [] });
  assert.match(said, /1 values, 2 searches, .* 0 found in clear/);
});

for (
  const [place, files] of [
    ["answer of GET /x", {
      "texts-1.jsonl": [{ name: "answer of GET /x", text: `{"a":"${VALUE}"}` }],
    }],
    ["a function's log", { "texts-2.jsonl": [{ name: "a function's log", text: VALUE }] }],
    ["the output of the test run", { [OUTPUT_FILE]: [VALUE] }],
    ["public.files", {
      "searches-2.jsonl": [{
        ...STACK,
        leaks: [{ secret: "access_token", place: "public.files" }],
      }],
    }],
  ] as const
) {
  Deno.test(`a secret in ${place} fails the run, which names it and does not show it`, async () => {
    const { tally, said } = await searched({ ...SECRETS, ...STACKS, ...files });
    assert.equal(tally.failed, 1, said);
    assert.ok(said.includes(`access_token is in clear in ${place}`), said);
    assert.ok(!said.includes(VALUE));
  });
}

Deno.test("a run fails whose stack could not be searched, or was not", async () => {
  const broken = { "searches-1.jsonl": [{ ...STACK, failure: "it is gone" }] };
  const failedWith = (failure: string) => ({ passed: 1, failed: 1, failures: [failure] });
  assert.deepEqual(
    (await searched({ ...SECRETS, ...broken })).tally,
    failedWith(`search for secrets: cannot search ${STACK.name}: it is gone`),
  );
  assert.deepEqual(
    (await searched(SECRETS)).tally,
    failedWith("search for secrets: no database was searched"),
  );
});

Deno.test("a run of all tests fails when a kind of secret was never registered", async () => {
  const { tally, said } = await searched({ ...SECRETS, ...STACKS }, {
    isEverything: true,
    paths: ["tests/db"],
  });
  assert.deepEqual([tally.passed, tally.failed, tally.failures.length], [2, 1, 1]);
  assert.match(said, /no value was registered of: assertion, client_secret/);
});
