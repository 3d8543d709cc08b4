/** What the owner changes of the endpoint: the types that are wanted, and the scope itself. */
import assert from "node:assert/strict";
import { CLIENT_ID, stateOf } from "../../support/autodesk_sync.ts";
import {
  BASE,
  callsOf,
  checkProject,
  ONE_TOP,
  quietCalls,
  type Stage,
  tableOf,
  withStage,
} from "./stage.ts";

async function statusOf({ world, endpoint }: Stage) {
  const { status, code, message } = await stateOf(world.sql, endpoint);
  return code === null ? [status] : [status, code, message];
}

async function setFileTypes({ world: { sql }, endpoint }: Stage, types: string[]): Promise<void> {
  await sql`update public.endpoints set file_types = ${sql.json(types)} where id = ${endpoint}`;
}

async function setConfig(
  { world: { sql, place }, endpoint }: Stage,
  folderIds: readonly string[] | undefined,
): Promise<void> {
  const config = {
    project_id: place.projectId,
    ...(folderIds === undefined ? {} : { folder_ids: [...folderIds] }),
  };
  await sql`
    update public.endpoints set endpoint_config = ${sql.json(config)} where id = ${endpoint}`;
}

async function idsOf({ world: { sql }, endpoint }: Stage) {
  const rows = await sql`
    select id from public.files where endpoint_id = ${endpoint} order by external_file_id`;
  return rows.map(({ id }) => id);
}

for (const scope of ONE_TOP) {
  Deno.test(`${scope}: file_types narrowed makes tombstones, widened brings the same rows back`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      const before = await idsOf(stage);
      await setFileTypes(stage, ["pdf"]);
      assert.deepEqual(await statusOf(stage), ["pending"]);
      await world.sync();
      const pdfs = BASE.slice(0, 2);
      assert.deepEqual(await tableOf(stage), { living: pdfs, gone: ["top.txt filtered"] });
      assert.deepEqual(await callsOf(stage, () => world.sync()), quietCalls(stage));

      model.createItem({ name: "new.txt", parent: ids.old });
      model.rename(ids.a, "a.txt");
      await world.sync();
      assert.deepEqual(await tableOf(stage), {
        living: ["/Plans/Old/b.pdf"],
        gone: ["a.pdf filtered", "top.txt filtered"],
      });

      await setFileTypes(stage, ["*"]);
      await world.sync();
      await checkProject(stage, [
        "/Plans/Old/b.pdf",
        "/Plans/Old/new.txt",
        "/Plans/a.txt",
        "/top.txt",
      ]);
      const after = await idsOf(stage);
      assert.ok(before.every((id) => after.includes(id)));
      assert.deepEqual(await statusOf(stage), ["completed"]);
    }));

  Deno.test(`${scope}: another endpoint_config lets go of what it no longer holds, without the fuse`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      for (let n = 0; n < 60; n++) model.createItem({ name: `${n}.txt`, parent: ids.old });
      const all = [...Array.from({ length: 60 }, (_, n) => `${n}.txt`), "a.pdf", "b.pdf"];
      await world.sync();
      await setConfig(stage, [ids.box]);
      await world.sync();
      assert.deepEqual(await statusOf(stage), ["completed"]);
      const boxed: Stage = { ...stage, folderIds: [ids.box], prefix: "" };
      const gone = [...all, "top.txt"].map((name) => `${name} out_of_scope`);
      await checkProject(boxed, ["/Deep/deep.txt", "/in.txt"], gone);
      assert.deepEqual(await callsOf(stage, () => world.sync()), quietCalls(boxed));

      await setConfig(stage, [ids.plans]);
      await world.sync();
      assert.deepEqual(await statusOf(stage), ["completed"]);
      const living = all.map((name) => name === "a.pdf" ? "/a.pdf" : `/Old/${name}`);
      const left = ["deep.txt", "in.txt", "top.txt"].map((name) => `${name} out_of_scope`);
      await checkProject({ ...boxed, folderIds: [ids.plans] }, living, left);
    }));
}

for (const scope of ONE_TOP) {
  Deno.test(`${scope}: another project lets go of every file of the former one, which nobody can be asked about`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, endpoint } = stage;
      await world.sync();
      const hub = world.place.hubId;
      const { id: projectId, root } = model.addProject({ name: "Bridge", hub });
      const top = model.createFolder({ name: "Project Files", parent: root.id });
      model.createItem({ name: "deck.pdf", parent: top.id });
      const config = world.sql.json({ project_id: projectId });
      await world.sql`
        update public.endpoints set endpoint_config = ${config} where id = ${endpoint}`;
      await world.sync();
      assert.deepEqual(await statusOf(stage), ["completed"]);
      const gone = ["a.pdf", "b.pdf", "top.txt"].map((name) => `${name} out_of_scope`);
      const bridge = { ...stage, prefix: "/Project Files" };
      assert.deepEqual(await tableOf(bridge), { living: ["/deck.pdf"], gone });
      assert.deepEqual(await callsOf(stage, () => world.sync()), { "projects.topFolders": 1 });
    }));

  Deno.test(`${scope}: file_types narrowed while access to a folder is lost deletes nothing of it`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      model.denyAccess(ids.plans, CLIENT_ID, 404);
      await setFileTypes(stage, ["txt"]);
      await world.sync();
      assert.equal((await statusOf(stage))[0], "partial");
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
      model.allowAccess(ids.plans, CLIENT_ID);
      await world.sql`update connector.folder_errors set next_attempt_at = now()`;
      // The folder is tried again first; then all is listed, since the last full walk owes it.
      await world.sync();
      await world.sync();
      assert.deepEqual(await statusOf(stage), ["completed"]);
      assert.deepEqual(await tableOf(stage), {
        living: ["/top.txt"],
        gone: ["a.pdf filtered", "b.pdf filtered"],
      });
    }));
}

Deno.test("given folder: the whole project takes its place, and paths begin at the top folder", () =>
  withStage("given folder", {}, async (stage) => {
    const { world } = stage;
    await world.sync();
    const before = await idsOf(stage);
    await setConfig(stage, undefined);
    await world.sync();
    assert.deepEqual(await statusOf(stage), ["completed"]);
    await checkProject({ ...stage, folderIds: undefined, prefix: "/Project Files" }, [
      "/Outside/Box/Deep/deep.txt",
      "/Outside/Box/in.txt",
      ...BASE.map((path) => `/Scope${path}`),
    ]);
    const after = await idsOf(stage);
    assert.ok(before.every((id) => after.includes(id)));
  }));

Deno.test("given folder: a folder inside it is named too, and taken away again", () =>
  withStage("given folder", {}, async (stage) => {
    const { world, ids, top } = stage;
    await world.sync();
    await setConfig(stage, [ids.old, top]);
    await world.sync();
    await checkProject({ ...stage, folderIds: [ids.old, top] }, [
      "/Plans/a.pdf",
      "/b.pdf",
      "/top.txt",
    ]);
    await setConfig(stage, [top]);
    await world.sync();
    await checkProject(stage, BASE);
    assert.deepEqual(await callsOf(stage, () => world.sync()), quietCalls(stage));
  }));
