import { BASE, type Case, leavingReason, playCases, type Scope, type Stage } from "./stage.ts";

const ONLY_TOP = ["/top.txt"];
const PLANS_GONE = (reason: string) => [`a.pdf ${reason}`, `b.pdf ${reason}`];

/**
 * Below a folder that an account has lost, other things may be shared by themselves: it is asked, and
 * the log once more.
 */
const LOSS = ({ scope }: Stage) => scope === "own corpus" ? 3 : 1;

/** The same, where a part of what is lost stays and is read again before the log is. */
const LOSS_BUT_A_PART = ({ scope }: Stage) =>
  scope.startsWith("folder") ? 1 : scope === "own corpus" ? 4 : 3;

/** Three levels and a thousand files below the folder `Plans`. */
function fillPlans({ model, ids }: Stage): void {
  const deepest = model.createFolder({ name: "Deepest", parent: ids.old }).id;
  for (let n = 0; n < 1_000; n++) {
    const parent = [ids.plans, ids.old, deepest][n % 3] ?? ids.plans;
    model.createFile({ name: `${n}.txt`, parent });
  }
}

const THOUSAND = (top: string) =>
  Array.from(
    { length: 1_000 },
    (_, n) => `${top}${["", "/Old", "/Old/Deepest"][n % 3]}/${n}.txt`,
  );

playCases([
  {
    what: "a folder with 3 levels and 1,000 files below is renamed by one call",
    arrange: fillPlans,
    change: ({ model, ids }) => model.rename(ids.plans, "Drawings"),
    living: [
      ...THOUSAND("/Drawings"),
      "/Drawings/Old/b.pdf",
      "/Drawings/a.pdf",
      "/top.txt",
    ],
    calls: 1,
    writes: 1_002,
  },
  {
    what:
      "a folder with 3 levels and 1,000 files below is moved by three calls: the log's, the new folder's and the log's again",
    arrange: fillPlans,
    change: ({ model, ids, top }) =>
      model.move(ids.plans, model.createFolder({ name: "Archive", parent: top }).id),
    living: [
      ...THOUSAND("/Archive/Plans"),
      "/Archive/Plans/Old/b.pdf",
      "/Archive/Plans/a.pdf",
      "/top.txt",
    ],
    calls: 3,
    writes: 1_002,
  },
  {
    what: "a folder with 3 levels and 1,000 files below is trashed by one call",
    arrange: fillPlans,
    change: ({ model, ids }) => model.trash(ids.plans),
    living: ONLY_TOP,
    gone: [
      ...Array.from({ length: 1_000 }, (_, n) => `${n}.txt trashed`),
      ...PLANS_GONE("trashed"),
    ],
    calls: 1,
    writes: 1_002,
  },
  {
    what: "an empty folder is added",
    change: ({ model, ids }) => void model.createFolder({ name: "Empty", parent: ids.plans }),
    living: BASE,
    calls: 3,
    writes: 0,
  },
  {
    what: "a folder is moved",
    change: ({ model, ids, top }) => model.move(ids.old, top),
    living: ["/Old/b.pdf", "/Plans/a.pdf", "/top.txt"],
    calls: 1,
    writes: 1,
  },
  {
    what: "two folders change places",
    change: ({ model, ids, top }) => {
      model.move(ids.old, top);
      model.move(ids.plans, ids.old);
    },
    living: ["/Old/Plans/a.pdf", "/Old/b.pdf", "/top.txt"],
    calls: 1,
    writes: 2,
  },
  {
    what: "a folder is moved into scope: its old content appears",
    change: ({ model, ids, top }) => model.move(ids.box, top),
    living: [...BASE, "/Box/Deep/deep.txt", "/Box/in.txt"],
    // The log, each of the two folders, and the log again, as after every walk.
    calls: 4,
    writes: 2,
  },
  {
    what: "a folder is moved into scope and renamed, into a folder that is new",
    change: ({ model, ids, top }) => {
      const parent = model.createFolder({ name: "New", parent: top }).id;
      model.move(ids.box, parent);
      model.rename(ids.box, "Crate");
    },
    living: [...BASE, "/New/Crate/Deep/deep.txt", "/New/Crate/in.txt"],
    // New and Crate are asked together, both answer.
    calls: 4,
    writes: 2,
  },
  {
    what: "a folder is moved out of scope",
    change: ({ model, ids, outside }) => model.move(ids.plans, outside),
    living: ONLY_TOP,
    gone: (stage) => PLANS_GONE(leavingReason(stage)),
    calls: LOSS,
    writes: 2,
  },
  {
    what: "a folder is moved out of scope, changes there and comes back",
    change: async ({ model, ids, outside, top, world }) => {
      model.move(ids.plans, outside);
      await world.sync();
      model.createFile({ name: "meanwhile.txt", parent: ids.old });
      model.delete(ids.a);
      model.move(ids.plans, top);
    },
    living: ["/Plans/Old/b.pdf", "/Plans/Old/meanwhile.txt", "/top.txt"],
    gone: (stage) => [`a.pdf ${leavingReason(stage)}`],
    calls: 4,
    writes: 3,
  },
  {
    what: "a folder is moved out, but a part of it stays",
    change: ({ model, ids, outside, top }) => {
      model.move(ids.old, top);
      model.move(ids.plans, outside);
    },
    living: ["/Old/b.pdf", "/top.txt"],
    gone: (stage) => [`a.pdf ${leavingReason(stage)}`],
    // Where the log calls the outer folder removed, all below it goes, and what stayed is read again.
    calls: LOSS_BUT_A_PART,
    writes: 2,
  },
  {
    what: "a folder is moved out, and then a part of it back",
    change: ({ model, ids, outside, top }) => {
      model.move(ids.plans, outside);
      model.move(ids.old, top);
    },
    living: ["/Old/b.pdf", "/top.txt"],
    gone: (stage) => [`a.pdf ${leavingReason(stage)}`],
    calls: LOSS_BUT_A_PART,
    writes: 2,
  },
  {
    what: "a folder is trashed",
    change: ({ model, ids }) => model.trash(ids.plans),
    living: ONLY_TOP,
    gone: PLANS_GONE("trashed"),
    calls: 1,
    writes: 2,
  },
  {
    what: "a folder is trashed and taken out again",
    change: async ({ model, ids, world }) => {
      model.trash(ids.plans);
      await world.sync();
      model.untrash(ids.plans);
    },
    living: BASE,
    calls: 4,
    writes: 2,
  },
  {
    what: "a folder is trashed and taken out again between two syncs",
    change: ({ model, ids }) => {
      model.trash(ids.plans);
      model.untrash(ids.plans);
    },
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "of a trashed folder's content one file stays in the trash",
    change: async ({ model, ids, world }) => {
      model.trash(ids.a);
      model.trash(ids.plans);
      await world.sync();
      model.untrash(ids.plans);
    },
    living: ["/Plans/Old/b.pdf", "/top.txt"],
    gone: ["a.pdf trashed"],
    calls: 4,
    writes: 2,
  },
  {
    what: "a file is saved from a folder that is trashed",
    change: ({ model, ids, top }) => {
      model.move(ids.b, top);
      model.trash(ids.plans);
    },
    living: ["/b.pdf", "/top.txt"],
    gone: ["a.pdf trashed"],
    calls: 1,
    writes: 2,
  },
  {
    what: "a folder is deleted for ever",
    change: ({ model, ids }) => model.delete(ids.plans),
    living: ONLY_TOP,
    gone: PLANS_GONE("removed"),
    calls: LOSS,
    writes: 2,
  },
  {
    what: "a folder is emptied file by file and then deleted",
    change: ({ model, ids }) => {
      for (const id of [ids.b, ids.old, ids.a, ids.plans]) model.delete(id);
    },
    living: ONLY_TOP,
    gone: PLANS_GONE("removed"),
    calls: LOSS,
    writes: 2,
  },
]);

// Access by sharing: taking it away and giving it back.
const SHARED: readonly Scope[] = ["folder in My Drive", "lent folder of a shared drive"];
const unshare: Case["change"] = ({ model, top, world }) => model.unshare(top, world.account);
const shareAgain: Case["change"] = async (stage) => {
  await unshare(stage);
  await stage.world.sync();
  stage.model.createFile({ name: "meanwhile.txt", parent: stage.ids.plans });
  stage.model.delete(stage.ids.a);
  stage.model.share(stage.top, stage.world.account);
};
const ALL_GONE = ["a.pdf removed", "b.pdf removed", "top.txt removed"];
const RETURNED = ["/Plans/Old/b.pdf", "/Plans/meanwhile.txt", "/top.txt"];

playCases([
  {
    what: "the scope's folder is no longer shared: its content is gone, and its owner is told",
    scopes: SHARED,
    change: unshare,
    living: [],
    gone: ALL_GONE,
    calls: 1,
    writes: 3,
    status: "needs_attention",
  },
  {
    what: "the scope's folder is shared again, and has changed meanwhile",
    scopes: SHARED,
    change: shareAgain,
    living: RETURNED,
    gone: ["a.pdf removed"],
    calls: 5,
    writes: 4,
  },
  {
    what: "the scope's folder is trashed, and taken out again",
    scopes: [...SHARED, "folder in a shared drive"],
    change: async ({ model, top, world }) => {
      model.trash(top);
      await world.sync();
      model.untrash(top);
    },
    living: BASE,
    calls: 5,
    writes: 3,
  },
  {
    what: "the scope's folder is deleted for ever",
    scopes: [...SHARED, "folder in a shared drive"],
    change: ({ model, top }) => model.delete(top),
    living: [],
    gone: ALL_GONE,
    calls: 1,
    writes: 3,
    status: "needs_attention",
  },
  {
    what: "the scope's folder is renamed: no path changes",
    scopes: [...SHARED, "folder in a shared drive"],
    change: ({ model, top }) => model.rename(top, "Another name"),
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "the scope's folder is moved with all that it holds: no path changes",
    scopes: [...SHARED, "folder in a shared drive"],
    change: ({ model, top, outside }) => model.move(top, outside),
    living: BASE,
    calls: 1,
    writes: 0,
  },
  {
    what: "a folder is no longer shared",
    scopes: ["own corpus"],
    change: unshare,
    living: [],
    gone: ALL_GONE,
    calls: LOSS,
    writes: 3,
  },
  {
    what: "a folder is shared again, and has changed meanwhile",
    scopes: ["own corpus"],
    change: shareAgain,
    living: RETURNED,
    gone: ["a.pdf removed"],
    calls: 5,
    writes: 4,
  },
  {
    what: "one more folder is shared",
    scopes: ["own corpus"],
    change: ({ model, ids, world }) => model.share(ids.deep, world.account),
    living: (
      stage,
    ) => [...BASE.map((path) => path), `${"/Deep/deep.txt".slice(stage.prefix.length)}`],
    calls: 3,
    writes: 1,
  },
]);
