/** The documents say nothing that the repository contradicts. */
import assert from "node:assert/strict";
import denoConfig from "../deno.json" with { type: "json" };
import { SUPABASE_CLI } from "../local/supabase_cli.ts";
import { FAILURE_CODES } from "../supabase/functions/_shared/errors.ts";
import { REQUEST_CODES } from "../supabase/functions/_shared/http/http_error.ts";
import { fromFileUrl, readTree, type TextFile } from "./support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const OPERATIONS = "docs/operations.md";
const LONGEST_README_LINES = 200;

const documents: readonly TextFile[] = [
  ...await Promise.all(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(readDocument)),
  ...await readTree(ROOT, "docs/", ".md"),
];

async function readDocument(path: string): Promise<TextFile> {
  return { path, text: await Deno.readTextFile(`${ROOT}${path}`) };
}

function document(path: string): string {
  const found = documents.find((candidate) => candidate.path === path);
  assert.ok(found !== undefined, `${path} is missing`);
  return found.text;
}

/** Code blocks and code in a line hold no links and no headings. */
function withoutCode(text: string): string {
  return text.replace(/^([ \t]*)```[\s\S]*?^\1```/gm, "").replace(
    /`[^`\n]*`/g,
    (code) => code.replaceAll(/[[\]()#]/g, ""),
  );
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = withoutCode(text).matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    Array.from(
      headings,
      ([, heading = ""]) =>
        heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-"),
    ),
  );
}

/** Links that stay inside the repository. */
function linksOf(text: string): string[] {
  return Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/i.test(target));
}

function assertNone(rule: string, breaches: readonly string[]): void {
  assert.equal(breaches.length, 0, `${rule}\n  ${breaches.join("\n  ")}\n`);
}

/** The first cells of a document's table rows, without their back-ticks. */
function entriesOf(text: string): ReadonlySet<string> {
  const cells = Array.from(text.matchAll(/^\| ([^|]+)\|/gm), ([, cell = ""]) => cell);
  return new Set(
    cells.flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name)),
  );
}

Deno.test("every link of the documents leads to a file and a heading that exist", async () => {
  const breaches: string[] = [];
  for (const { path, text } of documents) {
    for (const link of linksOf(text)) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : new URL(file, `file:///${path}`).pathname.slice(1);
      const content = await Deno.readTextFile(`${ROOT}${target}`).catch(() => null);
      if (content === null) breaches.push(`${path}: ${link} leads to no file`);
      else if (anchor !== undefined && !anchorsOf(content).has(anchor)) {
        breaches.push(`${path}: ${link} leads to no heading`);
      }
    }
  }
  assertNone("A document links to what exists.", breaches);
});

Deno.test("every task that the documents name is a task of deno.json", () => {
  const tasks = new Set(Object.keys(denoConfig.tasks));
  const named = documents.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/deno task (?:--\S+ )*([a-z][a-z:_-]*)/g), ([, task = ""]) => ({
      path,
      task,
    }))
  );
  assert.ok(named.length > 10, `only ${named.length} tasks were found`);
  assertNone(
    "`deno task X` in a document is a task of deno.json.",
    named.filter(({ task }) => !tasks.has(task)).map(({ path, task }) => `${path}: ${task}`),
  );
});

Deno.test("the documents use the pinned version of the CLI", () => {
  assertNone(
    `The documents say ${SUPABASE_CLI}, as local/supabase_cli.ts does.`,
    documents.flatMap(({ path, text }) =>
      Array.from(text.matchAll(/\bsupabase@[\d.]+\d/g), ([version]) => version)
        .filter((version) => version !== SUPABASE_CLI).map((version) => `${path}: ${version}`)
    ),
  );
});

Deno.test("every error code has an entry in docs/operations.md", () => {
  const entries = entriesOf(document(OPERATIONS));
  assertNone(
    `${OPERATIONS} says of each code what it means and what to do.`,
    [...FAILURE_CODES, ...REQUEST_CODES].filter((code) => !entries.has(code)),
  );
});

Deno.test("every SQLSTATE that the migrations raise has an entry in docs/operations.md", async () => {
  const entries = entriesOf(document(OPERATIONS));
  const migrations = await readTree(ROOT, "supabase/migrations/", ".sql");
  const raised = new Set(
    migrations.flatMap(({ text }) =>
      Array.from(text.matchAll(/'((?:FC|PT)\d{3})'/g), ([, state = ""]) => state)
    ),
  );
  assert.ok(raised.has("FC001"), "no SQLSTATE was found in the migrations");
  assertNone(
    `${OPERATIONS} lists each SQLSTATE under "SQLSTATEs".`,
    [...raised].filter((state) => !entries.has(state)),
  );
});

Deno.test("every event that the functions log has an entry in docs/operations.md, and no other", async () => {
  const [, logs = ""] = document(OPERATIONS).split(/^## Logs$/m);
  const entries = entriesOf(logs.split(/^## /m)[0] ?? "");
  const sources = await readTree(ROOT, "supabase/functions/", ".ts");
  const call = /\blog(?:\.(?:debug|info|warn|error)|\[[^\]]+\])\(([^{;]*)/g;
  // The first argument is a name, or a choice between two.
  const events = new Set(
    sources.flatMap(({ text }) =>
      Array.from(text.matchAll(call), ([, argument = ""]) => argument).flatMap((argument) =>
        Array.from(argument.matchAll(/(?:^|[?:])\s*"([a-z_]+)"/g), ([, event = ""]) => event)
      )
    ),
  );
  assert.ok(events.size > 40 && events.has("lease_lost"), [...events].join());
  assertNone(`${OPERATIONS}, "Logs", says what each event means.`, [
    ...[...events].filter((event) => !entries.has(event)),
    ...[...entries].filter((event) => !events.has(event)).map((event) => `${event} is not logged`),
  ]);
});

Deno.test("every setting of .env.example has an entry in docs/operations.md, and no other", async () => {
  const example = await Deno.readTextFile(`${ROOT}.env.example`);
  const settings = new Set(
    Array.from(example.matchAll(/^(?:# )?(CONNECTOR_[A-Z_]+)=/gm), ([, name = ""]) => name),
  );
  const entries = [...entriesOf(document(OPERATIONS))].filter((name) =>
    name.startsWith("CONNECTOR_")
  );
  assert.ok(settings.size > 10, `only ${settings.size} settings were found`);
  assert.deepEqual(entries.sort(), [...settings].sort());
});

Deno.test("the README lists every function, begins with the two commands and stays short", async () => {
  const readme = document("README.md");
  const entries = entriesOf(readme);
  const slugs: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}supabase/functions`)) {
    if (isDirectory && /^[a-z]/.test(name)) slugs.push(name);
  }
  assertNone(
    "The README's table of functions is complete.",
    slugs.filter((slug) => !entries.has(slug)),
  );
  const opening = readme.split("\n").slice(0, 10).join("\n");
  assert.match(opening, /npx --yes deno task start[\s\S]*npx --yes deno task test/);
  assert.ok(readme.split("\n").length <= LONGEST_README_LINES);
});

Deno.test("the changelog has an entry for the version of deno.json", () => {
  assert.match(document("CHANGELOG.md"), new RegExp(`^## \\[${denoConfig.version}\\]`, "m"));
});

Deno.test("every test file that docs/architecture.md names exists", async () => {
  const named = new Set(document("docs/architecture.md").match(/tests\/[\w/]+_test\.ts/g));
  assert.ok(named.size > 10, `only ${named.size} test files are named`);
  const missing: string[] = [];
  for (const path of named) {
    if (await Deno.stat(`${ROOT}${path}`).catch(() => null) === null) missing.push(path);
  }
  assertNone("An invariant names the test that holds it.", missing);
});
