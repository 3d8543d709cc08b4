/** Answers in the forms that Autodesk is known or documented to give: pages, links, what is left out. */
import assert from "node:assert/strict";
import type { Fault } from "../../../local/autodesk/faults.ts";
import { stateOf } from "../../support/autodesk_sync.ts";
import {
  BASE,
  callsOf,
  checkProject,
  ONE_TOP,
  playCases,
  type Stage,
  syncFully,
  tableOf,
  withStage,
} from "./stage.ts";

const MANY = Array.from({ length: 450 }, (_, n) => `${n}.txt`);

function addMany({ model, ids }: Stage): void {
  for (const name of MANY) model.createItem({ name, parent: ids.old });
}
const LIVING = [...BASE, ...MANY.map((name) => `/Plans/Old/${name}`)];

async function lastReceipt({ world: { sql }, endpoint }: Stage) {
  const [run] = await sql`
    select receipt from public.sync_logs where endpoint_id = ${endpoint}
    order by started_at desc limit 1`;
  return run?.receipt;
}

for (const scope of ONE_TOP) {
  for (const links of ["absolute", "relative"] as const) {
    Deno.test(`${scope}: ${links} links lead through all pages, an empty one in the middle too`, () =>
      withStage(scope, {}, async (stage) => {
        const { world } = stage;
        const { control } = world.aps;
        control.setStyle({ links });
        addMany(stage);
        control.addFault({
          fault: { type: "empty_page" },
          method: "folders.contents",
          path: "page%5Bnumber%5D=1",
        });
        const { "folders.contents": pages = 0 } = await callsOf(stage, () => world.sync());
        // Those of the top, of Plans, and of Old three with something and one without.
        assert.equal(pages, 2 + 4);
        assert.deepEqual(control.faults.pending, []);
        await checkProject(stage, LIVING);
      }));
  }
}

Deno.test("a page that repeats entries of the one before adds no row", () =>
  withStage("given folder", {}, async (stage) => {
    const { world } = stage;
    addMany(stage);
    world.aps.control.addFault({ fault: { type: "duplicates", count: 5 }, times: 3, skip: 2 });
    await world.sync();
    await checkProject(stage, LIVING);
    const { files_added } = await stateOf(world.sql, stage.endpoint);
    assert.equal(files_added, LIVING.length);
  }));

Deno.test("a next link to another host is not followed, and no token is sent there", () =>
  withStage("given folder", {}, async (stage) => {
    const { world } = stage;
    addMany(stage);
    const fault: Fault = { type: "foreign_next", origin: "https://elsewhere.example" };
    world.aps.control.addFault({ fault, times: null });
    const hosts = new Set<string>();
    await world.sync({
      fetch: (input, init) => {
        hosts.add(new URL(new Request(input).url).host);
        return world.aps.fetch(input, init);
      },
    });
    assert.deepEqual([...hosts], ["aps.emulator"]);
    assert.equal((await stateOf(world.sql, stage.endpoint)).run_status, "failed");
    world.aps.control.clearFaults();
    await world.sync();
    await checkProject(stage, LIVING);
  }));

for (const mode of ["absent", "null", "partial"] as const) {
  Deno.test(`versions that do not come with a page (${mode}) cost no file, and the next full walk knows all again`, () =>
    withStage("given folder", {}, async (stage) => {
      const { world, model, ids } = stage;
      model.createItem({ name: "second.pdf", displayName: "words", parent: ids.plans, size: 5 });
      world.aps.control.addFault({ fault: { type: "included", mode }, times: 10 });
      await world.sync();
      const { status } = await stateOf(world.sql, stage.endpoint);
      assert.equal(status, "completed");
      const { items_without_version } = await lastReceipt(stage);
      assert.ok(items_without_version > 0, "the receipt tells of it");
      assert.equal((await tableOf(stage)).living.length, 4);
      world.aps.control.clearFaults();
      await syncFully(stage);
      await checkProject(stage, [...BASE, "/Plans/second.pdf"]);
      assert.equal((await lastReceipt(stage)).items_without_version, undefined);
    }));
}

Deno.test("a size that JSON does not tell exactly is left out, and the receipt says so", () =>
  withStage("given folder", {}, async (stage) => {
    stage.model.createItem({ name: "vast.bin", parent: stage.top, size: 2 ** 60 });
    await stage.world.sync();
    await checkProject(stage, [...BASE, "/vast.bin"]);
    assert.equal((await lastReceipt(stage)).values_unreadable, 1);
  }));

playCases([
  {
    what: "what other products keep beside Project Files is left out",
    scopes: ["whole project"],
    arrange: ({ model, world }) => {
      const { rootFolderId: parent } = world.place;
      const guid = model.ids.guid("a form");
      for (const name of [`checklist_${guid}`, guid, "submittals-attachments", "ProjectTb"]) {
        const folder = model.createFolder({ name, parent, isSystem: true });
        model.createItem({ name: "attachment.pdf", parent: folder.id });
      }
    },
    change: ({ model, world }) => {
      const { rootFolderId: parent } = world.place;
      const name = `dailylog_${model.ids.guid("a log")}`;
      const folder = model.createFolder({ name, parent, isSystem: true });
      model.createItem({ name: "photo.jpg", parent: folder.id });
    },
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "a top folder is deleted",
    scopes: ["whole project"],
    arrange: ({ model, world, made }) => {
      const folder = model.createFolder({ name: "Drawings", parent: world.place.rootFolderId });
      made.push(folder.id);
      model.createItem({ name: "d.pdf", parent: folder.id });
    },
    change: ({ model, made }) => model.delete(made[0] ?? ""),
    living: BASE,
    gone: ["d.pdf removed"],
    calls: 1 + 1,
    writes: 1,
  },
]);

Deno.test("whole project: a second top folder that appears beside Project Files is read", () =>
  withStage("whole project", {}, async (stage) => {
    const { world, model } = stage;
    await world.sync();
    const folder = model.createFolder({ name: "Drawings", parent: world.place.rootFolderId });
    model.createItem({ name: "d.pdf", parent: folder.id });
    const calls = await callsOf(stage, () => world.sync());
    assert.deepEqual(calls, { "projects.topFolders": 1, "folders.contents": 1 });
    await checkProject(stage);
    assert.equal((await tableOf({ ...stage, prefix: "" })).living[0], "/Drawings/d.pdf");
  }));
