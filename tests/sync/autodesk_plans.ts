/** A project with a few plans in it, and what became of them. */
import assert from "node:assert/strict";
import { type AutodeskSync, filesOf, stateOf } from "../support/autodesk_sync.ts";

/** `/Plans/a.pdf`, `/Plans/Old/b.pdf` and `/top.txt` below the top folder, synced once. */
export async function setUp(world: AutodeskSync, config?: Record<string, unknown>) {
  const { model, place } = world;
  const parent = place.folderId;
  const top = model.createItem({ name: "top.txt", parent });
  const plans = model.createFolder({ name: "Plans", parent });
  const a = model.createItem({ name: "a.pdf", parent: plans.id });
  const old = model.createFolder({ name: "Old", parent: plans.id });
  const b = model.createItem({ name: "b.pdf", parent: old.id });
  world.wait();
  const endpoint = await world.add(config);
  await world.sync();
  assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  return { parent, top, plans, a, old, b, endpoint };
}

/** Paths of the files that are there now. */
export async function living({ sql }: AutodeskSync, endpoint: string): Promise<string[]> {
  const files = await filesOf(sql, endpoint);
  return files.filter(({ sync_status }) => sync_status === "completed")
    .map(({ file_path }) => file_path);
}

/** What is gone, with the reason of each. */
export async function goneOf({ sql }: AutodeskSync, endpoint: string): Promise<string[]> {
  const rows = await sql`
    select file_name, deletion_reason from public.files
    where endpoint_id = ${endpoint} and deleted_at is not null order by file_name`;
  return rows.map((row) => `${row.file_name} ${row.deletion_reason}`);
}

/** Lets a change happen, syncs, and compares the paths, whatever else. */
export async function expectAfter(
  world: AutodeskSync,
  endpoint: string,
  change: () => void,
  paths: readonly string[],
): Promise<void> {
  change();
  world.wait();
  await world.sync();
  const state = await stateOf(world.sql, endpoint);
  assert.equal(state.status, "completed", state.message ?? "");
  assert.deepEqual(await living(world, endpoint), paths);
}
