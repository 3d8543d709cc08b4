/** What happens to single files. Only the folders on the way to what changed are read. */
import { BASE, GIVEN, NESTED, NESTED_BASE, ONE_TOP, playCases, type Stage } from "./stage.ts";

const without = (path: string) => BASE.filter((each) => each !== path);

/** Asking what became of a file: itself, and the folders from its new one up to the root. */
const LOST_SIGHT = ({ scope }: Stage) => scope === "whole project" ? 1 + 2 : 1 + 3;

playCases([
  {
    what: "nothing happens",
    scopes: ONE_TOP,
    change: () => {},
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "a file is added at the top",
    change: ({ model, top }) => void model.createItem({ name: "new.txt", parent: top, size: 7 }),
    living: [...BASE, "/new.txt"],
    calls: 2,
    writes: 1,
  },
  {
    what: "a file is added two folders down",
    scopes: ONE_TOP,
    change: ({ model, ids }) =>
      void model.createItem({ name: "new.txt", parent: ids.old, size: 7 }),
    living: [...BASE, "/Plans/Old/new.txt"],
    calls: 4,
    writes: 1,
  },
  {
    what: "a file gets a new version",
    change: ({ model, ids }) => void model.addVersion(ids.a, { size: 4711 }),
    living: BASE,
    calls: 3,
    writes: 1,
  },
  {
    what: "a file's processing ends, which moves the rollup",
    change: ({ model, ids }) => model.finishProcessing(ids.a),
    living: BASE,
    calls: 3,
    writes: 1,
  },
  {
    what: "a file is renamed, which leaves its display name behind",
    change: ({ model, ids }) => model.rename(ids.b, "renamed.pdf"),
    living: ["/Plans/Old/renamed.pdf", "/Plans/a.pdf", "/top.txt"],
    calls: 4,
    writes: 1,
  },
  {
    what: "a new version of a file has another name",
    change: ({ model, ids }) => void model.addVersion(ids.a, { name: "a (2).dwg", size: 1 }),
    living: ["/Plans/Old/b.pdf", "/Plans/a (2).dwg", "/top.txt"],
    calls: 3,
    writes: 1,
  },
  {
    what: "a file is moved between folders",
    change: ({ model, ids }) => model.move(ids.topFile, ids.old),
    living: ["/Plans/Old/b.pdf", "/Plans/Old/top.txt", "/Plans/a.pdf"],
    calls: 4,
    writes: 1,
  },
  {
    what: "a file is renamed, moved and edited at once",
    change: ({ model, ids, top }) => {
      model.rename(ids.b, "c.pdf");
      model.move(ids.b, top);
      model.addVersion(ids.b, { size: 1 });
    },
    living: ["/Plans/a.pdf", "/c.pdf", "/top.txt"],
    calls: 4,
    writes: 1,
  },
  {
    what: "a file is moved out of scope",
    scopes: ONE_TOP,
    change: ({ model, ids, outside }) => model.move(ids.a, outside),
    living: without("/Plans/a.pdf"),
    gone: ["a.pdf removed"],
    calls: (stage) => 3 + LOST_SIGHT(stage),
    writes: 1,
  },
  {
    what: "a file is moved into scope",
    scopes: ONE_TOP,
    change: ({ model, ids }) => model.move(ids.in, ids.old),
    living: [...BASE, "/Plans/Old/in.txt"],
    calls: 4,
    writes: 1,
  },
  {
    what: "a file is moved out of scope and back",
    change: async ({ model, ids, outside, top, world }) => {
      model.move(ids.a, outside);
      await world.sync();
      model.move(ids.a, top);
    },
    living: ["/Plans/Old/b.pdf", "/a.pdf", "/top.txt"],
    calls: 2,
    writes: 1,
  },
  {
    what: "a file is deleted: its folder shows it as such",
    scopes: ONE_TOP,
    change: ({ model, ids }) => model.delete(ids.a),
    living: without("/Plans/a.pdf"),
    gone: ["a.pdf removed"],
    calls: 3,
    writes: 1,
  },
  {
    what: "a file is hidden without a version that says so",
    change: ({ model, ids }) => model.hide(ids.a),
    living: without("/Plans/a.pdf"),
    gone: ["a.pdf removed"],
    calls: 3,
    writes: 1,
  },
  {
    what: "a file whose tip is a deletion is not marked as hidden",
    change: ({ model, ids }) => {
      model.delete(ids.a);
      model.item(ids.a).isHidden = false;
    },
    living: without("/Plans/a.pdf"),
    gone: ["a.pdf removed"],
    calls: 3,
    writes: 1,
  },
  {
    what: "a file is purged: not found in a folder that is",
    change: ({ model, ids }) => model.purge(ids.a),
    living: without("/Plans/a.pdf"),
    gone: ["a.pdf removed"],
    calls: 3 + 2,
    writes: 1,
  },
  {
    what: "a file is restored that was deleted before the first sync",
    arrange: ({ model, ids, made }) => {
      made.push(model.createItem({ name: "binned.txt", parent: ids.plans }).id);
      for (const id of made) model.delete(id);
    },
    change: ({ model, made }) => made.forEach((id) => model.restore(id)),
    living: [...BASE, "/Plans/binned.txt"],
    calls: 3,
    writes: 1,
  },
  {
    what: "a file comes and goes between two syncs",
    change: ({ model, top }) =>
      model.delete(model.createItem({ name: "short.txt", parent: top }).id),
    living: BASE,
    calls: 2,
    writes: 0,
  },
  {
    what: "more files are added than a page holds",
    change: ({ model, ids }) => {
      for (let n = 0; n < 450; n++) model.createItem({ name: `${n}.txt`, parent: ids.plans });
    },
    living: [...BASE, ...Array.from({ length: 450 }, (_, n) => `/Plans/${n}.txt`)],
    calls: 2 + 3,
    writes: 450,
  },
  {
    what: "a file outside of the scope changes",
    change: ({ model, ids }) => void model.addVersion(ids.in, { size: 5 }),
    living: BASE,
    calls: 1,
    writes: 0,
  },
], GIVEN);

/** A deleted file that comes back keeps its row, with the id it always had. */
const returns = (what: string, out: Act, back: Act) => ({
  what,
  change: async (stage: Stage) => {
    const before = await rowOf(stage);
    out(stage);
    await stage.world.sync();
    const gone = await rowOf(stage);
    if (gone?.reason !== "removed") throw new Error(`gone: ${gone?.reason}`);
    back(stage);
    await stage.world.sync();
    const after = await rowOf(stage);
    if (after?.id !== before?.id || after?.reason !== null) throw new Error("another row");
  },
  living: BASE,
  calls: 1,
  writes: 1,
});
type Act = (stage: Stage) => void;

async function rowOf({ world: { sql }, endpoint, ids }: Stage) {
  const [row] = await sql`
    select id, deletion_reason as reason from public.files
    where endpoint_id = ${endpoint} and external_file_id = ${ids.a}`;
  return row;
}

playCases([
  returns(
    "a deleted file that is restored comes back into its row",
    ({ model, ids }) => model.delete(ids.a),
    ({ model, ids }) => model.restore(ids.a),
  ),
  returns(
    "a file that left comes back into its row",
    ({ model, ids, outside }) => model.move(ids.a, outside),
    ({ model, ids }) => model.move(ids.a, ids.plans),
  ),
]);

/** Where the folder `Old` is named as well as the one above it, it is a top of its own. */
playCases([
  {
    what: "nothing happens",
    change: () => {},
    living: NESTED_BASE,
    calls: 2,
    writes: 0,
  },
  {
    what: "a file is moved from the outer folder to the inner one",
    change: ({ model, ids }) => model.move(ids.topFile, ids.old),
    living: NESTED_BASE,
    calls: 2 + 3,
    writes: 1,
  },
  {
    what: "a file is edited in the inner folder: it is read once",
    change: ({ model, ids }) => void model.addVersion(ids.b, { size: 3 }),
    living: NESTED_BASE,
    calls: 2 + 3,
    writes: 1,
  },
  {
    what: "a file is deleted from the inner folder",
    change: ({ model, ids }) => model.delete(ids.b),
    living: ["/Plans/a.pdf", "/top.txt"],
    gone: ["b.pdf removed"],
    calls: 2 + 3,
    writes: 1,
  },
], NESTED);
