/** Access that is lost and comes back: never a deletion, whichever way Autodesk words it. */
import assert from "node:assert/strict";
import { CLIENT_ID, stateOf } from "../../support/autodesk_sync.ts";
import {
  BASE,
  callsOf,
  checkProject,
  NESTED_BASE,
  ONE_TOP,
  type Stage,
  syncFully,
  tableOf,
  withStage,
} from "./stage.ts";

const state = ({ world, endpoint }: Stage) => stateOf(world.sql, endpoint);

async function ledgerOf({ world: { sql } }: Stage) {
  const rows = await sql`
    select external_folder_id as id from connector.folder_errors order by 1`;
  return rows.map(({ id }) => id);
}

/** Lets the time pass after which unreadable folders are tried again. */
async function wait({ world: { sql } }: Stage): Promise<void> {
  await sql`update connector.folder_errors set next_attempt_at = now()`;
}

for (const scope of ONE_TOP) {
  for (const status of [403, 404] as const) {
    Deno.test(`${scope}: access to a folder is lost (${status}) and comes back: no row is deleted, none is lost`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, model, ids } = stage;
        await world.sync();
        model.denyAccess(ids.plans, CLIENT_ID, status);
        // No rollup tells of permissions, but the folder above has one child less.
        await world.sync();
        assert.equal((await state(stage)).status, "partial");
        model.createItem({ name: "beside.txt", parent: stage.top });
        model.createItem({ name: "meanwhile.txt", parent: ids.old });
        model.delete(ids.b);
        await world.sync();
        const { status: after, code, message } = await state(stage);
        assert.deepEqual([after, code], ["partial", "listing_incomplete"]);
        assert.match(message ?? "", /\/Plans"/);
        assert.deepEqual(await ledgerOf(stage), [ids.plans]);
        await syncFully(stage);
        assert.deepEqual(await tableOf(stage), {
          living: ["/Plans/Old/b.pdf", "/Plans/a.pdf", "/beside.txt", "/top.txt"],
          gone: [],
        });

        model.allowAccess(ids.plans, CLIENT_ID);
        await wait(stage);
        await world.sync();
        assert.equal((await state(stage)).status, "completed");
        await syncFully(stage);
        await checkProject(
          stage,
          ["/Plans/Old/meanwhile.txt", "/Plans/a.pdf", "/beside.txt", "/top.txt"],
          ["b.pdf removed"],
        );
        assert.deepEqual(await ledgerOf(stage), []);
      }));
  }

  // What Autodesk says of one folder is that folder's matter, whatever it says; 500 it says five times.
  for (const status of [400, 403, 404, 410, 422, 500] as const) {
    Deno.test(`${scope}: a folder that could never be read (${status}) names itself, and appears when it can`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, model, ids } = stage;
        const { faults } = world.aps.control;
        const path = `${encodeURIComponent(ids.old)}/contents`;
        faults.add({ fault: { type: "status", status }, path, times: null });
        await world.sync();
        const first = await state(stage);
        assert.deepEqual([first.status, first.code], ["partial", "listing_incomplete"]);
        assert.match(first.message ?? "", /\/Plans\/Old"/);
        assert.deepEqual(await ledgerOf(stage), [ids.old]);
        assert.deepEqual((await tableOf(stage)).living, ["/Plans/a.pdf", "/top.txt"]);

        // Nothing else is held up.
        model.createItem({ name: "new.txt", parent: stage.top });
        await world.sync();
        assert.ok((await tableOf(stage)).living.includes("/new.txt"));
        assert.equal((await state(stage)).status, "partial");

        faults.clear();
        await wait(stage);
        await world.sync();
        assert.deepEqual(await ledgerOf(stage), []);
        assert.equal((await state(stage)).status, "completed");
        await checkProject(stage, [...BASE, "/new.txt"]);
      }));
  }
}

for (const scope of ONE_TOP) {
  Deno.test(`${scope}: where Autodesk does not answer at all, no folder is blamed, and no row is lost`, () =>
    withStage(scope, {}, async (stage) => {
      const { world } = stage;
      const { faults } = world.aps.control;
      await world.sync();
      faults.add({ fault: { type: "status", status: 500 }, times: null });
      await syncFully(stage);
      const { run_status, code } = await state(stage);
      assert.deepEqual([run_status, code], ["failed", "unavailable"]);
      assert.deepEqual(await ledgerOf(stage), []);
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
      faults.clear();
      await world.sync();
      await checkProject(stage, BASE);
    }));
}

Deno.test("folders, one in the other: one that does not answer (500) stops no other", () =>
  withStage("folders, one in the other", {}, async (stage) => {
    const { world, model, ids, top } = stage;
    const { faults } = world.aps.control;
    await world.sync();
    const path = `folders/${encodeURIComponent(ids.old)}`;
    faults.add({ fault: { type: "status", status: 500 }, path, times: null });
    model.createItem({ name: "new.txt", parent: top });
    await world.sync();
    assert.equal((await state(stage)).status, "partial");
    assert.deepEqual(await tableOf(stage), {
      living: [...NESTED_BASE, "/new.txt"].sort(),
      gone: [],
    });
    faults.clear();
    await wait(stage);
    await world.sync();
    assert.equal((await state(stage)).status, "completed");
    await checkProject(stage, [...NESTED_BASE, "/new.txt"]);
  }));

Deno.test("given folder: a top that is lost stops the sync and keeps the rows; back, it goes on", () =>
  withStage("given folder", {}, async (stage) => {
    const { world, model, ids, top } = stage;
    await world.sync();
    for (const status of [403, 404] as const) {
      model.denyAccess(top, CLIENT_ID, status);
      const calls = await callsOf(stage, () => world.sync());
      assert.equal(calls["folders.contents"], undefined);
      const code = status === 403 ? "access_denied" : "scope_not_found";
      const { status: shown, code: shownCode } = await state(stage);
      assert.deepEqual([shown, shownCode], ["needs_attention", code]);
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
      model.allowAccess(top, CLIENT_ID);
      await world.sync();
      assert.equal((await state(stage)).status, "completed");
    }
    model.delete(top);
    model.addVersion(ids.a, { size: 5 });
    await world.sync();
    assert.equal((await state(stage)).code, "scope_not_found");
    assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
    model.restore(top);
    await world.sync();
    await checkProject(stage, BASE);
  }));

for (const status of [403, 404] as const) {
  Deno.test(`folders, one in the other: the one between them is lost (${status}), the inner one is followed on`, () =>
    withStage("folders, one in the other", {}, async (stage) => {
      const { world, model, ids, top } = stage;
      await world.sync();
      model.denyAccess(ids.plans, CLIENT_ID, status);
      model.allowAccess(ids.old, CLIENT_ID);
      model.createItem({ name: "new.txt", parent: top });
      await world.sync();
      assert.equal((await state(stage)).status, "partial");
      assert.deepEqual(await tableOf(stage), {
        living: ["/Plans/a.pdf", "/b.pdf", "/new.txt", "/top.txt"],
        gone: [],
      });
      model.allowAccess(ids.plans, CLIENT_ID);
      await wait(stage);
      await world.sync();
      assert.equal((await state(stage)).status, "completed");
      await checkProject(stage, [...NESTED_BASE, "/new.txt"]);
    }));
}

Deno.test("whole project: an application that is put out of the account keeps every row, and syncs when it is let in", () =>
  withStage("whole project", {}, async (stage) => {
    const { world, model } = stage;
    await world.sync();
    model.setProvisioned(world.place.hubId, CLIENT_ID, false);
    await syncFully(stage);
    assert.equal((await state(stage)).status, "needs_attention");
    assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
    model.setProvisioned(world.place.hubId, CLIENT_ID, true);
    await world.sync();
    assert.equal((await state(stage)).status, "completed");
    await checkProject(stage, BASE);
  }));

Deno.test("whole project: no folder at all is a permission that is missing, not an empty project", () =>
  withStage("whole project", {}, async (stage) => {
    const { world, model, top, outside } = stage;
    await world.sync();
    for (const folder of [top, outside]) model.denyAccess(folder, CLIENT_ID, 404);
    await syncFully(stage);
    assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
    assert.equal((await state(stage)).code, "access_denied");
  }));
