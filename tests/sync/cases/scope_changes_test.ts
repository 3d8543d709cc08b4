import assert from "node:assert/strict";
import { stateOf } from "../../support/drive_sync.ts";
import {
  BASE,
  callsOf,
  checkDrive,
  leavingReason,
  listingCalls,
  LOG_CALLS,
  playCases,
  type Scope,
  SCOPES,
  type Stage,
  tableOf,
  withStage,
} from "./stage.ts";

const MEMBERS: readonly Scope[] = ["whole shared drive", "folder in a shared drive"];

function driveOf({ model, top }: Stage): string {
  const driveId = model.item(top).driveId;
  assert.ok(driveId !== null);
  return driveId;
}

/** Syncs, and checks what was called. */
async function syncBy(stage: Stage, calls: Readonly<Record<string, number>>): Promise<void> {
  assert.deepEqual(await callsOf(stage, () => stage.world.sync()), calls);
}

async function statusOf({ world, endpoint }: Stage) {
  const { status, code } = await stateOf(world.sql, endpoint);
  return [status, code];
}

for (const scope of MEMBERS) {
  Deno.test(`${scope}: a drive that is left keeps its rows, and goes on where it was when joined again`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      model.removeMember(driveOf(stage), world.account);
      // The log is refused. A folder may still be shared by itself, so it is looked at; the message names
      // the account.
      const looks: Record<string, number> = scope === "whole shared drive"
        ? {}
        : { "files.get": 1 };
      await syncBy(stage, { ...LOG_CALLS, ...looks, "about.get": 1 });
      assert.deepEqual(await statusOf(stage), ["needs_attention", "scope_not_found"]);
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });

      model.createFile({ name: "meanwhile.txt", parent: ids.old });
      model.trash(ids.a);
      model.addMember(driveOf(stage), world.account);
      await syncBy(stage, LOG_CALLS);
      assert.deepEqual(await statusOf(stage), ["completed", null]);
      await checkDrive(stage, ["/Plans/Old/b.pdf", "/Plans/Old/meanwhile.txt", "/top.txt"], [
        "a.pdf trashed",
      ]);
      await syncBy(stage, LOG_CALLS);
    }));

  Deno.test(`${scope}: a drive that the account has not joined says whom to share with, and syncs once joined`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model } = stage;
      model.removeMember(driveOf(stage), world.account);
      await syncBy(stage, { "files.get": 1, "about.get": 1 });
      assert.deepEqual(await statusOf(stage), ["needs_attention", "scope_not_found"]);
      assert.deepEqual(await tableOf(stage), { living: [], gone: [] });
      const { message } = await stateOf(world.sql, stage.endpoint);
      assert.ok(message?.includes(world.account), message ?? "");
      model.addMember(driveOf(stage), world.account);
      await syncBy(stage, listingCalls(scope));
      await checkDrive(stage, BASE);
      await syncBy(stage, LOG_CALLS);
    }));
}

playCases([
  {
    what: "a shared drive is joined: its files are not the account's own",
    scopes: ["own corpus", "folder in My Drive"],
    change: ({ model, world }) => {
      const { id } = model.createDrive({ name: "New team", members: [] });
      model.createFile({ name: "theirs.txt", parent: id });
      model.addMember(id, world.account);
    },
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "a shared drive is renamed",
    scopes: MEMBERS,
    change: (stage) => stage.model.renameDrive(driveOf(stage), "Another name"),
    living: BASE,
    calls: 1,
    writes: 0,
  },
]);

async function setFileTypes({ world: { sql }, endpoint }: Stage, types: string[]): Promise<void> {
  await sql`update public.endpoints set file_types = ${sql.json(types)} where id = ${endpoint}`;
}

async function idsOf({ world: { sql }, endpoint }: Stage) {
  const rows = await sql`
    select external_file_id, id from public.files where endpoint_id = ${endpoint} order by 1`;
  return rows.map(({ id }) => id);
}

for (const scope of SCOPES) {
  Deno.test(`${scope}: file_types narrowed makes tombstones, widened brings the same rows back`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      const before = await idsOf(stage);
      await setFileTypes(stage, ["pdf"]);
      assert.deepEqual(await statusOf(stage), ["pending", null]);
      await syncBy(stage, listingCalls(scope));
      const pdfs = { ...stage, isWanted: (name: string) => name.endsWith(".pdf") };
      await checkDrive(pdfs, BASE.slice(0, 2), ["top.txt filtered"]);
      assert.deepEqual(await idsOf(stage), before);
      await syncBy(stage, LOG_CALLS);

      model.createFile({ name: "new.txt", parent: ids.old });
      model.rename(ids.a, "a.txt");
      await syncBy(stage, LOG_CALLS);
      await checkDrive(pdfs, ["/Plans/Old/b.pdf"], ["a.pdf filtered", "top.txt filtered"]);

      await setFileTypes(stage, ["*"]);
      await syncBy(stage, listingCalls(scope));
      await checkDrive(stage, [
        "/Plans/Old/b.pdf",
        "/Plans/Old/new.txt",
        "/Plans/a.txt",
        "/top.txt",
      ]);
      const after = await idsOf(stage);
      assert.ok(before.every((id) => after.includes(id)));
      assert.deepEqual(await statusOf(stage), ["completed", null]);
      await syncBy(stage, LOG_CALLS);
    }));

  Deno.test(`${scope}: another endpoint_config lets go of what it no longer holds, without the fuse`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      const { sql } = world;
      for (let n = 0; n < 60; n++) model.createFile({ name: `${n}.txt`, parent: ids.old });
      model.share(ids.box, world.account);
      await world.sync();
      const config = (value: Record<string, string>) =>
        sql`update public.endpoints set endpoint_config = ${sql.json(value)}
          where id = ${stage.endpoint}`;
      await config({ folder_id: ids.box });
      await syncBy(stage, listingCalls("folder in My Drive", 2));
      assert.deepEqual(await statusOf(stage), ["completed", null]);
      const boxed = { ...stage, top: ids.box, prefix: "", scope: "folder in My Drive" } as const;
      const all = [
        ...Array.from({ length: 60 }, (_, n) => `${n}.txt`),
        "a.pdf",
        "b.pdf",
        "top.txt",
      ];
      await checkDrive(
        boxed,
        ["/Deep/deep.txt", "/in.txt"],
        all.map((name) => `${name} out_of_scope`),
      );
      await syncBy(stage, LOG_CALLS);

      await config({ folder_id: ids.plans });
      const plans = { ...boxed, top: ids.plans };
      model.share(ids.plans, world.account);
      await syncBy(stage, listingCalls("folder in My Drive", 2));
      const living = [
        "/a.pdf",
        "/Old/b.pdf",
        ...Array.from({ length: 60 }, (_, n) => `/Old/${n}.txt`),
      ];
      await checkDrive(plans, living, [
        "deep.txt out_of_scope",
        "in.txt out_of_scope",
        "top.txt out_of_scope",
      ]);
      await syncBy(stage, LOG_CALLS);
    }));
}

Deno.test("whole shared drive: what moved to the account's own corpus has moved, not gone", () =>
  withStage("whole shared drive", {}, async (stage) => {
    const { world, model, ids } = stage;
    await world.sync();
    const mine = model.createFolder({
      name: "Mine",
      parent: model.account("owner@example.com").root.id,
    });
    model.share(mine.id, world.account);
    model.move(ids.plans, mine.id);
    await syncBy(stage, LOG_CALLS);
    assert.equal(leavingReason(stage), "out_of_scope");
    await checkDrive(stage, ["/top.txt"], ["a.pdf out_of_scope", "b.pdf out_of_scope"]);
  }));
