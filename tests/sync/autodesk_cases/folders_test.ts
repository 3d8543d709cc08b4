/** What happens to folders: what lies below them follows without being read, unless it is new. */
import assert from "node:assert/strict";
import { stateOf } from "../../support/autodesk_sync.ts";
import {
  BASE,
  callsOf,
  checkProject,
  NESTED,
  NESTED_BASE,
  ONE_TOP,
  playCases,
  type Stage,
  syncFully,
  tableOf,
  withStage,
} from "./stage.ts";

const ONLY_TOP = ["/top.txt"];
const PLANS_GONE = ["a.pdf removed", "b.pdf removed"];

/** Asking what became of a folder: itself, and those above it up to the root. */
const WAY_UP = ({ scope }: Stage) => scope === "whole project" ? 3 : 4;

/** Three levels and three hundred files below the folder `Plans`. */
function fillPlans({ model, ids }: Stage): void {
  const deepest = model.createFolder({ name: "Deepest", parent: ids.old }).id;
  for (let n = 0; n < 300; n++) {
    const parent = [ids.plans, ids.old, deepest][n % 3] ?? ids.plans;
    model.createItem({ name: `${n}.txt`, parent });
  }
}

const FILLING = Array.from(
  { length: 300 },
  (_, n) => `${["", "/Old", "/Old/Deepest"][n % 3]}/${n}.txt`,
);
const filled = (top: string) => [...FILLING, "/a.pdf", "/Old/b.pdf"].map((path) => top + path);
playCases([
  {
    what: "a folder with 3 levels and 300 files below is renamed: it and the folder above are read",
    arrange: fillPlans,
    change: ({ model, ids }) => model.rename(ids.plans, "Drawings"),
    living: [...filled("/Drawings"), "/top.txt"],
    calls: 3,
    writes: 302,
  },
  {
    what:
      "a folder with 3 levels and 300 files below is moved: it, the one it left and the one it came to are read",
    arrange: fillPlans,
    change: ({ model, ids, top }) =>
      model.move(ids.plans, model.createFolder({ name: "Archive", parent: top }).id),
    living: [...filled("/Archive/Plans"), "/top.txt"],
    calls: 4,
    writes: 302,
  },
  {
    what: "a folder is hidden: it is asked for, and nothing below it",
    change: ({ model, ids }) => model.delete(ids.plans),
    living: ONLY_TOP,
    gone: PLANS_GONE,
    calls: 2 + 1,
    writes: 2,
  },
  {
    what: "a folder is shown again: it is read, with what did not change below it",
    change: async ({ model, ids, world }) => {
      model.delete(ids.plans);
      await world.sync();
      model.restore(ids.plans);
    },
    living: BASE,
    calls: 4,
    writes: 2,
  },
  {
    what: "a folder is moved up",
    change: ({ model, ids, top }) => model.move(ids.old, top),
    living: ["/Old/b.pdf", "/Plans/a.pdf", "/top.txt"],
    calls: 4,
    writes: 1,
  },
  {
    what: "a folder is moved into scope from outside: its old content appears",
    change: ({ model, ids }) => model.move(ids.box, ids.old),
    living: [...BASE, "/Plans/Old/Box/Deep/deep.txt", "/Plans/Old/Box/in.txt"],
    calls: 4 + 2,
    writes: 2,
  },
  {
    what: "a folder is moved out of scope",
    change: ({ model, ids, outside }) => model.move(ids.plans, outside),
    living: ONLY_TOP,
    gone: PLANS_GONE,
    calls: (stage) => 2 + WAY_UP(stage),
    writes: 2,
  },
  {
    what: "a folder is moved out of scope and comes back elsewhere, changed below meanwhile",
    change: async ({ model, ids, outside, top, world }) => {
      model.move(ids.plans, outside);
      await world.sync();
      model.addVersion(ids.b, { size: 77 });
      model.move(ids.plans, model.createFolder({ name: "Archive", parent: top }).id);
    },
    living: ["/Archive/Plans/Old/b.pdf", "/Archive/Plans/a.pdf", "/top.txt"],
    calls: 5,
    writes: 2,
  },
  {
    what: "a file moves out of a folder that is hidden in the same minute",
    change: ({ model, ids, top }) => {
      model.move(ids.b, top);
      model.delete(ids.plans);
    },
    living: ["/b.pdf", "/top.txt"],
    gone: ["a.pdf removed"],
    calls: 2 + 1,
    writes: 2,
  },
  {
    what: "a folder moves out of a folder that is hidden in the same minute",
    change: ({ model, ids, top }) => {
      model.move(ids.old, top);
      model.delete(ids.plans);
    },
    living: ["/Old/b.pdf", "/top.txt"],
    gone: ["a.pdf removed"],
    calls: 3 + 1,
    writes: 2,
  },
  {
    what: "a folder moves into a folder that is hidden in the same minute",
    change: ({ model, ids, top }) => {
      const parent = model.createFolder({ name: "Bin", parent: top }).id;
      model.move(ids.plans, parent);
      model.delete(parent);
    },
    living: ONLY_TOP,
    gone: PLANS_GONE,
    calls: 2 + 2,
    writes: 2,
  },
  {
    what: "a folder moves below its own child's former place: the order of the two turns round",
    change: ({ model, ids, top }) => {
      model.move(ids.old, top);
      model.move(ids.plans, ids.old);
    },
    living: ["/Old/Plans/a.pdf", "/Old/b.pdf", "/top.txt"],
    calls: 4,
    writes: 2,
  },
  {
    what: "two folders exchange their names",
    arrange: ({ model, top, made }) => {
      made.push(model.createFolder({ name: "Other", parent: top }).id);
      model.createItem({ name: "o.txt", parent: made[0] ?? "" });
    },
    change: ({ model, ids, made }) => {
      model.rename(ids.plans, "Other");
      model.rename(made[0] ?? "", "Plans");
    },
    living: ["/Other/Old/b.pdf", "/Other/a.pdf", "/Plans/o.txt", "/top.txt"],
    calls: 4,
    writes: 3,
  },
  {
    what: "an empty folder comes and goes",
    change: async ({ model, top, world }) => {
      const { id } = model.createFolder({ name: "Empty", parent: top });
      await world.sync();
      model.delete(id);
    },
    living: BASE,
    calls: 2 + 1,
    writes: 0,
  },
]);

/** Where `Old` is named as well as the folder above it. */
playCases([
  {
    what: "the folder between the two is renamed: the inner one's paths do not change",
    change: ({ model, ids }) => model.rename(ids.plans, "Drawings"),
    living: ["/Drawings/a.pdf", "/b.pdf", "/top.txt"],
    calls: 2 + 2,
    writes: 1,
  },
  {
    what: "the inner folder is moved out of the outer one and is a top still",
    change: ({ model, ids, outside }) => model.move(ids.old, outside),
    living: NESTED_BASE,
    calls: 2 + 3,
    writes: 0,
  },
  {
    what: "the folder between the two is moved out of scope: the inner one stays",
    change: ({ model, ids, outside }) => model.move(ids.plans, outside),
    living: ["/b.pdf", "/top.txt"],
    gone: ["a.pdf removed"],
    calls: 2 + 1 + 4,
    writes: 1,
  },
  {
    what: "a folder is moved from the outer one into the inner one",
    arrange: ({ model, top, made }) => {
      made.push(model.createFolder({ name: "Move", parent: top }).id);
      model.createItem({ name: "m.txt", parent: made[0] ?? "" });
    },
    change: ({ model, ids, made }) => model.move(made[0] ?? "", ids.old),
    living: [...NESTED_BASE, "/Move/m.txt"],
    calls: 2 + 4,
    writes: 0,
  },
], NESTED);

for (const scope of ONE_TOP) {
  for (const mode of ["incremental", "full"] as const) {
    Deno.test(`${scope}: a hidden folder with 300 files below is for the fuse and the owner: ${mode}`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, model, ids, endpoint } = stage;
        const sync = () => mode === "full" ? syncFully(stage) : world.sync();
        fillPlans(stage);
        await world.sync();
        const { living } = await tableOf(stage);
        model.delete(ids.plans);
        await sync();
        const { status, code } = await stateOf(world.sql, endpoint);
        assert.deepEqual([status, code], ["needs_attention", "deletions_held"]);
        assert.deepEqual(await tableOf(stage), { living, gone: [] });

        await world.sql`select public.approve_deletions(${endpoint})`;
        const { "items.get": items = 0 } = await callsOf(stage, () => world.sync());
        assert.equal(items, 0, "what lay in the folder is not asked for one by one");
        assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
        await checkProject(stage, ONLY_TOP, (await tableOf(stage)).gone);
      }));
  }
}
