import assert from "node:assert/strict";
import { z } from "zod";
import type { Fault } from "../../../local/google/faults.ts";
import { generateTree } from "../../../local/google/generated_tree.ts";
import { pathsOf, stateOf } from "../../support/drive_sync.ts";
import {
  BASE,
  callsOf,
  checkDrive,
  FOLDER_SCOPES,
  pagesOf,
  SCOPES,
  type Stage,
  tableOf,
  withStage,
} from "./stage.ts";

const state = ({ world, endpoint }: Stage) => stateOf(world.sql, endpoint);

/** Answers by which Drive refuses one folder, or cannot list it whatever one does. */
const REFUSALS: readonly (readonly [what: string, Fault])[] = [
  ["403", { type: "status", status: 403, reason: "insufficientFilePermissions" }],
  ["404", { type: "status", status: 404, reason: "notFound" }],
  ["500 for ever", { type: "status", status: 500 }],
];

async function ledgerOf({ world: { sql } }: Stage) {
  const rows = await sql`
    select external_folder_id as id, failures,
      round(extract(epoch from next_attempt_at - now()) / 60)::int as minutes
    from connector.folder_errors order by 1`;
  return rows.map(({ id, failures, minutes }) => [id, failures, minutes]);
}

/** Lets the time pass after which unreadable folders are tried again. */
async function wait({ world: { sql } }: Stage): Promise<void> {
  await sql`update connector.folder_errors set next_attempt_at = now()`;
}

for (const scope of FOLDER_SCOPES) {
  for (const [what, fault] of REFUSALS) {
    Deno.test(`${scope}: a folder refused with ${what} makes the first sync partial, names itself, and recovers`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, ids } = stage;
        const { faults } = world.drive.control;
        faults.add({ fault, path: ids.old, times: null });
        await world.sync();
        const first = await state(stage);
        assert.deepEqual([first.status, first.code], ["partial", "listing_incomplete"]);
        assert.match(first.message ?? "", /"\/Plans\/Old"/);
        assert.deepEqual((await tableOf(stage)).living, ["/Plans/a.pdf", "/top.txt"]);
        assert.deepEqual(await ledgerOf(stage), [[ids.old, 1, 15]]);

        // Nothing else is held up, and the folder is left alone until its time has come.
        stage.model.createFile({ name: "new.txt", parent: ids.plans });
        assert.deepEqual(await callsOf(stage, () => world.sync()), { "changes.list": 1 });
        assert.equal((await state(stage)).status, "partial");
        assert.ok((await tableOf(stage)).living.includes("/Plans/new.txt"));

        await wait(stage);
        const calls = await callsOf(stage, () => world.sync());
        // What may pass is asked for five times, and then whether Drive lists anything at all.
        const lists = what === "500 for ever" ? 6 : 1;
        assert.deepEqual(calls, { "changes.list": 1, "files.list": lists });
        assert.deepEqual(await ledgerOf(stage), [[ids.old, 2, 30]]);

        faults.clear();
        await wait(stage);
        await world.sync();
        const last = await state(stage);
        assert.deepEqual([last.status, last.code, last.message], ["completed", null, null]);
        await checkDrive(stage, [...BASE, "/Plans/new.txt"]);
        assert.deepEqual(await ledgerOf(stage), []);
      }));
  }

  Deno.test(`${scope}: a folder that cannot be read any more keeps its rows`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, ids } = stage;
      const { faults } = world.drive.control;
      await world.sync();
      faults.add({ fault: { type: "status", status: 404 }, path: ids.plans, times: null });
      await world.sql`select public.request_sync(${stage.endpoint}, 'full')`;
      await world.sync();
      assert.match((await state(stage)).message ?? "", /"\/Plans"/);
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
      faults.clear();
      await wait(stage);
      await world.sync();
      assert.equal((await state(stage)).status, "completed");
      await checkDrive(stage, BASE);
    }));

  Deno.test(`${scope}: an unreadable folder that is deleted is forgotten`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      world.drive.control.faults.add({
        fault: { type: "status", status: 404 },
        path: ids.old,
        times: null,
      });
      await world.sync();
      assert.equal((await state(stage)).status, "partial");
      model.delete(ids.old);
      await world.sync();
      assert.equal((await state(stage)).status, "completed");
      assert.deepEqual(await ledgerOf(stage), []);
    }));
}

for (const scope of SCOPES) {
  Deno.test(`${scope}: an endpoint whose provider is down pauses, probes, and recovers by itself`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      const { faults } = world.drive.control;
      await world.sync();
      model.createFile({ name: "new.txt", parent: ids.old });
      faults.add({ fault: { type: "status", status: 503 }, times: null });
      const seen: string[] = [];
      for (let run = 0; run < 6; run++) {
        await world.sync();
        seen.push((await state(stage)).status);
      }
      assert.deepEqual(seen, ["failed", "failed", "failed", "failed", "paused", "paused"]);
      assert.equal((await state(stage)).code, "unavailable");
      const [planned] = await world.sql`
        select next_run_at > now() as is_planned from connector.endpoint_states
        where endpoint_id = ${stage.endpoint}`;
      assert.equal(planned?.["is_planned"], true, "it probes itself");
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
      faults.clear();
      await world.sync();
      const { status, code } = await state(stage);
      assert.deepEqual([status, code], ["completed", null]);
      await checkDrive(stage, [...BASE, "/Plans/Old/new.txt"]);
    }));

  Deno.test(`${scope}: a dead change token leads to a full listing in the same run; the rows stay`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      model.createFile({ name: "new.txt", parent: ids.old });
      model.delete(ids.a);
      world.drive.control.expireChangeTokens();
      const calls = await callsOf(stage, () => world.sync());
      // The dead token, and the empty log after the listing.
      assert.equal(calls["changes.list"], 2);
      assert.equal((await state(stage)).status, "completed");
      await checkDrive(stage, ["/Plans/Old/b.pdf", "/Plans/Old/new.txt", "/top.txt"], [
        "a.pdf removed",
      ]);
      assert.deepEqual(await callsOf(stage, () => world.sync()), { "changes.list": 1 });
    }));

  Deno.test(`${scope}: a rejected page token begins its query again and loses nothing`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      const { control } = world.drive;
      generateTree(model, { parent: ids.old, files: 40, filesPerFolder: 20 });
      let pages = 0;
      const fetch: typeof globalThis.fetch = async (input, init) => {
        const answer = await world.drive.fetch(input, init);
        const isPage = new URL(new Request(input).url).pathname.endsWith("/files");
        if (isPage && ++pages % 5 === 0 && pages <= 10) control.expirePageTokens();
        return answer;
      };
      const calls = await callsOf(stage, () => world.sync({ ...pagesOf(8, stage), fetch }));
      const [run] = await world.sql`select receipt from public.sync_logs`;
      assert.ok(Number(run?.["receipt"].restarts) >= 1, JSON.stringify(run?.["receipt"]));
      assert.ok((calls["files.list"] ?? 0) <= 40, JSON.stringify(calls));
      assert.equal((await state(stage)).status, "completed");
      await checkDrive(stage);
    }));
}

for (const scope of SCOPES) {
  Deno.test(`${scope}: entries that Drive sends twice, and empty pages of the log, change nothing`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      const { faults } = world.drive.control;
      await world.sync();
      model.rename(ids.plans, "Drawings");
      for (let n = 0; n < 20; n++) model.createFile({ name: `${n}.txt`, parent: ids.old });
      model.trash(ids.a);
      faults.add({ fault: { type: "duplicates", count: 3 }, method: "changes.list", times: 2 });
      faults.add({ fault: { type: "empty_page" }, method: "changes.list", times: 2 });
      await world.sync(pagesOf(5, stage));
      assert.equal((await state(stage)).status, "completed");
      await checkDrive(stage, undefined, ["a.pdf trashed"]);
    }));
}

/** The emulator, whose change log describes the item of this id with a name that is a number. */
function malformedEntries({ world }: Stage, id: string): typeof globalThis.fetch {
  const answerSchema = z.looseObject({
    changes: z.array(z.looseObject({ fileId: z.string(), file: z.looseObject({}).optional() })),
  });
  return async (input, init) => {
    const answer = await world.drive.fetch(input, init);
    if (!new URL(new Request(input).url).pathname.endsWith("/changes")) return answer;
    const page = answerSchema.parse(await answer.json());
    const changes = page.changes.map((entry) =>
      entry.fileId === id ? { ...entry, file: { ...entry.file, name: 7 } } : entry
    );
    return Response.json({ ...page, changes });
  };
}

const LOGGED_SCOPES = ["folder in My Drive", "whole shared drive", "own corpus"] as const;
for (const scope of LOGGED_SCOPES) {
  Deno.test(`${scope}: an unreadable entry of the log makes the run partial, and the next one lists`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      model.rename(ids.a, "renamed.pdf");
      model.createFile({ name: "new.txt", parent: ids.old });
      await world.sync({ ...world.deps, fetch: malformedEntries(stage, ids.a) });
      const { status, code, message } = await state(stage);
      assert.deepEqual([status, code], ["partial", "listing_incomplete"]);
      assert.match(message ?? "", /^1 change.* a full listing follows/);
      // It stops no other.
      const paths = await pathsOf(world.sql, stage.endpoint);
      assert.deepEqual(paths.filter((path) => /new.txt|a.pdf/.test(path)).length, 2);

      await world.sync();
      assert.equal((await state(stage)).status, "completed");
      const [run] = await world.sql`
        select mode from public.sync_logs order by started_at desc limit 1`;
      assert.equal(run?.["mode"], "full");
      await checkDrive(stage);
      assert.deepEqual(await callsOf(stage, () => world.sync()), { "changes.list": 1 });
    }));
}
