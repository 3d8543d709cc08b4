import assert from "node:assert/strict";
import { startDatabase } from "../../../local/database.ts";
import { readRecord } from "../../../local/postgres/data_directory.ts";
import { isProcessAlive, waitForProcessEnd } from "../../../local/processes.ts";
import { connected, withDatabase, withStateDir } from "./with_database.ts";

Deno.test("a database killed outright comes back with its data", async () => {
  await withStateDir(async (stateDir) => {
    const first = await startDatabase({ server: "embedded", stateDir });
    await connected(first.postgresUrl, async (sql) => {
      await sql`create table public.things as select 1 as id`;
    });
    assert.ok(first.pid !== undefined);
    Deno.kill(first.pid, "SIGKILL");
    const second = await startDatabase({ server: "embedded", stateDir });
    try {
      await connected(second.postgresUrl, async (sql) => {
        assert.equal((await sql`select id from public.things`).length, 1);
      });
    } finally {
      await second.remove();
    }
  });
});

Deno.test("a restart keeps the data, a reset throws it away", async () => {
  await withStateDir(async (stateDir) => {
    const options = { server: "embedded", stateDir, durable: false } as const;
    const first = await startDatabase(options);
    await connected(first.postgresUrl, (sql) => sql`create table public.things ()`);
    await first.stop();
    const second = await startDatabase(options);
    const found = await connected(
      second.postgresUrl,
      (sql) => sql`select to_regclass('public.things') is not null as is_there`,
    );
    assert.equal(found[0]?.["is_there"], true);
    await second.stop();
    const third = await startDatabase({ ...options, reset: true });
    const after = await connected(
      third.postgresUrl,
      (sql) => sql`select to_regclass('public.things') is not null as is_there`,
    );
    assert.equal(after[0]?.["is_there"], false);
    await third.remove();
  });
});

Deno.test("a running database is not started a second time", async () => {
  await withDatabase(async ({ stateDir }) => {
    await assert.rejects(startDatabase({ server: "embedded", stateDir }), {
      name: "StackError",
      message: /is in use by process \d+$/,
    });
  });
});

Deno.test("a database whose starter was killed is stopped and taken over", async () => {
  await withStateDir(async (stateDir) => {
    const starter = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", STARTER, stateDir],
      cwd: new URL("../../../", import.meta.url),
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = starter.stdout.getReader();
    const { value } = await reader.read();
    const [orphan = 0, worker = 0] = new TextDecoder().decode(value).split(" ").map(Number);
    starter.kill("SIGKILL");
    await starter.status;
    await reader.cancel();
    assert.ok(await waitForProcessEnd(worker, 5_000), "the worker goes with its starter");
    assert.ok(isProcessAlive(orphan));
    const next = await startDatabase({ server: "embedded", stateDir, durable: false });
    try {
      assert.ok(await waitForProcessEnd(orphan, 5_000));
      assert.notEqual(next.pid, orphan);
    } finally {
      await next.remove();
    }
  });
});

const STARTER = `
  import { startDatabase } from "./local/database.ts";
  const [stateDir] = Deno.args;
  const database = await startDatabase({ server: "embedded", stateDir, durable: false });
  const worker = await database.startWorker();
  console.log(database.pid + " " + worker.pid);
  setInterval(() => {}, 1000);
`;

Deno.test("a port that is taken is named in one line", async () => {
  await withStateDir(async (stateDir) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    await assert.rejects(startDatabase({ server: "embedded", stateDir, port }), {
      name: "StackError",
      message: `Port ${port} is in use by another program: stop it, or choose --db-port`,
    });
  });
});

Deno.test("a removed database leaves nothing behind", async () => {
  let dataDirectory = "";
  await withDatabase(async ({ stateDir }) => {
    dataDirectory = (await readRecord(stateDir))?.data_directory ?? "";
    assert.ok((await Deno.stat(dataDirectory)).isDirectory);
  });
  await assert.rejects(Deno.stat(dataDirectory), Deno.errors.NotFound);
});

Deno.test("a given server is used as it is, or refused in one line", async (t) => {
  await withDatabase(async ({ database, stateDir, sql }) => {
    const given = `${stateDir}/given`;
    await t.step("one with everything is used", async () => {
      const used = await startDatabase({ server: { url: database.superuserUrl }, stateDir: given });
      assert.equal(used.postgresUrl, database.postgresUrl);
      assert.equal(used.port, database.port);
      await used.remove();
      assert.equal((await sql`select 1`).length, 1);
    });
    await t.step("a role that is no superuser is refused", async () => {
      await assert.rejects(
        startDatabase({ server: { url: database.postgresUrl }, stateDir: given }),
        { name: "StackError", message: /must be a superuser's/ },
      );
    });
    await t.step("a URL that is none is refused", async () => {
      await assert.rejects(startDatabase({ server: { url: "nonsense" }, stateDir: given }), {
        name: "StackError",
        message: /must be of the form postgresql:/,
      });
    });
  });
});
