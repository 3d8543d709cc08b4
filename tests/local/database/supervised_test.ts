/** What is killed in a stack comes back, and takes nobody along. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startDatabase } from "../../../local/database.ts";
import { signalProcess, waitForProcessEnd } from "../../../local/processes.ts";
import { inTransaction } from "../../../local/transaction.ts";
import { waitFor } from "../../support/wait_for.ts";
import { connected, withStateDir } from "./with_database.ts";

async function withSupervised(
  test: (database: Awaited<ReturnType<typeof startDatabase>>) => Promise<void>,
): Promise<void> {
  await withStateDir(async (stateDir) => {
    const database = await startDatabase({
      server: "embedded",
      stateDir,
      durable: false,
      isSupervised: true,
    });
    try {
      await test(database);
    } finally {
      await database.remove();
    }
  });
}

Deno.test("a supervised server that is killed comes back by itself, on its port and with its data", async () => {
  await withSupervised(async (database) => {
    const first = database.pid ?? 0;
    await connected(database.superuserUrl, async (sql) => {
      await sql`create table public.things as select 1 as id`;
      // Nothing is safe on disk by itself in a database for tests.
      await sql`checkpoint`;
      signalProcess(first, "SIGKILL");
      // A session can outlive the server for a moment: it is the next server that is asked.
      await waitFor("the server", () => database.pid !== first, { deadlineMs: 30_000 });
      const rows = await waitFor(
        "the data",
        () => sql`select id from public.things`.catch(() => null),
      );
      assert.equal(rows.length, 1);
    });
  });
});

Deno.test("a supervised server that is shut down stays down", async () => {
  await withSupervised(async (database) => {
    const pid = database.pid ?? 0;
    signalProcess(pid, "SIGINT");
    await database.ended;
    assert.ok(await waitForProcessEnd(pid, 5_000));
    assert.equal(database.pid, pid);
  });
});

Deno.test("a kept worker that is killed is replaced, and stopping it leaves none", async () => {
  await withSupervised(async (database) => {
    const worker = await database.keepWorker();
    assert.ok(worker);
    const first = worker.pid();
    signalProcess(first, "SIGKILL");
    await connected(database.superuserUrl, async (sql) => {
      await waitFor("another worker", async () => {
        const rows = await sql`
          select from pg_stat_activity where application_name like ${`% ${worker.pid()}`}`;
        return worker.pid() !== first && rows.length > 0;
      }, { deadlineMs: 30_000 });
    });
    const second = worker.pid();
    await worker.stop();
    assert.ok(await waitForProcessEnd(second, 5_000));
    assert.equal(worker.pid(), second);
  });
});

Deno.test("inTransaction() rejects, and no more, when its session is killed between two statements", async () => {
  await withSupervised(async (database) => {
    const sql = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
    const work = inTransaction(sql, "", async (tx) => {
      const [row] = await tx<[{ pid: number }]>`select pg_backend_pid() as pid`;
      signalProcess(row.pid, "SIGKILL");
      await tx`select pg_sleep(30)`;
    });
    await assert.rejects(work);
    const again = () => inTransaction(sql, "", (tx) => tx`select 1`).catch(() => null);
    const rows = await waitFor("the server", again, { deadlineMs: 30_000 });
    assert.equal(rows.length, 1);
    await sql.end({ timeout: 5 });
  });
});
