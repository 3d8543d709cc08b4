/**
 * The whole chain on real minutes: pg_cron, pg_net, dispatcher, sync function, tables. With
 * CONNECTOR_E2E_URL set, the stack under test is another one; see other_stack_test.ts.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { createClient } from "@supabase/supabase-js";
import { loadKeys, signUserToken } from "../../local/keys.ts";
import type { StackFile } from "../../local/stack_file.ts";
import { waitFor } from "../support/wait_for.ts";
import { alive, descendantsOf, interrupt, runStart, waitForStack } from "./started_stack.ts";

/** Two ticks, and the time a sync takes. */
const TWO_TICKS_MS = 140_000;
const FREE_PORTS = ["--api-port=0", "--db-port=0"];

async function withFolders(
  test: (served: string, stateDir: string) => Promise<void>,
): Promise<void> {
  const base = await Deno.makeTempDir({ prefix: "e2e_" });
  // The database's own account has to reach its data.
  await Deno.chmod(base, 0o755);
  const served = join(base, "served");
  await Deno.mkdir(join(served, "plans", "level 1"), { recursive: true });
  await Deno.writeTextFile(join(served, "read me.txt"), "hello");
  await Deno.writeTextFile(join(served, "plans", "level 1", "ground floor.pdf"), "0123456789");
  try {
    await test(served, join(base, "state"));
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

interface FileRow {
  readonly file_path: string;
  readonly file_size: string;
}

async function readFiles(sql: postgres.Sql): Promise<readonly FileRow[]> {
  return await sql<FileRow[]>`
    select file_path, file_size::text from public.files
    where sync_status = 'completed' order by file_path`;
}

const FIRST_FILES = [
  { file_path: "/plans/level 1/ground floor.pdf", file_size: "10" },
  { file_path: "/read me.txt", file_size: "5" },
];

Deno.test("start --once syncs a folder by way of the scheduler, ends with status 0 and leaves nothing running", async () => {
  await withFolders(async (served, stateDir) => {
    const start = runStart([
      "--once",
      `--folder=${served}`,
      `--state-dir=${stateDir}`,
      ...FREE_PORTS,
    ]);
    await waitForStack(start, stateDir);
    const children = await descendantsOf(start.pid);
    const { code } = await start.status;
    assert.equal(code, 0, start.output());
    assert.match(start.output(), /Demo: Google Drive +completed +2 files/);
    assert.deepEqual(alive(children), []);
    await assert.rejects(Deno.stat(join(stateDir, "stack.json")), Deno.errors.NotFound);
  });
});

Deno.test("a running stack follows its folder, tells its health, keeps users apart and ends on Ctrl-C", async (t) => {
  await withFolders(async (served, stateDir) => {
    const start = runStart([`--folder=${served}`, `--state-dir=${stateDir}`, ...FREE_PORTS]);
    const stack = await waitForStack(start, stateDir);
    const sql = postgres(stack.db_url, { max: 1, onnotice: () => {} });
    const children = await descendantsOf(start.pid);
    try {
      await t.step("the folder's files are in public.files", () => expectFirstFiles(sql));
      await t.step("it was the scheduler that called", () => expectScheduler(sql));
      await t.step("health is 200 and says the last tick", () => expectHealth(stack));
      await t.step("a new file appears within two ticks", () => expectNewFile(sql, served));
      await t.step("another user sees none of it", () => expectPrivacy(stack, stateDir));
      await t.step("a second start in the same folder is refused in one line", async () => {
        await expectRefusal([`--state-dir=${stateDir}`, ...FREE_PORTS], /already running/);
      });
      await t.step("a port in use is refused in one line", async () => {
        const port = new URL(stack.api_url).port;
        const flags = [`--state-dir=${stateDir}2`, `--api-port=${port}`, "--db-port=0"];
        await expectRefusal(flags, new RegExp(`port ${port} as it is in use`));
      });
    } finally {
      await sql.end({ timeout: 2 });
      const { code } = await interrupt(start);
      assert.equal(code, 0, start.output());
    }
    assert.ok(children.length >= 4, `only ${children.length} child processes were seen`);
    assert.deepEqual(alive(children), []);
  });
});

async function expectFirstFiles(sql: postgres.Sql): Promise<void> {
  const options = { deadlineMs: TWO_TICKS_MS, everyMs: 500 };
  const files = await waitFor("the first files", async () => {
    const rows = await readFiles(sql);
    return rows.length >= FIRST_FILES.length ? rows : null;
  }, options);
  assert.deepEqual([...files], FIRST_FILES);
}

async function expectScheduler(sql: postgres.Sql): Promise<void> {
  const options = { deadlineMs: 20_000, everyMs: 200 };
  const [run] = await waitFor("a run of the cron job", async () => {
    const rows = await sql`
      select d.status from cron.job_run_details as d join cron.job as j using (jobid)
      where j.jobname = 'connector-tick' and d.status = 'succeeded'`;
    return rows.length > 0 ? rows : null;
  }, options);
  assert.equal(run?.["status"], "succeeded");
  const [response] = await waitFor("the dispatcher's answer", async () => {
    const rows = await sql`select status_code from net._http_response where status_code = 202`;
    return rows.length > 0 ? rows : null;
  }, options);
  assert.equal(response?.["status_code"], 202);
}

async function expectHealth(stack: StackFile): Promise<void> {
  const answer = await fetch(`${stack.functions_url}/health`);
  const health = await answer.json();
  assert.equal(answer.status, 200);
  assert.equal(health.status, "ok");
  const { scheduler } = health.checks;
  const lastTick = Object.values(scheduler).find((value) =>
    typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)
  );
  const ageMs = Date.now() - Date.parse(String(lastTick));
  assert.ok(ageMs < 90_000, `the last tick was ${ageMs} ms ago: ${JSON.stringify(health)}`);
}

async function expectNewFile(sql: postgres.Sql, served: string): Promise<void> {
  await Deno.writeTextFile(join(served, "plans", "roof.dwg"), "roof plan");
  const row = await waitFor("the new file", async () => {
    const files = await readFiles(sql);
    return files.find(({ file_path: path }) => path === "/plans/roof.dwg");
  }, { deadlineMs: TWO_TICKS_MS, everyMs: 500 });
  assert.equal(row.file_size, "9");
}

async function expectPrivacy(stack: StackFile, stateDir: string): Promise<void> {
  const keys = await loadKeys(stateDir);
  const visible = await Promise.all(stack.users.map(async (user) => {
    const token = await signUserToken(keys, user, { apiUrl: stack.api_url });
    const client = createClient(stack.api_url, stack.publishable_key, {
      accessToken: () => Promise.resolve(token),
    });
    const { data, error } = await client.from("files").select("file_path");
    assert.equal(error, null);
    return data?.length;
  }));
  assert.deepEqual(visible, [3, 0]);
}

async function expectRefusal(flags: readonly string[], reason: RegExp): Promise<void> {
  const start = runStart(["--no-demo", ...flags]);
  const { code } = await start.status;
  const errors = start.output().split("\n").filter((line) => line.startsWith("error: "));
  assert.equal(code, 1, start.output());
  assert.equal(errors.length, 1, start.output());
  assert.match(errors[0] ?? "", reason);
}

Deno.test("a broken setting is one clear line, status 1, and leaves nothing running", async () => {
  await withFolders(async (_served, stateDir) => {
    Deno.env.set("CONNECTOR_MAX_CONCURRENT_SYNCS", "many");
    try {
      await expectRefusal(
        [`--state-dir=${stateDir}`, ...FREE_PORTS],
        /CONNECTOR_MAX_CONCURRENT_SYNCS must be a whole number/,
      );
    } finally {
      Deno.env.delete("CONNECTOR_MAX_CONCURRENT_SYNCS");
    }
    await assert.rejects(Deno.stat(join(stateDir, "postgres-embedded-17", "postmaster.pid")));
  });
});

Deno.test("a folder that does not exist is refused before anything is started", async () => {
  const start = runStart(["--folder=/nowhere/at/all"]);
  const { code } = await start.status;
  assert.equal(code, 1);
  assert.match(start.output(), /^error: Cannot serve "\/nowhere\/at\/all" as it does not exist\n$/);
});
