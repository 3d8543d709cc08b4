import assert from "node:assert/strict";
import { groupTests, RUN_ALONE, testFiles } from "../../scripts/test_groups.ts";
import { lanesOfMachine, parseTestOptions } from "../../scripts/test_options.ts";
import { readTestOutput } from "../../scripts/test_command.ts";
import { readJunit } from "../../scripts/test_report.ts";

Deno.test("readJunit() counts what passed and what failed", () => {
  const xml =
    '<?xml version="1.0"?>\n<testsuites name="deno test" tests="12" failures="2" errors="1" time="1.5">';
  assert.deepEqual(readJunit(xml), { passed: 9, failed: 3, failures: [] });
  assert.deepEqual(readJunit(""), { passed: 0, failed: 0, failures: [] });
});

Deno.test("readJunit() does not count what was left out", () => {
  const xml = '<testsuites tests="3" failures="1" errors="0">' +
    '<testcase name="a"></testcase><testcase name="b"><skipped/></testcase></testsuites>';
  assert.deepEqual(readJunit(xml), { passed: 1, failed: 1, failures: [] });
});

Deno.test("readJunit() names each test that failed, and says why in a few lines", () => {
  const stack = Array.from({ length: 40 }, (_, line) => `    at file:///a.ts:${line}:1`).join("\n");
  const xml = `<testsuites tests="3" failures="2" errors="0"><testsuite name="./a_test.ts">
    <testcase name="fine" classname="./a_test.ts" line="1"></testcase>
    <testcase name="a &amp; &quot;b&quot;" classname="./a_test.ts" line="2">
      <failure message="Uncaught">Error: 1 &lt; 2\n\n&#39;${stack}</failure>
    </testcase>
    <testcase name="c" classname="./c_test.ts" line="3"><error message="x">Error: x</error></testcase>
  </testsuite></testsuites>`;
  const [first = "", second = ""] = readJunit(xml).failures;
  const lines = first.split("\n");
  assert.deepEqual(lines.slice(0, 2), ['./a_test.ts: a & "b"', "    Error: 1 < 2"]);
  assert.equal(lines.length, 13);
  assert.equal(second, "./c_test.ts: c\n    Error: x");
});

Deno.test("readTestOutput() reads the counts, and tells again what failed", () => {
  const title = "test ... FAILED\n== what failed\n";
  assert.deepEqual(
    readTestOutput(`${title}./a_test.ts: a\n    Error: x\n2 passed, 1 failed\n`, false),
    {
      passed: 2,
      failed: 1,
      failures: ["./a_test.ts: a\n    Error: x"],
    },
  );
  assert.deepEqual(readTestOutput("ok\n3 passed, 0 failed\n", true), {
    passed: 3,
    failed: 0,
    failures: [],
  });
  assert.equal(readTestOutput("3 passed, 0 failed\n", false)?.failed, 1);
  assert.equal(readTestOutput("error: killed", false), null);
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

Deno.test("parseTestOptions() takes several lanes where everything runs, one where tests are picked out", async () => {
  const all = await parseTestOptions([]);
  assert.equal(all.lanes, lanesOfMachine());
  assert.equal((await parseTestOptions(["tests/unit"])).lanes, 1);
  assert.equal((await parseTestOptions(["--filter=x"])).lanes, 1);
  assert.equal((await parseTestOptions(["tests/unit", "--lanes=3"])).lanes, 3);
  for (const lanes of ["0", "5", "two", ""]) {
    await assert.rejects(parseTestOptions([`--lanes=${lanes}`]), /must be 1 to 4/);
  }
});

Deno.test("groupTests() gives every test file to one group, and those that measure to no lane", async () => {
  const { paths, endToEndPaths } = await parseTestOptions([]);
  const { shared, alone, endToEnd } = await groupTests({ paths, endToEndPaths });
  const grouped = [...shared, ...alone, ...endToEnd].flatMap(({ files }) => files);
  assert.deepEqual(grouped.sort(), await testFiles(["tests"]));
  assert.deepEqual(alone.flatMap(({ files }) => files), [...RUN_ALONE].sort());
  assert.ok(endToEnd.every(({ name }) => name.startsWith("tests/e2e/")));
});

Deno.test("groupTests() leaves what does not exist to the test runner, and takes no file twice", async () => {
  const file = "tests/unit/log_test.ts";
  const { shared } = await groupTests({
    paths: [file, "tests/unit", "nowhere"],
    endToEndPaths: [],
  });
  const files = shared.flatMap((group) => group.files);
  assert.equal(files.filter((each) => each === file).length, 1);
  assert.ok(files.includes("nowhere"));
});
