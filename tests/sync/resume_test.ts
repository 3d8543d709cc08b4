import assert from "node:assert/strict";
import { generateTree } from "../../local/google/generated_tree.ts";
import type { ConnectorDb } from "../../supabase/functions/_shared/db/connector_db.ts";
import { googleDrive } from "../../supabase/functions/_shared/providers/google_drive/index.ts";
import { workLeases } from "../../supabase/functions/_shared/sync/slice.ts";
import { type DriveSync, filesOf, OWNER, stateOf, withDriveSync } from "../support/drive_sync.ts";
import { waitFor } from "../support/wait_for.ts";

const FILES = 2_500;

/** A shared drive with 2,500 files, listed in pages of a thousand. */
function bigDrive({ drive: { model }, account }: DriveSync): string {
  const { id } = model.createDrive({ name: "Big", members: [OWNER, account] });
  generateTree(model, { parent: id, files: FILES });
  return id;
}

/** One task at a time: such a listing is not cut into windows, so that its pages can be counted. */
const SERIAL = {
  provider: { ...googleDrive, limits: { ...googleDrive.limits, maxParallelTasks: 1 } },
};

/** A database that carries out `commits` commits and then leaves its caller waiting. */
function stallAfter(db: ConnectorDb, commits: number) {
  const stalled = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let left = commits;
  const commitPage: ConnectorDb["commitPage"] = async (lease, page) => {
    if (left-- <= 0) {
      stalled.resolve();
      await released;
    }
    return await db.commitPage(lease, page);
  };
  return { db: { ...db, commitPage }, stalled: stalled.promise, release };
}

async function expireLeases({ sql }: DriveSync): Promise<void> {
  await sql`
    update connector.endpoint_states set lease_expires_at = now() - interval '1 second'
    where lease_token is not null`;
}

for (const commits of [0, 1, 2, 3]) {
  Deno.test(`a worker that dies after ${commits} commits costs no file and doubles none`, () =>
    withDriveSync(async (world) => {
      const endpoint = await world.add({ drive_id: bigDrive(world) });
      const stall = stallAfter(world.deps.db, commits);
      const dead = world.slice({ ...SERIAL, db: stall.db });
      await stall.stalled;
      await expireLeases(world);
      await world.slice(SERIAL);

      const rows = await filesOf(world.sql, endpoint);
      assert.equal(rows.length, FILES);
      assert.equal(new Set(rows.map(({ external_file_id }) => external_file_id)).size, FILES);
      const state = await stateOf(world.sql, endpoint);
      assert.equal(state.status, "completed");
      assert.equal(state.files_added, FILES);
      assert.equal(state.files_seen, FILES);
      assert.equal(state.slices, 2);
      // Folders in one page, files in three; the dead worker had read at most two pages too many.
      const pages = world.drive.control.counters().calls["files.list"] ?? 0;
      assert.ok(pages <= 6, `${pages} pages were read`);

      // The dead worker was only slow: what it writes now must not count.
      const before = await world.sql`select id, xmin::text from public.files order by id`;
      stall.release();
      await dead;
      assert.deepEqual([...await world.sql`select id, xmin::text from public.files order by id`], [
        ...before,
      ]);
      assert.deepEqual(await stateOf(world.sql, endpoint), state);
      assert.ok(world.log.entries.some(({ event }) => event === "lease_lost"));
    }));
}

Deno.test("a listing cut into many slices ends with every file, reading no page twice", () =>
  withDriveSync(async (world) => {
    const endpoint = await world.add({ drive_id: bigDrive(world) });
    // Enough for one page, no more: every slice ends after it.
    await world.sync(SERIAL, { cpuBudgetMs: 10 });
    const state = await stateOf(world.sql, endpoint);
    assert.equal(state.status, "completed");
    assert.equal(state.files_added, FILES);
    assert.ok(state.slices >= 3, `${state.slices} slices`);
    assert.equal((await filesOf(world.sql, endpoint)).length, FILES);
    assert.equal(world.drive.control.counters().calls["files.list"], 4);
  }));

Deno.test("a worker that is told to unload hands its run over", () =>
  withDriveSync(async (world) => {
    const endpoint = await world.add({ drive_id: bigDrive(world) });
    const unload = new AbortController();
    const commitPage: ConnectorDb["commitPage"] = async (lease, page) => {
      const committed = await world.deps.db.commitPage(lease, page);
      if (committed.files_seen >= 1_000) unload.abort();
      return committed;
    };
    await world.slice({ db: { ...world.deps.db, commitPage }, unloading: unload.signal });
    assert.equal((await stateOf(world.sql, endpoint)).status, "running");
    await world.slice();
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
    assert.equal((await filesOf(world.sql, endpoint)).length, FILES);
  }));

Deno.test("changing an endpoint's scope while it syncs stops the old work and starts anew", () =>
  withDriveSync(async (world) => {
    const { model } = world.drive;
    const endpoint = await world.add({ drive_id: bigDrive(world) });
    const stall = stallAfter(world.deps.db, 2);
    const old = world.slice({ db: stall.db });
    await stall.stalled;
    const folder = model.createFolder({ name: "New", parent: model.account(OWNER).root.id });
    model.createFile({ name: "new.txt", parent: folder.id });
    model.share(folder.id, world.account);
    const config = world.sql.json({ folder_id: folder.id });
    await world.sql`update public.endpoints set endpoint_config = ${config} where id = ${endpoint}`;
    stall.release();
    await old;
    await world.sync();
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
    const paths = (await filesOf(world.sql, endpoint)).map(({ file_path }) => file_path);
    assert.ok(paths.includes("/new.txt"));
    assert.ok(world.log.entries.some(({ event }) => event === "lease_lost"));
  }));

Deno.test("two workers that pull at the same time share the due endpoints and finish them all", () =>
  withDriveSync(async (world) => {
    const { model } = world.drive;
    const folder = model.createFolder({ name: "F", parent: model.account(OWNER).root.id });
    model.createFile({ name: "f.txt", parent: folder.id });
    model.share(folder.id, world.account);
    const endpoints = await Promise.all(
      Array.from({ length: 30 }, () => world.add({ folder_id: folder.id })),
    );
    const worker = async () => {
      const { claims } = await world.deps.db.claim({ maxConcurrent: 10, batch: 1 });
      await workLeases(claims, { ...world.deps, maxConcurrentSyncs: 10 });
    };
    await Promise.all([worker(), worker()]);
    await waitFor("every endpoint to be completed", async () => {
      const states = await Promise.all(endpoints.map((id) => stateOf(world.sql, id)));
      return states.every(({ status, slices }) => status === "completed" && slices === 1);
    });
  }));
