import assert from "node:assert/strict";
import { parseTestOptions } from "../../scripts/test_options.ts";
import { readJunit } from "../../scripts/test_report.ts";

Deno.test("readJunit() counts what passed and what failed", () => {
  const xml =
    '<?xml version="1.0"?>\n<testsuites name="deno test" tests="12" failures="2" errors="1" time="1.5">';
  assert.deepEqual(readJunit(xml), { passed: 9, failed: 3 });
  assert.deepEqual(readJunit(""), { passed: 0, failed: 0 });
});

Deno.test("parseTestOptions() runs everything unless told, the end-to-end tests last", async () => {
  const all = await parseTestOptions([]);
  assert.equal(all.isEverything, true);
  assert.ok(all.paths.includes("tests/local"));
  assert.equal(all.paths.includes("tests/e2e"), false);
  assert.deepEqual(all.endToEndPaths, ["tests/e2e"]);
  const some = await parseTestOptions(["tests/e2e/start_test.ts", "tests/unit", "--filter=x"]);
  assert.deepEqual(some.paths, ["tests/unit"]);
  assert.deepEqual(some.endToEndPaths, ["tests/e2e/start_test.ts"]);
  assert.equal(some.isEverything, false);
});
