import assert from "node:assert/strict";
import { StackError } from "../../local/failure.ts";
import { repositoryRoot } from "../../local/paths.ts";
import { parseStartOptions } from "../../local/start_options.ts";

function refusal(...args: string[]): string {
  try {
    parseStartOptions(args);
  } catch (cause) {
    assert(cause instanceof StackError);
    assert.equal(cause.message.includes("\n"), false);
    return cause.message;
  }
  throw new Error(`${args.join(" ")} was accepted`);
}

Deno.test("parseStartOptions() serves this repository on the Supabase CLI's ports unless told otherwise", () => {
  const options = parseStartOptions([]);
  assert.deepEqual(options.demo, { type: "folder", path: repositoryRoot() });
  assert.deepEqual([options.apiPort, options.dbPort, options.database], [54321, 54322, "embedded"]);
});

Deno.test("parseStartOptions() takes a database by name or by URL", () => {
  assert.equal(parseStartOptions(["--database=system"]).database, "system");
  const url = "postgresql://supabase_admin:postgres@127.0.0.1:5432/postgres";
  assert.equal(String(parseStartOptions(["--database", url]).database), url);
  assert.equal(String(parseStartOptions(["--database-url", url]).database), url);
});

Deno.test("parseStartOptions() refuses what cannot work, in one line that says what can", () => {
  assert.match(refusal("--api-port=99999"), /--api-port .* from 0 to 65535.*"99999"/);
  assert.match(refusal("--files=many"), /--files .* whole number/);
  assert.match(refusal("--database=mysql"), /embedded, system or a postgresql:\/\/ URL/);
  assert.match(refusal("--folder=/nowhere/at/all"), /does not exist/);
  assert.match(refusal(`--folder=${import.meta.filename}`), /is not a folder/);
  assert.match(refusal("--folder=.", "--files=1"), /choose one/);
  assert.match(refusal("--no-demo", "--files=1"), /--no-demo/);
  assert.match(refusal("--database=system", "--database-url=postgresql://x"), /choose one/);
  assert.match(refusal("--unknown"), /--unknown.*--help/);
});
