/** `deno task start` on real minutes: pg_cron, pg_net, dispatcher, sync function, tables. */
import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { createClient } from "@supabase/supabase-js";
import { loadKeys, signUserToken } from "../../local/keys.ts";
import type { StackFile } from "../../local/stack_file.ts";
import {
  AUTODESK,
  expectFirstFiles,
  expectHealth,
  expectNewFile,
  expectScheduler,
  fillServedFolder,
  GOOGLE,
} from "./chain.ts";
import { alive, descendantsOf, interrupt, runStart, waitForStack } from "./started_stack.ts";

const FREE_PORTS = ["--api-port=0", "--db-port=0"];

async function withFolders(
  test: (served: string, stateDir: string) => Promise<void>,
): Promise<void> {
  const base = await Deno.makeTempDir({ prefix: "e2e_" });
  // The database's own account has to reach its data.
  await Deno.chmod(base, 0o755);
  const served = join(base, "served");
  await fillServedFolder(served);
  try {
    await test(served, join(base, "state"));
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

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
    assert.match(start.output(), /Demo: Autodesk +completed +2 files/);
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
      for (const shown of [GOOGLE, AUTODESK]) {
        const title = `the folder's files are in public.files, by ${shown.endpointType}`;
        await t.step(title, () => expectFirstFiles(sql, shown));
      }
      await t.step("it was the scheduler that called", () => expectScheduler(sql));
      await t.step("health is 200 and says the last tick", () => expectHealth(stack.functions_url));
      await t.step("a new file appears within two ticks", async () => {
        await expectNewFile(sql, served, [GOOGLE, AUTODESK]);
      });
      await t.step("another user sees none of it", () => expectOwnRowsOnly(stack, stateDir));
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

async function expectOwnRowsOnly(stack: StackFile, stateDir: string): Promise<void> {
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
  assert.deepEqual(visible, [6, 0]);
}

async function expectRefusal(flags: readonly string[], reason: RegExp): Promise<void> {
  const start = runStart(["--no-demo", ...flags]);
  // What is not refused would run for ever: it is stopped, and ends with another status.
  const timer = setTimeout(() => Deno.kill(start.pid, "SIGINT"), 180_000);
  const { code } = await start.status.finally(() => clearTimeout(timer));
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
  assert.equal(code, 2);
  assert.match(start.output(), /^error: Cannot serve "\/nowhere\/at\/all" as it does not exist\n$/);
});
