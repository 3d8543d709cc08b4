import assert from "node:assert/strict";
import { join } from "node:path";
import { replaceSection, SECTIONS, writeSection } from "../../bench/results.ts";

const PAGE = SECTIONS.reduce((page, name) => replaceSection(page, name, `${name} of old`), "");

Deno.test("replaceSection() makes a page of nothing, with the sections in order", () => {
  const inReverse = SECTIONS.toReversed()
    .reduce((page, name) => replaceSection(page, name, `${name} of old`), "");
  assert.equal(inReverse, PAGE);
  assert.match(
    PAGE,
    /^# Results\n\n[^#]+\n## Benchmark\n\n.*\n\n## Load\n\n.*\n\n## Chaos\n\n.*\n$/,
  );
});

Deno.test("replaceSection() leaves the other sections as they are", () => {
  for (const name of SECTIONS) {
    const body = `${name} of today\n\n### How it is measured\n\nWith a watch.`;
    const page = replaceSection(PAGE, name, body);
    assert.equal(page, PAGE.replace(`${name} of old`, body));
    assert.equal(replaceSection(page, name, body), page);
  }
});

Deno.test("replaceSection() keeps a head and a section that it does not know", () => {
  const page = replaceSection("Mine.\n\n## Notes\n\nKept.\n", "Load", "New");
  assert.equal(page, "Mine.\n\n## Load\n\nNew\n\n## Notes\n\nKept.\n");
  assert.equal(
    replaceSection(page, "Chaos", "Newer"),
    "Mine.\n\n## Load\n\nNew\n\n## Chaos\n\nNewer\n\n## Notes\n\nKept.\n",
  );
});

Deno.test("replaceSection() takes a body as it is, whatever its signs mean elsewhere", () => {
  const body = "$& costs $1, $$ and \\1";
  assert.ok(replaceSection(PAGE, "Load", body).includes(`## Load\n\n${body}\n`));
});

Deno.test("writeSection() writes a page that is not there yet, in the repository's format", async () => {
  const folder = await Deno.makeTempDir({ prefix: "file_connector_results_" });
  try {
    const path = join(folder, "results.md");
    await writeSection("Load", "| a | b |\n| --- | --- |\n| long cell | 2 |", path);
    const once = await Deno.readTextFile(path);
    assert.ok(once.includes("| a         | b |\n| --------- | - |\n| long cell | 2 |"));
    await writeSection("Chaos", "None.", path);
    await writeSection("Load", "| a | b |\n| --- | --- |\n| long cell | 2 |", path);
    assert.equal(await Deno.readTextFile(path), `${once}\n## Chaos\n\nNone.\n`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
