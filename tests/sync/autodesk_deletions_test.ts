/** What is deleted in runs that cannot read all of an Autodesk project, and what it costs to know. */
import assert from "node:assert/strict";
import {
  type AutodeskSync,
  CLIENT_ID,
  filesOf,
  stateOf,
  withAutodeskSync,
} from "../support/autodesk_sync.ts";

/** Folders `Plans`, `Photos` and `Secret` with `files` files each (or `plansFiles`), synced once. */
async function setUp(world: AutodeskSync, files = 3, plansFiles = files) {
  const { model, place: { folderId: parent } } = world;
  const make = (name: string, length = files) => {
    const folder = model.createFolder({ name, parent }).id;
    const items = Array.from(
      { length },
      (_, n) => model.createItem({ name: `${name} ${n}.pdf`, parent: folder }).id,
    );
    return { folder, items };
  };
  const [plans, photos, secret] = [make("Plans", plansFiles), make("Photos"), make("Secret")];
  world.wait();
  const endpoint = await world.add();
  await world.sync();
  assert.equal((await filesOf(world.sql, endpoint)).length, 2 * files + plansFiles);
  world.wait();
  return { plans, photos, secret, endpoint };
}

/** Syncs in full; the folder that cannot be read makes it a partial run, and nothing else. */
async function syncInPart(world: AutodeskSync, endpoint: string): Promise<readonly string[]> {
  await world.sql`select public.request_sync(${endpoint}, 'full')`;
  const calls = await world.callsOfSync();
  const { status, code, message } = await stateOf(world.sql, endpoint);
  assert.deepEqual([status, code], ["partial", "listing_incomplete"], message ?? "");
  return calls;
}

async function gone({ sql }: AutodeskSync, endpoint: string): Promise<string[]> {
  const files = await filesOf(sql, endpoint);
  return files.filter(({ sync_status }) => sync_status === "deleted")
    .map(({ file_name }) => file_name).sort();
}

function countOf(calls: readonly string[], method: string): number {
  return calls.filter((call) => call === method).length;
}

/** The folder `Secret`: shown but refused, or out of sight altogether. */
const LOSSES = [
  { how: "is refused", isShown: true },
  { how: "is out of sight", isShown: false },
] as const;

for (const { how, isShown } of LOSSES) {
  const lose = ({ model, aps: { control } }: AutodeskSync, folder: string) => {
    if (!isShown) return model.denyAccess(folder, CLIENT_ID, 404);
    const path = `${encodeURIComponent(folder)}/contents`;
    control.addFault({ fault: { type: "status", status: 403 }, path, times: null });
  };

  Deno.test(`while a folder ${how}, files shown as deleted elsewhere go, unasked`, () =>
    withAutodeskSync(async (world) => {
      const { plans, photos, secret, endpoint } = await setUp(world);
      lose(world, secret.folder);
      for (const id of [plans.items[0], photos.items[1], secret.items[2]]) {
        world.model.delete(id ?? "");
      }
      const calls = await syncInPart(world, endpoint);
      assert.deepEqual(await gone(world, endpoint), ["Photos 1.pdf", "Plans 0.pdf"]);
      assert.equal(countOf(calls, "items.get"), 0);
    }));

  Deno.test(`while a folder ${how}, files that are absent elsewhere are asked about one by one`, () =>
    withAutodeskSync(async (world) => {
      const { plans, photos, secret, endpoint } = await setUp(world, 5, 400);
      lose(world, secret.folder);
      // More than are asked about at once, and fewer than the fuse holds back.
      for (const id of plans.items.slice(0, 60)) world.model.purge(id);
      world.model.move(photos.items[0] ?? "", secret.folder);
      const calls = await syncInPart(world, endpoint);
      assert.equal((await gone(world, endpoint)).length, isShown ? 60 : 61);
      assert.equal(countOf(calls, "items.get"), 61, "what lies in the lost folder is left alone");
    }));

  Deno.test(`while a folder ${how}, a deleted folder's files go where Autodesk says so of each`, () =>
    withAutodeskSync(async (world) => {
      const { plans, photos, secret, endpoint } = await setUp(world);
      const { model } = world;
      lose(world, secret.folder);
      model.move(plans.items[0] ?? "", photos.folder);
      model.delete(plans.folder);
      await syncInPart(world, endpoint);
      assert.deepEqual(await gone(world, endpoint), ["Plans 1.pdf", "Plans 2.pdf"]);
      const again = await syncInPart(world, endpoint);
      assert.equal(countOf(again, "items.get"), 0, "what is gone is not asked about again");
    }));
}

Deno.test("a deleted file is told of by its folder, also where the run is far from its end", () =>
  withAutodeskSync(async (world) => {
    const { plans, endpoint } = await setUp(world, 4);
    for (const id of plans.items) world.model.delete(id);
    await world.sql`update public.endpoints set max_files_per_sync = 4`;
    await world.sql`select public.request_sync(${endpoint}, 'full')`;
    await world.sync();
    assert.equal((await stateOf(world.sql, endpoint)).status, "partial");
    await world.sync();
    await world.sync();
    assert.deepEqual((await gone(world, endpoint)).length, 4);
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  }));

Deno.test("hundreds of files deleted one by one cost no call each, and no fuse withholds them", () =>
  withAutodeskSync(async (world) => {
    const { plans, photos, secret, endpoint } = await setUp(world, 100);
    for (const id of [...plans.items, ...photos.items, ...secret.items]) world.model.delete(id);
    world.wait();
    const calls = await world.callsOfSync();
    assert.equal((await gone(world, endpoint)).length, 300);
    assert.equal(calls.length, 5, `${calls}`);
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  }));

/** The endpoint, and how many deletions the fuse holds back. */
async function standing({ sql }: AutodeskSync, endpoint: string) {
  const [row] = await sql`
    select e.last_sync_status as status, s.held_deletions::int as held
    from public.endpoints as e join connector.endpoint_states as s on s.endpoint_id = e.id
    where e.id = ${endpoint}`;
  return { ...row };
}

for (const mode of ["incremental", "full"] as const) {
  const sync = async (world: AutodeskSync, endpoint: string) => {
    world.wait();
    await world.sql`select public.request_sync(${endpoint}, ${mode})`;
    return await world.callsOfSync();
  };

  Deno.test(`${mode}: a big folder that is lost from sight is asked about, and trips no fuse`, () =>
    withAutodeskSync(async (world) => {
      const { plans, photos, secret, endpoint } = await setUp(world, 100);
      world.model.denyAccess(secret.folder, CLIENT_ID, 404);
      world.model.purge(plans.items[0] ?? "");
      world.model.addVersion(photos.items[0] ?? "", { size: 5 });
      const calls = await sync(world, endpoint);
      assert.deepEqual(await standing(world, endpoint), { status: "partial", held: null });
      assert.deepEqual(await gone(world, endpoint), ["Plans 0.pdf"]);
      assert.equal(countOf(calls, "items.get"), 1, "nothing in the lost folder is asked about");
      world.model.allowAccess(secret.folder, CLIENT_ID);
      await sync(world, endpoint);
    }));

  Deno.test(`${mode}: a big folder that is deleted trips the fuse, also beside one that is lost`, () =>
    withAutodeskSync(async (world) => {
      const { plans, secret, endpoint } = await setUp(world, 100);
      world.model.denyAccess(secret.folder, CLIENT_ID, 404);
      world.model.delete(plans.folder);
      const calls = await sync(world, endpoint);
      assert.deepEqual(await standing(world, endpoint), { status: "needs_attention", held: 100 });
      assert.deepEqual(await gone(world, endpoint), []);
      assert.equal(countOf(calls, "items.get"), 0);
      await world.sql`select public.approve_deletions(${endpoint})`;
      await world.callsOfSync();
      assert.equal((await gone(world, endpoint)).length, 100);
      assert.deepEqual(await standing(world, endpoint), { status: "partial", held: null });
    }));

  Deno.test(`${mode}: several small folders that are deleted together trip the fuse before any goes`, () =>
    withAutodeskSync(async (world) => {
      const { plans, photos, endpoint } = await setUp(world, 40);
      for (const { folder } of [plans, photos]) world.model.delete(folder);
      await sync(world, endpoint);
      assert.deepEqual(await standing(world, endpoint), { status: "needs_attention", held: 80 });
      assert.deepEqual(await gone(world, endpoint), []);
    }));

  Deno.test(`${mode}: a folder that is deleted takes its files along, by one question`, () =>
    withAutodeskSync(async (world) => {
      const { plans, endpoint } = await setUp(world, 10);
      world.model.delete(plans.folder);
      const calls = await sync(world, endpoint);
      assert.deepEqual(await standing(world, endpoint), { status: "completed", held: null });
      assert.equal((await gone(world, endpoint)).length, 10);
      assert.equal(countOf(calls, "items.get"), 0);
    }));
}
