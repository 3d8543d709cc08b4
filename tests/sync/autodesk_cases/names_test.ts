/** Names, sizes and times as Autodesk gives them, odd ones too. */
import { escapeName, ODD_NAMES, type OddName } from "../../support/odd_names.ts";
import { BASE, type Case, GIVEN, playCases, type Stage } from "./stage.ts";

const SPACED: OddName = ["spaces at both ends", "  old name.txt  "];

/** A file and a folder are renamed to the same odd name, as old data holds it. */
function namedCase([what, name]: OddName): Case {
  return {
    what: `a file and a folder are renamed to ${what}`,
    change: ({ model, ids }) => {
      model.rename(ids.topFile, name, { isLegacyName: true });
      model.rename(ids.plans, name, { isLegacyName: true });
    },
    living: [
      `/${escapeName(name)}/Old/b.pdf`,
      `/${escapeName(name)}/a.pdf`,
      `/${escapeName(name)}`,
    ],
    calls: 3,
    writes: 3,
  };
}
playCases([...ODD_NAMES, SPACED].map(namedCase), GIVEN);

const addTwins = ({ model, ids, made }: Stage) => {
  for (let n = 0; n < 2; n++) {
    made.push(model.createItem({ name: "a.pdf", parent: ids.plans, size: n }).id);
  }
};

playCases([
  {
    what: "three files of one name in one folder are edited and deleted each by itself",
    arrange: addTwins,
    change: ({ model, made }) => {
      model.addVersion(made[0] ?? "", { size: 99 });
      model.delete(made[1] ?? "");
    },
    living: [...BASE, "/Plans/a.pdf"],
    gone: ["a.pdf removed"],
    calls: 3,
    writes: 2,
  },
  {
    what: "a second folder of the same name is added, with a file of the same name",
    change: ({ model, top }) => {
      const parent = model.createFolder({ name: "Plans", parent: top }).id;
      model.createItem({ name: "a.pdf", parent });
    },
    living: [...BASE, "/Plans/a.pdf"],
    calls: 3,
    writes: 1,
  },
  {
    what: "a folder gets the name of the file beside it",
    change: ({ model, ids }) => model.rename(ids.plans, "top.txt"),
    living: ["/top.txt", "/top.txt/Old/b.pdf", "/top.txt/a.pdf"],
    calls: 3,
    writes: 2,
  },
  {
    what: "two files exchange their names",
    change: ({ model, ids }) => {
      model.move(ids.b, ids.plans);
      model.rename(ids.a, "b.pdf");
      model.rename(ids.b, "a.pdf");
    },
    living: ["/Plans/a.pdf", "/Plans/b.pdf", "/top.txt"],
    calls: 4,
    writes: 2,
  },
  {
    what: "a file's name lags behind in its display name, which is not used",
    change: ({ model, ids }) =>
      void model.createItem({ name: "new.dwg", displayName: "old words", parent: ids.plans }),
    living: [...BASE, "/Plans/new.dwg"],
    calls: 3,
    writes: 1,
  },
  {
    what: "files without a size, empty, of 2^53 - 1 bytes and beyond what JSON tells exactly",
    change: ({ model, ids }) => {
      const add = (name: string, size: number | null) =>
        model.createItem({ name, parent: ids.plans, size });
      add("none.txt", null);
      add("empty.txt", 0);
      add("largest.txt", Number.MAX_SAFE_INTEGER);
      add("beyond.txt", Number.MAX_SAFE_INTEGER + 3);
    },
    living: [
      ...BASE,
      "/Plans/beyond.txt",
      "/Plans/empty.txt",
      "/Plans/largest.txt",
      "/Plans/none.txt",
    ],
    calls: 3,
    writes: 4,
  },
  {
    what: "an item without a version stands by its display name until it has one",
    arrange: ({ model, ids, made }) =>
      void made.push(
        model.createItem({ name: "unfinished.txt", parent: ids.plans, hasNoVersion: true }).id,
      ),
    change: ({ model, made }) =>
      void model.addVersion(made[0] ?? "", { name: "finished.txt", size: 12 }),
    living: [...BASE, "/Plans/finished.txt"],
    calls: 3,
    writes: 1,
  },
  {
    what: "a model that several people work on has no storage, and is a file all the same",
    change: ({ model, ids }) =>
      void model.createItem({
        name: "Tower.rvt",
        parent: ids.plans,
        fileKind: "C4RModel",
        size: null,
      }),
    living: [...BASE, "/Plans/Tower.rvt"],
    calls: 3,
    writes: 1,
  },
  {
    what: "times come in all four forms, changing from one value to the next",
    arrange: ({ world }) => world.aps.control.setStyle({ times: "mixed" }),
    change: ({ model, ids }) => void model.addVersion(ids.a, { size: 4711 }),
    living: BASE,
    calls: 3,
    writes: 1,
  },
], GIVEN);
