import assert from "node:assert/strict";
import type { Fault } from "../../../local/google/faults.ts";
import { ADA, asUser } from "../../support/database.ts";
import { stateOf } from "../../support/drive_sync.ts";
import {
  BASE,
  callsOf,
  checkDrive,
  FOLDER_SCOPES,
  type Scope,
  SCOPES,
  type Stage,
  tableOf,
  versions,
  withStage,
} from "./stage.ts";

/** Removes a file behind the change log's back: only a full listing can find out. */
function deleteUnnoticed({ model, world }: Stage, ids: readonly string[]): void {
  for (const id of ids) model.delete(id);
  world.drive.control.expireChangeTokens();
}

async function receiptOf({ world: { sql }, endpoint }: Stage) {
  const [run] = await sql`
    select receipt, files_deleted::int, status from public.sync_logs
    where endpoint_id = ${endpoint} order by started_at desc limit 1`;
  return run;
}

const status = async ({ world, endpoint }: Stage) => (await stateOf(world.sql, endpoint)).status;

/** What keeps a listing's receipt from closing, by the status of the run that met it. */
const BROKEN: readonly (readonly [what: string, status: string, Fault, skip: number])[] = [
  ["a search that Drive calls incomplete", "partial", { type: "incomplete_search" }, 0],
  ["a later search that is incomplete", "partial", { type: "incomplete_search" }, 1],
  ["a page that fails again and again", "failed", { type: "status", status: 500 }, 1],
  ["a page that is garbage again and again", "failed", { type: "garbage" }, 1],
  ["a daily limit that is used up", "failed", {
    type: "status",
    status: 403,
    reason: "dailyLimitExceeded",
  }, 1],
];

for (const scope of SCOPES) {
  for (const [what, expected, fault, skip] of BROKEN) {
    Deno.test(`${scope}: ${what} deletes nothing; the next complete listing does`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, ids } = stage;
        const { faults } = world.drive.control;
        await world.sync();
        deleteUnnoticed(stage, [ids.a]);
        const times = expected === "failed" ? null : 1;
        faults.add({ fault, method: "files.list", skip, times });
        await world.sync();
        assert.equal(await status(stage), expected);
        assert.deepEqual((await tableOf(stage)).gone, []);
        faults.clear();
        await world.sync();
        assert.equal(await status(stage), "completed");
        await checkDrive(stage, ["/Plans/Old/b.pdf", "/top.txt"], ["a.pdf removed"]);
        assert.equal((await receiptOf(stage))?.["files_deleted"], 1);
      }));
  }

  Deno.test(`${scope}: empty pages and repeated entries are no reason to delete anything, or not to`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, ids } = stage;
      const { faults } = world.drive.control;
      await world.sync();
      deleteUnnoticed(stage, [ids.a]);
      faults.add({ fault: { type: "empty_page" }, times: 3 });
      faults.add({ fault: { type: "duplicates", count: 2 }, times: 3 });
      await world.sync();
      assert.equal(await status(stage), "completed");
      await checkDrive(stage, ["/Plans/Old/b.pdf", "/top.txt"], ["a.pdf removed"]);
    }));

  Deno.test(`${scope}: deletions beyond the fuse are held until they are approved`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      const { sql } = world;
      const many = fill(stage, 90);
      await world.sync();
      deleteUnnoticed(stage, many.slice(0, 60));
      await world.sync();
      assert.equal(await status(stage), "needs_attention");
      assert.equal((await stateOf(sql, stage.endpoint)).code, "deletions_held");
      assert.deepEqual((await tableOf(stage)).gone, []);

      // The endpoint goes on with what is certain.
      model.createFile({ name: "new.txt", parent: ids.old });
      model.trash(ids.a);
      const calls = await callsOf(stage, () => world.sync());
      assert.deepEqual(calls, { "changes.list": 1 });
      assert.equal(await status(stage), "needs_attention");
      const held = await tableOf(stage);
      assert.deepEqual(held.gone, ["a.pdf trashed"]);
      assert.ok(held.living.includes("/Plans/Old/new.txt"));

      const [approved] = await asUser(
        sql,
        ADA,
        (as) => as`select public.approve_deletions(${stage.endpoint}) as answer`,
      );
      assert.deepEqual(approved?.["answer"], {
        endpoint_id: stage.endpoint,
        held_deletions: 60,
      });
      await world.slice();
      assert.equal(await status(stage), "completed");
      const gone = Array.from({ length: 60 }, (_, n) => `${n}.txt removed`);
      await checkDrive(stage, undefined, [...gone, "a.pdf trashed"]);
      assert.deepEqual(await callsOf(stage, () => world.sync()), { "changes.list": 1 });
    }));

  Deno.test(`${scope}: held deletions are forgotten when the files are there after all`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model } = stage;
      const many = fill(stage, 90);
      await world.sync();
      const before = await versions(stage);
      for (const id of many) model.trash(id);
      world.drive.control.expireChangeTokens();
      await world.sync();
      assert.equal(await status(stage), "needs_attention");
      for (const id of many) model.untrash(id);
      await world.sql`select public.request_sync(${stage.endpoint}, 'full')`;
      await world.sync();
      assert.equal(await status(stage), "completed");
      assert.deepEqual(await versions(stage), before);
    }));

  Deno.test(`${scope}: a file that a listing missed comes back into its row`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      const idOf = async () =>
        (await world.sql`select id from public.files where external_file_id = ${ids.a}`)[0]?.["id"];
      const before = await idOf();
      model.trash(ids.a);
      world.drive.control.expireChangeTokens();
      await world.sync();
      assert.deepEqual((await tableOf(stage)).gone, ["a.pdf removed"]);
      model.untrash(ids.a);
      await world.sync();
      await checkDrive(stage, BASE);
      assert.equal(await idOf(), before);
    }));
}

function fill({ model, ids }: Stage, count: number): string[] {
  return Array.from(
    { length: count },
    (_, n) => model.createFile({ name: `${n}.txt`, parent: ids.old }).id,
  );
}

for (const scope of FOLDER_SCOPES) {
  for (const mode of ["empty", "partial"] as const) {
    Deno.test(`${scope}: grouped queries that lose folders (${mode}) delete nothing`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, model, ids, top } = stage;
        for (let n = 0; n < 12; n++) {
          const parent = model.createFolder({ name: `${n}`, parent: top }).id;
          model.createFile({ name: `${n}.txt`, parent });
        }
        await world.sync();
        deleteUnnoticed(stage, [ids.a]);
        world.drive.control.faults.add({ fault: { type: "grouped_parents", mode }, times: null });
        await world.sync();
        assert.equal(await status(stage), "completed");
        await checkDrive(stage, undefined, ["a.pdf removed"]);
      }));
  }

  Deno.test(`${scope}: a listing that skipped a folder deletes nothing, and is made good when it is read`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, ids } = stage;
      const { faults } = world.drive.control;
      await world.sync();
      deleteUnnoticed(stage, [ids.a]);
      faults.add({ fault: REFUSED, path: ids.old, times: null });
      await world.sync();
      assert.equal(await status(stage), "partial");
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
      faults.clear();
      await retryFolders(stage);
      assert.equal(await status(stage), "completed");
      // Now that all can be read, the next run lists anew.
      await world.sync();
      assert.equal(await status(stage), "completed");
      await checkDrive(stage, ["/Plans/Old/b.pdf", "/top.txt"], ["a.pdf removed"]);
    }));
}

const REFUSED: Fault = { type: "status", status: 403, reason: "insufficientFilePermissions" };

/** Lets a quarter of an hour pass. */
async function retryFolders({ world }: Stage): Promise<void> {
  await world.sql`update connector.folder_errors set next_attempt_at = now()`;
  await world.sync();
}

const FLAT: readonly Scope[] = ["whole shared drive", "own corpus"];
for (const scope of FLAT) {
  Deno.test(`${scope}: an incomplete search in a later page of many deletes nothing`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, ids } = stage;
      fill(stage, 20);
      await world.sync();
      deleteUnnoticed(stage, [ids.a, ids.topFile]);
      world.drive.control.faults.add({
        fault: { type: "incomplete_search" },
        method: "files.list",
        skip: 1,
      });
      await world.sync();
      assert.equal(await status(stage), "partial");
      assert.deepEqual((await tableOf(stage)).gone, []);
      await world.sync();
      assert.deepEqual((await tableOf(stage)).gone, ["a.pdf removed", "top.txt removed"]);
    }));
}
