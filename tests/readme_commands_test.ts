/** What the README tells people to do works as it is written. */
import assert from "node:assert/strict";
import { runEndpointAdd } from "../scripts/endpoint_add.ts";
import { runEndpointList } from "../scripts/endpoint_list.ts";
import { runEndpointTest } from "../scripts/endpoint_test.ts";
import type { ProjectDeps } from "../scripts/project_command.ts";
import { runSyncLog } from "../scripts/sync_log.ts";
import { runSyncNow } from "../scripts/sync_now.ts";
import { projectFlags, runCommand } from "./support/command_run.ts";
import { addEndpoint, withDatabase } from "./support/database.ts";
import { fromFileUrl } from "./support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const readme = await Deno.readTextFile(`${ROOT}README.md`);

/** Commands that other tests run, by how they begin. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^npx --yes deno task start$/, "tests/e2e/start_test.ts"],
  // It is what runs this.
  [/^npx --yes deno task test$/, "tests/readme_commands_test.ts"],
  [/^npx --yes deno task deploy$/, "tests/scripts/deploy_test.ts"],
  [/^npx --yes supabase@[\d.]+ link /, "tests/scripts/deploy_test.ts"],
  [/^npx --yes supabase@[\d.]+ start$/, "tests/e2e/supabase_start.ts"],
  [/^cp \.env\.example \.env$/, ".env.example"],
  [/^cp \.env supabase\/functions\/\.env$/, ".env.example"],
];

const pause = () => Promise.resolve();
const COMMANDS: Readonly<
  Record<string, (args: readonly string[], deps: ProjectDeps) => Promise<number>>
> = {
  "endpoint:add": (args, deps) => runEndpointAdd(args, { ...deps, ask: null }),
  "endpoint:list": runEndpointList,
  "endpoint:test": runEndpointTest,
  "sync:log": (args, deps) => runSyncLog(args, { ...deps, pause, isOver: () => true }),
  "sync:now": (args, deps) => runSyncNow(args, { ...deps, pause, now: () => new Date() }),
};

const PASSED = Response.json({
  endpoint_type: "google_drive",
  ok: true,
  checks: [{ name: "token", result: "pass", message: "There is one.", took_ms: 3 }],
});

function blocks(language: string): string[] {
  const found = readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"));
  return Array.from(found, ([, block = ""]) => block);
}

/** The lines of the README's shell blocks, without comments. */
function commands(): string[] {
  return blocks("sh").join("").replaceAll("\\\n", " ").split("\n")
    .map((line) => line.replace(/\s+#.*$/, "").replaceAll(/ +/g, " ").trim())
    .filter((line) => line !== "");
}

/** Splits a line as a shell does; the README uses quotes alone. */
function words(line: string): string[] {
  const parts = line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g);
  return Array.from(parts, ([, single, double, bare]) => single ?? double ?? bare ?? "");
}

Deno.test("every command of the README about a project works, and every other one is run by another test", async () => {
  await withDatabase(async (sql) => {
    const ran = new Set<string>();
    for (const line of commands()) {
      const elsewhere = ELSEWHERE.find(([pattern]) => pattern.test(line));
      if (elsewhere !== undefined) {
        await Deno.stat(`${ROOT}${elsewhere[1]}`);
        continue;
      }
      const [npx, yes, deno, task, name = "", ...args] = words(line);
      assert.deepEqual([npx, yes, deno, task], ["npx", "--yes", "deno", "task"], line);
      const command = COMMANDS[name];
      assert.ok(command !== undefined, `no test runs "${line}"`);
      // The README's id stands for one of the reader's own.
      const id = await addEndpoint(sql, { name: `for ${name}` });
      const own = args.map((word, at) => args[at - 1] === "--id" ? id : word);
      const { status, errors } = await runCommand(command, [...own, ...projectFlags()], {
        respond: ({ url }) => url.includes("/functions/") ? PASSED.clone() : null,
      });
      assert.equal(status, 0, `${line}: ${errors}`);
      ran.add(name);
    }
    assert.deepEqual([...ran].sort(), Object.keys(COMMANDS).sort());
    const [added] = await sql`select endpoint_config from public.endpoints
      where name = 'Design folder'`;
    assert.deepEqual(added?.["endpoint_config"], { folder_id: "1AbCdEfGhIjKlMnOpQrStUvWxYz" });
  });
});

Deno.test("every query of the README runs as it is written", async () => {
  await withDatabase(async (sql) => {
    const queries = blocks("sql");
    assert.ok(queries.length >= 3);
    for (const query of queries) await sql.unsafe(query);
    const rows = await sql`select name from public.endpoints`;
    assert.deepEqual(rows.map(({ name }) => name), ["Design folder"]);
  });
});
