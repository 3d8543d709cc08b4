/** Files that a listing no longer shows where they were. */
import assert from "node:assert/strict";
import { stateOf, withAutodeskSync } from "../support/autodesk_sync.ts";
import { recordsOf } from "../support/file_rows.ts";
import { expectAfter, living, setUp } from "./autodesk_plans.ts";

Deno.test("many absent files are asked about in parts, over slices without budget", () =>
  withAutodeskSync(async (world) => {
    const { model, place } = world;
    const box = model.createFolder({ name: "Box", parent: place.folderId });
    const items = Array.from(
      { length: 120 },
      (_, n) => model.createItem({ name: `${n}.txt`, parent: box.id }),
    );
    for (let n = 0; n < 400; n++) model.createItem({ name: `k${n}.txt`, parent: place.folderId });
    world.wait();
    const endpoint = await world.add();
    await world.sync();
    for (const { id } of items.slice(0, 60)) model.purge(id);
    world.wait();
    await world.sync({}, { cpuBudgetMs: 70 });
    const state = await stateOf(world.sql, endpoint);
    assert.equal(state.status, "completed");
    assert.ok(state.slices > 1, `${state.slices} slices`);
    assert.equal((await living(world, endpoint)).length, 460);
  }));

Deno.test("a file that moves into another product's folder is no longer a project file", () =>
  withAutodeskSync(async (world) => {
    const { model, place } = world;
    const { endpoint, top } = await setUp(world);
    const photos = model.createFolder({
      name: "Photos",
      parent: place.rootFolderId,
      isSystem: true,
    });
    await expectAfter(world, endpoint, () => model.move(top.id, photos.id), [
      "/Project Files/Plans/Old/b.pdf",
      "/Project Files/Plans/a.pdf",
    ]);
  }));

Deno.test("a file that moves into a folder made after its place was read is kept, and found later", () =>
  withAutodeskSync(async (world) => {
    const { model, sql } = world;
    const { parent, top, endpoint } = await setUp(world);
    model.createItem({ name: "new.txt", parent });
    world.wait();
    const { absentItems } = world.deps.db;
    let isMoved = false;
    // Gone from where it was, in the eyes of the listing, before it is asked about.
    const db: typeof world.deps.db = {
      ...world.deps.db,
      commitPage(lease, page) {
        const files = recordsOf(page.files).filter(({ external_file_id: id }) => id !== top.id);
        return world.deps.db.commitPage(lease, { ...page, files });
      },
      absentItems(lease, limit) {
        if (!isMoved) model.move(top.id, model.createFolder({ name: "Late", parent }).id);
        isMoved = true;
        return absentItems(lease, limit);
      },
    };
    await world.sync({ db });
    assert.ok(isMoved);
    assert.equal((await living(world, endpoint)).includes("/Project Files/top.txt"), true);
    assert.equal((await stateOf(sql, endpoint)).status, "completed");
    await expectAfter(world, endpoint, () => {}, [
      "/Project Files/Late/top.txt",
      "/Project Files/Plans/Old/b.pdf",
      "/Project Files/Plans/a.pdf",
      "/Project Files/new.txt",
    ]);
  }));

Deno.test("deletions that the fuse withholds are told, also when one folder alone was read", () =>
  withAutodeskSync(async (world) => {
    const { model, place, sql } = world;
    const items = Array.from(
      { length: 80 },
      (_, n) => model.createItem({ name: `${n}.txt`, parent: place.folderId }),
    );
    world.wait();
    const endpoint = await world.add();
    await world.sync();
    for (const { id } of items.slice(0, 60)) model.purge(id);
    world.wait();
    await world.sync();
    const state = await stateOf(sql, endpoint);
    assert.deepEqual([state.status, state.code], ["needs_attention", "deletions_held"]);
    assert.equal((await living(world, endpoint)).length, 80);
    await sql`select public.approve_deletions(${endpoint})`;
    await world.sync();
    assert.equal((await living(world, endpoint)).length, 20);
    assert.equal((await stateOf(sql, endpoint)).status, "completed");
  }));
