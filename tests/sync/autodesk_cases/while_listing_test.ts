/**
 * What changes while a listing is under way. It may miss such a change, but must not make a deletion
 * of it; the next sync knows all.
 */
import assert from "node:assert/strict";
import { stateOf } from "../../support/autodesk_sync.ts";
import { checkProject, type Stage, syncFully, tableOf, withStage } from "./stage.ts";

interface Event {
  readonly what: string;
  readonly happens: (stage: Stage) => void;
  readonly undo: (stage: Stage) => void;
  /** Whether something is really gone. */
  readonly isLoss?: true;
}

const EVENTS: readonly Event[] = [
  {
    what: "a file is renamed and edited",
    happens: ({ model, ids }) => void model.addVersion(ids.a, { name: "renamed.pdf", size: 5 }),
    undo: ({ model, ids }) => model.rename(ids.a, "a.pdf"),
  },
  {
    what: "a file is moved up",
    happens: ({ model, ids, top }) => model.move(ids.b, top),
    undo: ({ model, ids }) => model.move(ids.b, ids.old),
  },
  {
    what: "a file is moved down",
    happens: ({ model, ids }) => model.move(ids.topFile, ids.old),
    undo: ({ model, ids, top }) => model.move(ids.topFile, top),
  },
  {
    what: "a file is deleted",
    happens: ({ model, ids }) => model.delete(ids.a),
    undo: ({ model, ids }) => model.restore(ids.a),
    isLoss: true,
  },
  {
    what: "a folder is renamed",
    happens: ({ model, ids }) => model.rename(ids.plans, "Drawings"),
    undo: ({ model, ids }) => model.rename(ids.plans, "Plans"),
  },
  {
    what: "a folder is moved",
    happens: ({ model, ids, top }) => model.move(ids.old, top),
    undo: ({ model, ids }) => model.move(ids.old, ids.plans),
  },
  {
    what: "a folder is hidden",
    happens: ({ model, ids }) => model.delete(ids.plans),
    undo: ({ model, ids }) => model.restore(ids.plans),
    isLoss: true,
  },
  {
    what: "a folder comes into scope",
    happens: ({ model, ids }) => model.move(ids.box, ids.old),
    undo: ({ model, ids, outside }) => model.move(ids.box, outside),
    isLoss: true,
  },
  {
    what: "files of a page that was read are purged, so that the next page begins later",
    happens: ({ model, made }) => {
      for (const id of made.splice(0, 3)) model.purge(id);
    },
    undo: ({ model, made, top }) =>
      void made.push(model.createItem({ name: "late.txt", parent: top }).id),
    isLoss: true,
  },
];

/** A fetch that lets something happen before the `nth` page of a folder is answered. */
function interrupting({ world: { aps } }: Stage, nth: number, happens: () => void): typeof fetch {
  let page = 0;
  return (input, init) => {
    const { pathname } = new URL(new Request(input).url);
    if (pathname.endsWith("/contents") && ++page === nth) happens();
    return aps.fetch(input, init);
  };
}

/** The engine with pages of two items, one folder after the other. */
function smallSteps({ world: { deps } }: Stage): Stage["world"]["deps"] {
  const limits = { ...deps.provider.limits, maxPageSize: 2, maxParallelTasks: 1 };
  return { ...deps, provider: { ...deps.provider, limits } };
}

for (const event of EVENTS) {
  Deno.test(`given folder: ${event.what} while it is being listed: right after the next sync`, () =>
    withStage("given folder", {}, async (stage) => {
      const { world, model, endpoint } = stage;
      for (let n = 0; n < 6; n++) {
        stage.made.push(model.createItem({ name: `${n}.txt`, parent: stage.top }).id);
      }
      await world.sync();
      for (const nth of [2, 4]) {
        for (const happens of [event.happens, event.undo]) {
          const before = await tableOf(stage);
          let count = 0;
          await world.sql`select public.request_sync(${endpoint}, 'full')`;
          await world.sync({
            ...smallSteps(stage),
            fetch: interrupting(stage, nth, () => {
              count += 1;
              happens(stage);
            }),
          });
          assert.equal(count, 1, `the listing has ${nth} pages`);
          assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
          const { gone } = await tableOf(stage);
          if (event.isLoss === undefined) assert.deepEqual(gone, before.gone, "nothing is gone");
          await world.sync();
          await checkProject(stage, undefined, (await tableOf(stage)).gone);
        }
      }
      await syncFully(stage);
      await checkProject(stage, undefined, (await tableOf(stage)).gone);
    }));
}
