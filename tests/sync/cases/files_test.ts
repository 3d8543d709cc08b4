import { BASE, FOLDER_SCOPES, leavingReason, playCases, type Stage } from "./stage.ts";

const without = (path: string) => BASE.filter((each) => each !== path);

/** What happens to single files. Everything is told by one page of the change log. */
playCases([
  {
    what: "nothing happens",
    change: () => {},
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "a file is added",
    change: ({ model, ids }) =>
      void model.createFile({ name: "new.txt", parent: ids.old, size: 7 }),
    living: [...BASE, "/Plans/Old/new.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is edited",
    change: ({ model, ids }) => model.edit(ids.a, { size: 4711 }),
    living: BASE,
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is only looked at",
    change: ({ model, ids, world }) => model.view(ids.a, world.account),
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "a file is renamed",
    change: ({ model, ids }) => model.rename(ids.b, "renamed.pdf"),
    living: ["/Plans/Old/renamed.pdf", "/Plans/a.pdf", "/top.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is moved between folders",
    change: ({ model, ids }) => model.move(ids.topFile, ids.old),
    living: ["/Plans/Old/b.pdf", "/Plans/Old/top.txt", "/Plans/a.pdf"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is renamed, moved and edited at once",
    change: ({ model, ids, top }) => {
      model.rename(ids.b, "c.pdf");
      model.move(ids.b, top);
      model.edit(ids.b, { size: 1 });
    },
    living: ["/Plans/a.pdf", "/c.pdf", "/top.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is moved out of scope",
    change: ({ model, ids, outside }) => model.move(ids.a, outside),
    living: without("/Plans/a.pdf"),
    gone: (stage) => [`a.pdf ${leavingReason(stage)}`],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is moved into scope",
    change: ({ model, ids }) => model.move(ids.in, ids.old),
    living: [...BASE, "/Plans/Old/in.txt"],
    calls: 1,
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
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is trashed",
    change: ({ model, ids }) => model.trash(ids.a),
    living: without("/Plans/a.pdf"),
    gone: ["a.pdf trashed"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is taken out of the trash where it lay before the first sync",
    arrange: ({ model, ids, made }) => {
      made.push(model.createFile({ name: "binned.txt", parent: ids.plans }).id);
      for (const id of made) model.trash(id);
    },
    change: ({ model, made }) => made.forEach((id) => model.untrash(id)),
    living: [...BASE, "/Plans/binned.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file is deleted for ever",
    change: ({ model, ids }) => model.delete(ids.a),
    living: without("/Plans/a.pdf"),
    gone: ["a.pdf removed"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a trashed file is deleted for ever: the tombstone keeps its first reason",
    arrange: ({ model, ids }) => void model.createFile({ name: "other.txt", parent: ids.plans }),
    change: async ({ model, ids, world }) => {
      model.trash(ids.a);
      await world.sync();
      model.delete(ids.a);
    },
    living: [...without("/Plans/a.pdf"), "/Plans/other.txt"],
    gone: ["a.pdf trashed"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file comes and goes between two syncs",
    change: ({ model, top }) =>
      model.delete(model.createFile({ name: "short.txt", parent: top }).id),
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "a file is added to a folder that is new itself",
    change: ({ model, ids }) => {
      const parent = model.createFolder({ name: "New", parent: ids.old }).id;
      model.createFile({ name: "n.txt", parent });
    },
    living: [...BASE, "/Plans/Old/New/n.txt"],
    // The log tells of both; the new folder is read once more, since what it held before is unknown.
    calls: 3,
    writes: 1,
  },
  {
    what: "a child stands in the log before its new parent",
    change: ({ model, ids, top }) => {
      const parent = model.createFolder({ name: "New", parent: top }).id;
      model.move(ids.a, parent);
      model.rename(parent, "Newer");
    },
    living: ["/Newer/a.pdf", "/Plans/Old/b.pdf", "/top.txt"],
    calls: 3,
    writes: 1,
  },
  {
    what: "more files are added than a page of the log holds",
    change: ({ model, ids }) => {
      for (let n = 0; n < 1_200; n++) model.createFile({ name: `${n}.txt`, parent: ids.old });
    },
    living: [...BASE, ...Array.from({ length: 1_200 }, (_, n) => `/Plans/Old/${n}.txt`)],
    calls: 2,
    writes: 1_200,
  },
]);

/** A deleted file that comes back keeps its row, with the id it always had. */
const returns = (what: string, reason: (stage: Stage) => string, out: Act, back: Act) => ({
  what,
  change: async (stage: Stage) => {
    const { sql } = stage.world;
    const rowOf = async () => {
      const [row] = await sql`
        select id, deletion_reason, created_at from public.files
        where endpoint_id = ${stage.endpoint} and external_file_id = ${stage.ids.a}`;
      return row;
    };
    const before = await rowOf();
    out(stage);
    await stage.world.sync();
    const gone = await rowOf();
    if (gone?.deletion_reason !== reason(stage)) throw new Error(`gone: ${gone?.deletion_reason}`);
    back(stage);
    await stage.world.sync();
    const after = await rowOf();
    if (after?.id !== before?.id || after?.deletion_reason !== null) throw new Error("another row");
  },
  living: BASE,
  calls: 1,
  writes: 1,
});
type Act = (stage: Stage) => void;

playCases([
  {
    ...returns(
      "a trashed file comes back into its row",
      () => "trashed",
      ({ model, ids }) => model.trash(ids.a),
      ({ model, ids }) => model.untrash(ids.a),
    ),
  },
  {
    ...returns(
      "a file that left comes back into its row",
      leavingReason,
      ({ model, ids, outside }) => model.move(ids.a, outside),
      ({ model, ids }) => model.move(ids.a, ids.plans),
    ),
  },
]);

playCases([
  {
    what: "a file outside of the scope changes",
    scopes: FOLDER_SCOPES,
    change: ({ model, ids }) => model.edit(ids.in, { size: 5 }),
    living: BASE,
    calls: 1,
    writes: 0,
  },
]);
