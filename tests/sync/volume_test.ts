import assert from "node:assert/strict";
import { generateTree } from "../../local/google/generated_tree.ts";
import type { ConnectorDb } from "../../supabase/functions/_shared/db/connector_db.ts";
import { type DriveSync, OWNER, stateOf, withDriveSync } from "../support/drive_sync.ts";
import { createHeapProbe } from "../support/memory.ts";

const MEBIBYTE = 1024 * 1024;

/** Most that the peak may grow from 5,000 files to 20,000; a page of a thousand takes about 2 MiB. */
const MOST_GROWTH_BYTES = 8 * MEBIBYTE;

function generatedDrive({ drive: { model }, account }: DriveSync, files: number): string {
  const { id } = model.createDrive({ name: `${files} files`, members: [OWNER, account] });
  generateTree(model, { parent: id, files });
  return id;
}

/** Collecting garbage takes longer than a commit, so it is looked at so often in each sync, no more. */
const SAMPLES = 5;

/** Syncs a generated drive; answers the largest heap seen at a commit, above that at the start. */
async function peakOf(world: DriveSync, files: number, heapBytes: () => number): Promise<number> {
  const endpoint = await world.add({ drive_id: generatedDrive(world, files) });
  const before = heapBytes();
  let peak = 0;
  let pages = 0;
  const commitPage: ConnectorDb["commitPage"] = async (lease, page) => {
    const committed = await world.deps.db.commitPage(lease, page);
    if (++pages % (files / 1000 / SAMPLES) === 0) peak = Math.max(peak, heapBytes() - before);
    return committed;
  };
  await world.sync({ db: { ...world.deps.db, commitPage } });
  const state = await stateOf(world.sql, endpoint);
  assert.equal(state.status, "completed");
  assert.equal(state.files_added, files);
  world.log.entries.length = 0;
  return peak;
}

Deno.test("the memory of a sync does not grow with the number of its files", () =>
  withDriveSync(async (world) => {
    const heapBytes = createHeapProbe();
    await peakOf(world, 5_000, heapBytes);
    const small = await peakOf(world, 5_000, heapBytes);
    const large = await peakOf(world, 20_000, heapBytes);
    await say(
      `peak heap above the start: ${mebibytes(small)} MiB with 5,000 files, ` +
        `${mebibytes(large)} MiB with 20,000`,
    );
    assert.ok(large - small < MOST_GROWTH_BYTES, `${mebibytes(large - small)} MiB more`);
  }));

Deno.test("20,000 files are committed and the run reports its files per second", () =>
  withDriveSync(async (world) => {
    const endpoint = await world.add({ drive_id: generatedDrive(world, 20_000) });
    const startedAtMs = performance.now();
    await world.sync();
    const tookMs = performance.now() - startedAtMs;
    const state = await stateOf(world.sql, endpoint);
    assert.deepEqual([state.status, state.files_added], ["completed", 20_000]);
    const finished = world.log.entries.filter(({ event }) => event === "run_finished").at(-1);
    assert.ok(Number(finished?.fields.files_per_second) > 0);
    await say(
      `20,000 files in ${Math.round(tookMs)} ms: ${Math.round(20_000_000 / tookMs)} files/s, ` +
        `${state.provider_calls} provider calls, ${state.slices} slice(s)`,
    );
  }));

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1);
}

async function say(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`\n    ${line}\n`));
}
