import assert from "node:assert/strict";
import { FOLDER_TYPE } from "../../../local/google/drive_types.ts";
import { escapeName, ODD_NAMES, type OddName } from "../../support/odd_names.ts";
import { BASE, type Case, FOLDER_SCOPES, playCases, type Stage } from "./stage.ts";

const DOCUMENT = "application/vnd.google-apps.document";

/** A file and a folder of this name appear; then others are renamed to it. */
function namedCases([what, name]: OddName): Case[] {
  return [{
    what: `a file and a folder are renamed to ${what}`,
    change: ({ model, ids }) => {
      model.rename(ids.topFile, name);
      model.rename(ids.plans, name);
    },
    living: [
      `/${escapeName(name)}/Old/b.pdf`,
      `/${escapeName(name)}/a.pdf`,
      `/${escapeName(name)}`,
    ],
    calls: 1,
    writes: 3,
  }];
}
playCases(ODD_NAMES.flatMap(namedCases));

playCases([
  {
    what: "two files of one name in one folder are edited and trashed each by itself",
    arrange: ({ model, ids, made }) => {
      for (let n = 0; n < 2; n++) {
        made.push(model.createFile({ name: "a.pdf", parent: ids.plans, size: n }).id);
      }
    },
    change: ({ model, made }) => {
      model.edit(made[0] ?? "", { size: 99 });
      model.trash(made[1] ?? "");
    },
    living: [...BASE, "/Plans/a.pdf"],
    gone: ["a.pdf trashed"],
    calls: 1,
    writes: 2,
  },
  {
    what: "a second folder of the same name is added, with a file of the same name",
    change: ({ model, top }) => {
      const parent = model.createFolder({ name: "Plans", parent: top }).id;
      model.createFile({ name: "a.pdf", parent });
    },
    living: [...BASE, "/Plans/a.pdf"],
    calls: 3,
    writes: 1,
  },
  {
    what: "two files exchange their names",
    change: ({ model, ids }) => {
      model.move(ids.b, ids.plans);
      model.rename(ids.a, "b.pdf");
      model.rename(ids.b, "a.pdf");
    },
    living: ["/Plans/a.pdf", "/Plans/b.pdf", "/top.txt"],
    calls: 1,
    writes: 2,
  },
  {
    what: "shortcuts to a file, to a folder, to their own parent and to a lost file are added",
    change: ({ model, ids, top }) => {
      model.createShortcut({ name: "to file", parent: top, target: ids.a });
      model.createShortcut({ name: "to folder", parent: top, target: ids.plans });
      model.createShortcut({ name: "to outside", parent: top, target: ids.box });
      model.createShortcut({ name: "to own parent", parent: ids.old, target: ids.old });
      model.createShortcut({ name: "to the top", parent: ids.old, target: top });
      const lost = model.createFile({ name: "lost.txt", parent: ids.box }).id;
      model.createShortcut({ name: "to nothing", parent: top, target: lost });
      model.delete(lost);
    },
    living: [
      ...BASE,
      "/Plans/Old/to own parent",
      "/Plans/Old/to the top",
      "/to file",
      "/to folder",
      "/to nothing",
      "/to outside",
    ],
    calls: 1,
    writes: 6,
  },
  {
    what: "a shortcut's target is trashed: the shortcut stays",
    arrange: ({ model, ids, top }) =>
      void model.createShortcut({ name: "to file", parent: top, target: ids.a }),
    change: ({ model, ids }) => model.trash(ids.a),
    living: ["/Plans/Old/b.pdf", "/to file", "/top.txt"],
    gone: ["a.pdf trashed"],
    calls: 1,
    writes: 1,
  },
  {
    what: "files without a size, of none, and beyond 2^53 are added",
    change: ({ model, top }) => {
      model.createFile({ name: "none", parent: top, mimeType: DOCUMENT, size: null });
      model.createFile({ name: "empty", parent: top, size: 0 });
      model.createFile({ name: "2^53 + 1", parent: top, size: 2n ** 53n + 1n });
      model.createFile({ name: "largest", parent: top, size: 2n ** 63n - 1n });
    },
    living: [...BASE, "/2^53 + 1", "/empty", "/largest", "/none"],
    calls: 1,
    writes: 4,
  },
  {
    what: "sizes become known, unknown, and larger than 2^53",
    arrange: ({ model, top, made }) => {
      made.push(
        model.createFile({ name: "1", parent: top, mimeType: DOCUMENT, size: null }).id,
        model.createFile({ name: "2", parent: top, mimeType: DOCUMENT, size: 5 }).id,
        model.createFile({ name: "3", parent: top, size: 2n ** 53n + 1n }).id,
      );
    },
    change: ({ model, made }) => {
      const sizes = [12, null, 2n ** 53n + 2n];
      made.forEach((id, index) => model.edit(id, { size: sizes[index] }));
    },
    living: [...BASE, "/1", "/2", "/3"],
    calls: 1,
    writes: 3,
  },
]);

// Only My Drive has files in two folders, all from before 2020.
const MY_DRIVE = ["folder in My Drive", "own corpus"] as const;
const addSecond = ({ model, ids }: Stage) => model.addParent(ids.b, ids.plans);
playCases([
  {
    what: "a file gets a second folder: one row, in the first",
    scopes: MY_DRIVE,
    change: addSecond,
    living: BASE,
    calls: 1,
    // Its metadata names both.
    writes: 1,
  },
  {
    what: "a file leaves the first of its two folders",
    scopes: MY_DRIVE,
    arrange: addSecond,
    change: ({ model, ids }) => model.removeParent(ids.b, ids.old),
    living: ["/Plans/a.pdf", "/Plans/b.pdf", "/top.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file's first folder is outside of the scope, its second inside",
    scopes: ["folder in My Drive"],
    change: ({ model, ids }) => model.addParent(ids.in, ids.plans),
    living: [...BASE, "/Plans/in.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a file in a folder of the scope and in one outside leaves the one inside",
    scopes: ["folder in My Drive"],
    arrange: ({ model, ids }) => model.addParent(ids.in, ids.plans),
    change: ({ model, ids }) => model.removeParent(ids.in, ids.plans),
    living: BASE,
    gone: ["in.txt out_of_scope"],
    calls: 1,
    writes: 1,
  },
]);

playCases([
  {
    what: "a name that Drive gives in another case is another name",
    change: ({ model, ids }) => model.rename(ids.a, "A.pdf"),
    living: ["/Plans/A.pdf", "/Plans/Old/b.pdf", "/top.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "a tree as deep as Drive allows is moved into scope",
    scopes: FOLDER_SCOPES.slice(0, 2),
    arrange: ({ model, ids }) => {
      let parent = ids.deep;
      for (let level = 3; level < 95; level++) {
        parent = model.createFolder({ name: `${level}`, parent }).id;
      }
      model.createFile({ name: "bottom.txt", parent });
      assert.equal(model.item(parent).mimeType, FOLDER_TYPE);
    },
    change: ({ model, ids, top }) => model.move(ids.box, top),
    living: [
      ...BASE,
      "/Box/Deep/deep.txt",
      "/Box/in.txt",
      `/Box/Deep/${Array.from({ length: 92 }, (_, n) => n + 3).join("/")}/bottom.txt`,
    ],
    calls: 96,
    writes: 3,
  },
]);
