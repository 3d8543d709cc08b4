import assert from "node:assert/strict";
import { repositoryRoot } from "../../local/paths.ts";
import { replaceSection, SECTIONS } from "../../bench/results_file.ts";

Deno.test("replaceSection() puts the sections in their order, whichever is written first", () => {
  const late = replaceSection("", "Chaos", "killed\n");
  const both = replaceSection(late, "Benchmark", "\nfast\n\n### How\n\nso\n");
  assert.ok(both.startsWith("# Results\n\n"));
  assert.ok(both.endsWith("## Benchmark\n\nfast\n\n### How\n\nso\n\n## Chaos\n\nkilled\n"), both);
});

Deno.test("replaceSection() leaves the other sections as they are, and is the same when repeated", () => {
  const page = SECTIONS.reduce((text, name) => replaceSection(text, name, `of ${name}`), "");
  const changed = replaceSection(page, "Load", "lag\n### How\nso");
  assert.equal(changed, page.replace("of Load", "lag\n### How\nso"));
  assert.equal(replaceSection(changed, "Load", "lag\n### How\nso"), changed);
});

Deno.test("bench/results.md is what its commands write", async () => {
  const page = await Deno.readTextFile(`${repositoryRoot()}/bench/results.md`);
  const again = SECTIONS.reduce((text, name) => {
    const [, part] = page.split(`## ${name}\n`);
    const content = part?.split(/\n## /)[0];
    return content === undefined ? text : replaceSection(text, name, content);
  }, "");
  assert.equal(again, page);
});
