/** `deno task sync:now` and `deno task sync:log`. */
import assert from "node:assert/strict";
import type { ProjectDeps } from "../../scripts/project_command.ts";
import { runSyncLog } from "../../scripts/sync_log.ts";
import { runSyncNow } from "../../scripts/sync_now.ts";
import {
  type CommandRun,
  projectFlags,
  type Respond,
  runCommand,
  userFlags,
} from "../support/command_run.ts";
import { ADA, addEndpoint, GRACE, type Sql, withDatabase } from "../support/database.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

/** Runs sync:now; what happens meanwhile happens in `during`, called at each pause. */
async function syncNow(args: readonly string[], during: (pause: number) => Promise<void>) {
  let pauses = 0;
  const command = (given: readonly string[], deps: ProjectDeps) =>
    runSyncNow(given, {
      ...deps,
      now: () => new Date(START + pauses * 2_000),
      pause: () => during(++pauses),
    });
  return await runCommand(command, args);
}

/** Runs sync:log --follow through so many pauses. */
async function followed(
  args: readonly string[],
  during: readonly (() => Promise<unknown>)[],
  run: CommandRun = {},
) {
  let pauses = 0;
  const command = (given: readonly string[], deps: ProjectDeps) =>
    runSyncLog(given, {
      ...deps,
      pause: async () => {
        await during[pauses++]?.();
      },
      isOver: () => pauses >= during.length,
    });
  return await runCommand(command, [...args, "--follow"], run);
}

async function addRun(sql: Sql, endpointId: string, columns: Record<string, string | number>) {
  const row = { endpoint_id: endpointId, trigger: "request", mode: "full", ...columns };
  const [added] = await sql<{ id: string }[]>`
    insert into public.sync_logs ${sql(row)} returning id`;
  return added?.id ?? "";
}

async function end(sql: Sql, runId: string, status: string, code: string | null = null) {
  await sql`update public.sync_logs set status = ${status}, finished_at = started_at + interval '3 s',
    files_added = 7, error_code = ${code}, error_message = ${code === null ? null : "oh\x1b[2J"}
    where id = ${runId}`;
}

const nothing = () => Promise.resolve();

Deno.test("sync:now asks for a sync, in full where it is told to, as the endpoint's owner", async () => {
  await withDatabase(async (sql) => {
    const id = await addEndpoint(sql, { schedule_type: "manual" });
    const mode = async () =>
      (await sql`select sync_requested_mode from public.endpoints`)[0]?.["sync_requested_mode"];
    const plain = await syncNow(["--id", id, ...projectFlags()], nothing);
    assert.deepEqual([plain.status, await mode()], [0, "incremental"], plain.errors);
    const user = await userFlags(ADA);
    const full = await syncNow(["--id", id, "--full", "--json", ...user], nothing);
    assert.deepEqual([full.status, await mode()], [0, "full"]);
    assert.deepEqual(JSON.parse(full.output), { mode: "full", endpoint_id: id });
    const stranger = await syncNow(["--id", id, ...await userFlags(GRACE)], nothing);
    assert.equal(stranger.status, 1);
    assert.match(stranger.errors, /no such endpoint among yours; .*endpoint:list/);
  });
});

Deno.test("sync:now --wait ends with the run that was asked for, and as it ended", async () => {
  await withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const args = ["--id", id, "--wait", ...projectFlags()];
    const ends = [
      ["completed", null, 0],
      ["partial", null, 0],
      ["partial", "listing_incomplete", 1],
      ["failed", "unavailable", 1],
    ] as const;
    for (const [status, code, expected] of ends) {
      await end(sql, await addRun(sql, id, {}), "completed");
      let run = "";
      const result = await syncNow(args, async (pause) => {
        if (pause === 1) await end(sql, await addRun(sql, id, { trigger: "schedule" }), "failed");
        if (pause === 2) run = await addRun(sql, id, {});
        if (pause === 4) await end(sql, run, status, code);
      });
      assert.equal(result.status, expected, result.output + result.errors);
      assert.ok(result.output.startsWith(`${status} in 3.0 s: 0 files seen, 7 added`));
      assert.ok(!result.output.includes("\x1b"));
      assert.ok(result.errors.includes(`run ${run} has begun`));
    }
  });
});

Deno.test("sync:now --wait gives up after --timeout, and says whether a run had begun", async () => {
  await withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const args = ["--id", id, "--wait", "--timeout", "10", ...projectFlags()];
    const idle = await syncNow(args, nothing);
    assert.equal(idle.status, 2);
    assert.match(idle.errors, /No run has begun within 10 seconds: does the scheduler run\?/);
    const slow = await syncNow(args, async (pause) => {
      if (pause === 1) await addRun(sql, id, {});
    });
    assert.equal(slow.status, 2);
    assert.match(slow.errors, /has not ended within 10 seconds/);
  });
});

Deno.test("sync:log shows the latest runs, oldest first, of one endpoint where it is named", async () => {
  await withDatabase(async (sql) => {
    const plans = await addEndpoint(sql, { name: "Plans\x1b[2J" });
    const models = await addEndpoint(sql, { name: "Models", user_id: GRACE });
    for (const hour of [1, 2, 3]) {
      const started_at = `2026-01-01T0${hour}:00:00Z`;
      await end(sql, await addRun(sql, plans, { started_at }), "failed", "unavailable");
      await end(sql, await addRun(sql, models, { started_at }), "completed");
    }
    const args = ["--limit", "2", ...projectFlags()];
    const log = (given: readonly string[]) =>
      runCommand(
        (all, deps) => runSyncLog(all, { ...deps, pause: nothing, isOver: () => true }),
        given,
      );
    const { status, output } = await log(["--id", plans, ...args]);
    assert.equal(status, 0);
    const [head = "", first = "", second = "", more] = output.split("\n");
    assert.match(head, /^started \(UTC\) +endpoint +status +mode/);
    assert.match(first, /^2026-01-01 02:00:00 {2}Plans\S+ +failed +full +request +3\.0 s +0 +7/);
    assert.match(second, /^2026-01-01 03:00:00 .*unavailable: oh/);
    assert.deepEqual([more, output.includes("\x1b")], ["", false]);
    const own = await log(["--json", ...await userFlags(GRACE)]);
    const rows: { readonly endpoints: { readonly name: string } }[] = JSON.parse(own.output);
    assert.deepEqual(rows.map(({ endpoints }) => endpoints.name), Array(3).fill("Models"));
  });
});

Deno.test("sync:log --follow prints each run when it begins and when it has ended, and nothing twice", async () => {
  await withDatabase(async (sql) => {
    const [plans, models, walls] = [
      await addEndpoint(sql),
      await addEndpoint(sql),
      await addEndpoint(sql),
    ];
    const old = await addRun(sql, plans, { started_at: "2026-01-01T01:00:00Z" });
    let late = "";
    const { status, output } = await followed(["--json", ...projectFlags()], [
      async () => late = await addRun(sql, models, { started_at: "2026-01-01T05:00:00Z" }),
      nothing,
      // Its transaction was slow: it comes in behind the one before.
      async () => {
        await addRun(sql, walls, { started_at: "2026-01-01T04:59:50Z" });
        await end(sql, late, "completed");
      },
      async () => await end(sql, old, "failed", "worker_lost"),
      nothing,
    ]);
    assert.equal(status, 0);
    const lines = output.trimEnd().split("\n").map((line) => JSON.parse(line));
    const seen = lines.map(({ started_at, status }) => `${started_at.slice(11, 19)} ${status}`);
    assert.deepEqual(seen.slice(0, 2), ["01:00:00 running", "05:00:00 running"]);
    assert.deepEqual(seen.slice(2, 4).sort(), ["04:59:50 running", "05:00:00 completed"]);
    assert.deepEqual(seen.slice(4), ["01:00:00 failed"]);
  });
});

Deno.test("sync:log --follow lives through a project that is away for a moment, and not for long", async () => {
  let calls = 0;
  const away = (from: number, until: number): Respond => () => {
    calls++;
    if (calls >= from && calls < until) return new Response("gone", { status: 503 });
    return null;
  };
  const pauses = Array(12).fill(nothing);
  await withDatabase(async () => {
    const moment = await followed(projectFlags(), pauses, { respond: away(3, 5) });
    assert.equal(moment.status, 0, moment.errors);
    assert.equal(moment.errors.match(/trying again/g)?.length, 2);
    calls = 0;
    const gone = await followed(projectFlags(), pauses, { respond: away(3, Infinity) });
    assert.equal(gone.status, 2);
  });
});

Deno.test("the sync commands say what their status means, and refuse wrong use", async () => {
  const sync = (args: readonly string[]) => syncNow(args, nothing);
  const log = (args: readonly string[]) => followed(args, [nothing]);
  for (const command of [sync, log]) {
    const help = await command(["--help"]);
    assert.equal(help.status, 0);
    assert.match(help.output, /Status: 0 /);
    const wrong = await command(["--id", "1", ...projectFlags()]);
    assert.deepEqual([wrong.status, wrong.asked], [2, []]);
    assert.match(wrong.errors, /--id/);
  }
});
