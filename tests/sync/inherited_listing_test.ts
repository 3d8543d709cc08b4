/** A run that takes over the listing of one that failed. */
import assert from "node:assert/strict";
import type { AutodeskSync } from "../support/autodesk_sync.ts";
import { pathsOf, stateOf, withAutodeskSync } from "../support/autodesk_sync.ts";

const UNREACHABLE = "The function could not be reached; it is called again by itself.";

/** Reads everything and then dies; the next worker cannot even be started, which ends the run. */
async function failAfterReading({ deps, slice, sql }: AutodeskSync): Promise<void> {
  await sql`update connector.endpoint_states set next_run_at = now()`;
  const db = { ...deps.db, finishSlice: () => Promise.reject(new Error("killed")) };
  await slice({ db });
  await sql`update connector.endpoint_states set lease_expires_at = now() - interval '1 second'`;
  const { claims } = await deps.db.claim({ maxConcurrent: 10, batch: 10 });
  assert.equal(await deps.db.release(claims, "function_unavailable", UNREACHABLE), 1);
}

async function isDue({ sql }: AutodeskSync): Promise<boolean> {
  const rows = await sql`
    select from connector.endpoint_states where lease_token is null and next_run_at <= now()`;
  return rows.length > 0;
}

Deno.test("a run that only ends another run's listing is followed by one that looks again, at once", () =>
  withAutodeskSync(async (world) => {
    const { model, place, sql } = world;
    const endpoint = await world.add();
    await world.sync();
    model.createItem({ name: "before.txt", parent: place.folderId });
    world.wait();
    await failAfterReading(world);
    model.createItem({ name: "after.txt", parent: place.folderId });
    world.wait();

    await sql`select public.request_sync(${endpoint}, 'incremental')`;
    await world.slice();
    assert.equal((await stateOf(sql, endpoint)).status, "completed");
    assert.equal(await isDue(world), true, "it is due again");
    await world.slice();
    assert.deepEqual(await pathsOf(sql, endpoint), [
      "/Project Files/after.txt",
      "/Project Files/before.txt",
    ]);
    assert.equal(await isDue(world), false, "and then it is not");
  }));

Deno.test("a run that looked for itself is followed by none", () =>
  withAutodeskSync(async (world) => {
    world.model.createItem({ name: "a.txt", parent: world.place.folderId });
    world.wait();
    await world.add();
    await world.sync();
    assert.equal(await isDue(world), false);
  }));
