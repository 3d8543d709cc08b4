/**
 * `lastModifiedTimeRollup` is documented to move when a child is updated. What it does on deletions
 * and moves is not: where it stays, only the full walk finds out. And where it moves for nothing, no
 * row is written.
 */
import assert from "node:assert/strict";
import { touchRollup } from "../../../local/autodesk/rollup.ts";
import { stateOf } from "../../support/autodesk_sync.ts";
import {
  BASE,
  callsOf,
  checkProject,
  ONE_TOP,
  playCases,
  quietCalls,
  type Stage,
  syncFully,
  tableOf,
  versions,
  withStage,
} from "./stage.ts";

/** Lets the rollup of a folder and of those above move. */
function touch({ model }: Stage, folder: string): void {
  touchRollup(model.folder(folder), model.now());
}

playCases([
  {
    what: "the rollup of the top moves and nothing else does: one folder is read, no row written",
    change: (stage) => touch(stage, stage.top),
    living: BASE,
    calls: 2,
    writes: 0,
  },
  {
    what: "the rollups of three folders move and nothing has changed: each is read, no row written",
    change: (stage) => touch(stage, stage.ids.old),
    living: BASE,
    calls: 4,
    writes: 0,
  },
]);

/** Events that may leave the rollups where they are. */
const SILENT: readonly {
  readonly what: string;
  readonly change: (stage: Stage) => void;
  readonly living: readonly string[];
  readonly gone: readonly string[];
}[] = [
  {
    what: "a file is hidden",
    change: ({ model, ids }) => model.hide(ids.a),
    living: ["/Plans/Old/b.pdf", "/top.txt"],
    gone: ["a.pdf removed"],
  },
  {
    what: "a file is purged",
    change: ({ model, ids }) => model.purge(ids.b),
    living: ["/Plans/a.pdf", "/top.txt"],
    gone: ["b.pdf removed"],
  },
  {
    what: "a folder is renamed",
    change: ({ model, ids }) => model.rename(ids.old, "Older"),
    living: ["/Plans/Older/b.pdf", "/Plans/a.pdf", "/top.txt"],
    gone: [],
  },
  {
    what: "a file is moved out of scope",
    change: ({ model, ids, outside }) => model.move(ids.b, outside),
    living: ["/Plans/a.pdf", "/top.txt"],
    gone: ["b.pdf removed"],
  },
];

const NOT_DOCUMENTED = { delete: false, moveOut: false, folderHide: false, folderRename: false };

for (const { what, change, living, gone } of SILENT) {
  Deno.test(`given folder: ${what} and no rollup moves (which is not documented): the full walk finds it`, () =>
    withStage("given folder", {}, async (stage) => {
      const { world, model } = stage;
      await world.sync();
      model.setRollupRules(NOT_DOCUMENTED);
      change(stage);
      await world.sync();
      assert.deepEqual(await tableOf(stage), { living: BASE, gone: [] });
      await syncFully(stage);
      assert.equal((await stateOf(world.sql, stage.endpoint)).status, "completed");
      await checkProject(stage, living, gone);
      const before = await versions(stage);
      assert.deepEqual(await callsOf(stage, () => world.sync()), quietCalls(stage));
      assert.deepEqual(await versions(stage), before);
    }));
}

for (const scope of ONE_TOP) {
  Deno.test(`${scope}: the daily walk comes by itself, and finds what no rollup told`, () =>
    withStage(scope, {}, async (stage) => {
      const { world, model, ids, endpoint } = stage;
      await world.sync();
      model.setRollupRules(NOT_DOCUMENTED);
      model.delete(ids.b);
      await world.sync();
      assert.deepEqual((await tableOf(stage)).living, BASE);
      await world.sql`
        update connector.endpoint_states
        set last_listing_completed_at = last_listing_completed_at - interval '1 day'
        where endpoint_id = ${endpoint}`;
      await world.sync();
      await checkProject(stage, ["/Plans/a.pdf", "/top.txt"], ["b.pdf removed"]);
    }));
}

Deno.test("given folder: a folder is hidden and no rollup moves, but the number of children did: known at once", () =>
  withStage("given folder", {}, async (stage) => {
    const { world, model, ids } = stage;
    await world.sync();
    model.setRollupRules(NOT_DOCUMENTED);
    model.delete(ids.plans);
    await world.sync();
    await checkProject(stage, ["/top.txt"], ["a.pdf removed", "b.pdf removed"]);
  }));

Deno.test("given folder: a file is deleted beside others, no rollup moves, but the number of children did: known at once", () =>
  withStage("given folder", {}, async (stage) => {
    const { world, model, ids } = stage;
    await world.sync();
    model.setRollupRules(NOT_DOCUMENTED);
    // The folder above must be read for its count to be seen; here because of a file in it.
    model.delete(ids.b);
    model.addVersion(ids.a, { size: 3 });
    await world.sync();
    await checkProject(stage, ["/Plans/a.pdf", "/top.txt"], ["b.pdf removed"]);
  }));
