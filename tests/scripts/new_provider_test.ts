/** `deno task new:provider`: what it writes works, and nothing of it can be left out unnoticed. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { scaffoldProvider } from "../../scripts/provider_scaffold.ts";
import { fromFileUrl } from "../support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const NOW = new Date("2020-01-01T00:00:00Z");
const NAME = "paper_cloud";

/** As in CONTRIBUTING.md, which walks through it. */
const COMMAND = ["task", "new:provider", NAME];

/** What a provider is made of and tested with. */
const COPIED = [
  "deno.json",
  "deno.lock",
  "README.md",
  "supabase/config.toml",
  "supabase/functions",
  "supabase/migrations",
  "scripts",
  "local",
  "tests/architecture_test.ts",
  "tests/support",
  "tests/testdata",
  "tests/unit/provider_contract_test.ts",
];

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(dirname(to), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

async function withCopy(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const path of COPIED) await copy(join(ROOT, path), join(root, path));
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function deno(root: string, ...args: readonly string[]) {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1", DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  return { success, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

function architectureTest(root: string) {
  return deno(root, "test", "-A", "--no-check", "tests/architecture_test.ts");
}

async function change(path: string, edit: (text: string) => string): Promise<() => Promise<void>> {
  const before = await Deno.readTextFile(path);
  assert.notEqual(edit(before), before, `nothing was taken out of ${path}`);
  await Deno.writeTextFile(path, edit(before));
  return () => Deno.writeTextFile(path, before);
}

async function hide(path: string): Promise<() => Promise<void>> {
  await Deno.rename(path, `${path}.hidden`);
  return () => Deno.rename(`${path}.hidden`, path);
}

Deno.test("new:provider writes a provider that is formatted, compiles and passes every rule; none of its pieces can go unnoticed", async (context) => {
  await withCopy(async (root) => {
    let written: readonly string[] = [];
    await context.step("it writes every piece and says so", async () => {
      const { success, output } = await deno(root, ...COMMAND);
      const contributing = await Deno.readTextFile(`${ROOT}CONTRIBUTING.md`);
      assert.ok(contributing.includes(`npx --yes deno ${COMMAND.join(" ")}\n`));
      assert.ok(success, output);
      written = Array.from(output.matchAll(/^wrote (.+)$/gm), ([, path = ""]) => path);
      assert.equal(written.length, 8 + 1 + 1 + 1 + 3, output);
    });

    await context.step("what it wrote is formatted, and compiles", async () => {
      const sources = written.filter((path) => /\.(ts|json|md)$/.test(path));
      const formatted = await deno(root, "fmt", "--check", ...sources);
      assert.ok(formatted.success, formatted.output);
      const code = written.filter((path) => path.endsWith(".ts"));
      const linted = await deno(root, "lint", ...code);
      assert.ok(linted.success, linted.output);
      const checked = await deno(root, "check", ...code);
      assert.ok(checked.success, checked.output);
    });

    await context.step("the rules of the code and the contract hold", async () => {
      const tests = ["tests/architecture_test.ts", "tests/unit/provider_contract_test.ts"];
      const { success, output } = await deno(root, "test", "-A", "--no-check", ...tests);
      assert.ok(success, output);
      assert.match(output, new RegExp(`${NAME}: a listing ends.*ok`));
    });

    const migration = written.find((path) => path.endsWith(`_add_${NAME}.sql`)) ?? "";
    const registry = join(root, "supabase/functions/_shared/providers/registry.ts");
    const slug = "sync-paper-cloud";
    const pieces: readonly (readonly [string, string, () => Promise<() => Promise<void>>])[] = [
      [
        "the import of the registry",
        `registry.ts: does not import "./${NAME}/index.ts"`,
        () =>
          change(registry, (text) =>
            text.replace(/^import \{ paperCloudProvider.*\n/m, "")
              .replace(", paperCloudProvider", "")),
      ],
      [
        "the line of the registry",
        "registry.ts: PROVIDERS has ",
        () => change(registry, (text) => text.replace(", paperCloudProvider", "")),
      ],
      [
        "the function",
        `supabase/functions/${slug}/index.ts: is missing`,
        () => hide(join(root, `supabase/functions/${slug}/index.ts`)),
      ],
      [
        "the stanza",
        `supabase/config.toml: has no [functions.${slug}]`,
        () =>
          change(
            join(root, "supabase/config.toml"),
            (text) => text.replace(`[functions.${slug}]`, ""),
          ),
      ],
      [
        "the migration",
        `none inserts '${NAME}' into connector.endpoint_types`,
        () => hide(join(root, migration)),
      ],
      [
        "the data of the contract tests",
        `tests/testdata/${NAME}/contract.json: is missing`,
        () => hide(join(root, `tests/testdata/${NAME}/contract.json`)),
      ],
    ];
    for (const [piece, complaint, takeAway] of pieces) {
      await context.step(`without ${piece} the architecture test names it`, async () => {
        const putBack = await takeAway();
        const { success, output } = await architectureTest(root);
        await putBack();
        assert.equal(success, false);
        assert.ok(output.includes(complaint), output);
      });
    }

    await context.step("the same name is taken now", async () => {
      await assert.rejects(scaffoldProvider(root, NAME, NOW), /is there already/);
    });
  });
});

Deno.test("new:provider gives its migration a time after the last one, whatever the clock says", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const path of ["README.md", "supabase"]) await copy(join(ROOT, path), join(root, path));
    const last = async () => {
      const names = await Array.fromAsync(Deno.readDir(`${root}/supabase/migrations`));
      return names.map(({ name }) => name).sort().at(-1) ?? "";
    };
    const before = await last();
    await scaffoldProvider(root, "paper_a", NOW);
    assert.match(await last(), /_add_paper_a\.sql$/);
    assert.ok(await last() > before);
    await scaffoldProvider(root, "paper_b", NOW);
    assert.match(await last(), /_add_paper_b\.sql$/);
    await scaffoldProvider(root, "paper_c", new Date("2099-05-06T07:08:09Z"));
    assert.equal(await last(), "20990506070809_add_paper_c.sql");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("new:provider refuses names that are bad or taken, and writes nothing", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const path of ["README.md", "supabase"]) await copy(join(ROOT, path), join(root, path));
    const refusals = [
      ["", /lower-case letters/],
      ["Dropbox", /lower-case letters/],
      ["3d", /lower-case letters/],
      ["a__b", /lower-case letters/],
      ["../x", /lower-case letters/],
      ["drop-box", /lower-case letters/],
      ["x".repeat(41), /at most 40/],
      ["google_drive", /is there already/],
      ["autodesk_construction_cloud", /is there already/],
      ["http", /shared code names no provider/],
      ["sync", /shared code names no provider/],
    ] as const;
    const config = await Deno.readTextFile(`${root}/supabase/config.toml`);
    for (const [name, message] of refusals) {
      await assert.rejects(scaffoldProvider(root, name, NOW), message);
    }
    assert.equal(await Deno.readTextFile(`${root}/supabase/config.toml`), config);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
