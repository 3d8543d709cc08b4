/** The types for applications say what the database grants, and the example of the docs compiles. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ENDPOINT_COLUMNS, TOKEN_COLUMNS } from "../../client/mod.ts";
import { type Sql, withDatabase } from "../support/database.ts";
import { fromFileUrl } from "../support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** The browser's globals that the example uses: the library of types for browsers is not loaded here. */
const HEAD = '/// <reference lib="dom" />\n';

/** Code that a compiler must refuse, each for a reason of its own. */
const REFUSED = [
  'supabase.from("files").insert({ file_name: "x" })',
  'supabase.from("sync_logs").update({ status: "x" })',
  'supabase.from("endpoints").update({ last_sync_status: "completed" })',
  'supabase.from("endpoints").insert({ name: "x" })',
  'supabase.rpc("connector_claim", { p_batch: 1, p_max_concurrent: 1 })',
  'supabase.rpc("request_sync", { endpoint: "x" })',
];

async function granted(sql: Sql, table: string, privilege: string): Promise<string[]> {
  const rows = await sql<{ column_name: string }[]>`
    select column_name from information_schema.column_privileges
    where grantee = 'authenticated' and table_schema = 'public'
      and table_name = ${table} and privilege_type = ${privilege}`;
  return rows.map(({ column_name }) => column_name).sort();
}

/** Type-checks code as a file of an application beside this repository. */
async function check(
  code: string,
): Promise<{ readonly success: boolean; readonly output: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "app.ts");
    await Deno.writeTextFile(path, HEAD + code.replaceAll("../file-connector/", `file://${ROOT}`));
    const command = new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", `--config=${ROOT}deno.json`, path],
      env: { NO_COLOR: "1", DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the client's columns are those that the database grants to signed-in users", async () => {
  await withDatabase(async (sql) => {
    assert.deepEqual(await granted(sql, "endpoints", "INSERT"), [...ENDPOINT_COLUMNS].sort());
    const readable = await granted(sql, "oauth_tokens", "SELECT");
    assert.deepEqual(TOKEN_COLUMNS.filter((column) => !readable.includes(column)), []);
    const changeable = await granted(sql, "endpoints", "UPDATE");
    const offered = ENDPOINT_COLUMNS.filter((column) => column !== "id" && column !== "user_id");
    assert.deepEqual(offered.filter((column) => !changeable.includes(column)), []);
  });
});

Deno.test("the example of docs/api.md compiles with the client's types, and misuse does not", async () => {
  const docs = await Deno.readTextFile(`${ROOT}docs/api.md`);
  const section = docs.split("\n## In an application\n")[1]?.split("\n## ")[0] ?? "";
  const example = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? "";
  assert.ok(example.includes("postgres_changes"));
  const good = await check(example);
  assert.ok(good.success, good.output);
  const misuse = REFUSED.map((line) => `// @ts-expect-error -- refused\n${line};\n`).join("");
  const bad = await check(`${example}\n${misuse}`);
  assert.ok(bad.success, bad.output);
});
