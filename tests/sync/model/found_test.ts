/** What random sequences have found: each was a fault once, and is played again as it was. */
import { replay, SYNC } from "./replay.ts";
import type { Sequence } from "./sequence.ts";

replay("a folder of the scope that could not be read is its top again when it comes back", {
  scope: "two_folders",
  steps: [
    { ...SYNC, meanwhile: [{ at: 3, event: { do: "lose_scope", top: 0 } }] },
    { ...SYNC, mode: "full" },
    { do: "create_file", in: 0, name: "a.pdf", size: "0" },
  ],
});

replay("what was put into a folder while it was not shared is found when it is shared again", {
  before: [{ do: "create_file", in: 0, name: "a.pdf", size: "1" }],
  steps: [
    SYNC,
    { do: "lose_scope", top: 0 },
    { do: "create_file", in: 0, name: "b.txt", size: "1" },
    { do: "delete", item: 0 },
    { do: "regain_scope", top: 0 },
    SYNC,
  ],
});

/** A file in the folders A and B of the scope. */
const IN_TWO_FOLDERS: Sequence["before"] = [
  { do: "create_folder", in: 0, name: "A" },
  { do: "create_folder", in: 0, name: "B" },
  { do: "create_file", in: 1, name: "a.pdf", size: "1" },
  { do: "add_parent", item: 0, in: 2 },
];

for (const mode of ["incremental", "full"] as const) {
  replay(`a file in two folders outlives the first of them: ${mode} syncs`, {
    before: IN_TWO_FOLDERS,
    steps: [
      SYNC,
      { do: "trash", item: 0 },
      ...(mode === "full" ? [{ do: "expire_change_tokens" } as const] : []),
      { ...SYNC, mode },
      { do: "untrash", item: 0 },
      { ...SYNC, mode },
    ],
  });
}

replay("what is shared by itself below a folder that is shared no longer stays", {
  scope: "account",
  before: [
    { do: "create_file", in: 0, name: "alone.pdf", size: "1" },
    { do: "create_folder", in: 0, name: "Inner" },
    { do: "create_file", in: 1, name: "inner.pdf", size: "1" },
    { do: "create_file", in: 0, name: "lost.pdf", size: "1" },
    { do: "share", item: 1 },
    { do: "share", item: 2 },
  ],
  steps: [SYNC, { do: "unshare", item: 0 }, SYNC],
});

for (const scope of ["drive_folder", "account"] as const) {
  replay(`what went into the trash with its folder is there when the folder is back: ${scope}`, {
    scope,
    before: [{ do: "create_folder", in: 0, name: "A" }, {
      do: "create_file",
      in: 1,
      name: "a.pdf",
      size: "1",
    }],
    steps: [
      SYNC,
      { do: "edit", item: 0, size: "2" },
      { do: "create_folder", in: 0, name: "B" },
      { do: "trash", item: scope === "account" ? 1 : 0 },
      // The file's own entry has been read, its folder's has not.
      { ...SYNC, interruption: { type: "die", at: 3, isCarriedOut: true } },
      { do: "untrash", item: 0 },
    ],
  });
}

for (const top of [0, 1]) {
  replay(`a folder of the scope that could not be read is followed when it comes back: ${top}`, {
    scope: "two_folders",
    steps: [
      SYNC,
      { do: "lose_scope", top },
      SYNC,
      { ...SYNC, mode: "full" },
      { do: "create_file", in: top, name: "a.pdf", size: "0" },
    ],
  });
}

replay("a drive's log that was refused by mistake is followed after all", {
  scope: "drive_folder",
  before: [{ do: "create_folder", in: 0, name: "A" }],
  steps: [
    {
      ...SYNC,
      troubles: [{ plan: { fault: { type: "status", status: 404 }, times: 1, skip: 1 } }],
    },
    { do: "create_file", in: 1, name: "a.pdf", size: "1" },
  ],
});

/** Four files in two folders that are asked for together, on two pages. */
const TWO_FOLDERS_ON_TWO_PAGES: Partial<Sequence> = {
  foldersPerTask: 3,
  before: [
    ...["A", "B"].map((name) => ({ do: "create_folder", in: 0, name }) as const),
    ...["a.pdf", "b.pdf", "c.pdf", "d.pdf"].map((name, n) =>
      ({ do: "create_file", in: 1 + n % 2, name, size: "1" }) as const
    ),
  ],
};

const EMPTY_GROUP = { type: "grouped_parents", mode: "empty" } as const;

replay("a group of folders is not believed that ends with an empty page", {
  ...TWO_FOLDERS_ON_TWO_PAGES,
  steps: [{ ...SYNC, troubles: [{ plan: { fault: EMPTY_GROUP, times: 1, skip: 1 } }] }],
});

replay("a group of folders that begins again is not believed for what it had answered before", {
  ...TWO_FOLDERS_ON_TWO_PAGES,
  steps: [{
    ...SYNC,
    meanwhile: [{ at: 6, event: { do: "expire_page_tokens" } }],
    troubles: [{ plan: { fault: EMPTY_GROUP, times: 1, skip: 2 } }],
  }],
});

for (const scope of ["drive_folder", "account"] as const) {
  replay(`a folder that came in and was not searched completely is read again: ${scope}`, {
    scope,
    pageSize: 5,
    steps: [
      SYNC,
      { do: "create_folder", in: 0, name: "A" },
      { do: "create_file", in: 1, name: "a.pdf", size: "1" },
      { do: "trash", item: scope === "account" ? 1 : 0 },
      SYNC,
      { do: "untrash", item: 0 },
      { ...SYNC, troubles: [{ plan: { fault: { type: "incomplete_search" }, times: 2 } }] },
    ],
  });
}

for (const [what, into] of [["into a shared drive", 2], ["out of a shared drive", 1]] as const) {
  replay(`what lies below a folder that moves ${what} is described anew`, {
    scope: "two_folders",
    before: [
      { do: "create_folder", in: 2 - into, name: "A" },
      { do: "create_folder", in: 2, name: "B" },
      { do: "create_file", in: 3, name: "b.pdf", size: "1" },
    ],
    steps: [SYNC, { do: "move", item: 0, in: into - 1 }, SYNC],
  });
}

for (const scope of ["my_folder", "drive_folder", "drive", "account"] as const) {
  // A folder with a folder with a file, in the trash while a listing reads them and then no more.
  replay(`what was in the trash while it was listed is found when it is out again: ${scope}`, {
    scope,
    pageSize: 8,
    before: [
      { do: "create_folder", in: 0, name: "A" },
      { do: "create_folder", in: 1, name: "B" },
      { do: "create_file", in: 2, name: "b.pdf", size: "1" },
    ],
    steps: [
      SYNC,
      {
        ...SYNC,
        mode: "full",
        meanwhile: [
          {
            at: scope === "account" ? 2 : 3,
            event: { do: "trash", item: scope === "account" ? 1 : 0 },
          },
          {
            at: scope === "drive" || scope === "account" ? 4 : 5,
            event: { do: "untrash", item: 0 },
          },
        ],
      },
    ],
  });
}

/** A folder with a folder with a file that was in the trash, and is walked by the next sync. */
const OUT_OF_THE_TRASH = (
  scope: Sequence["scope"],
): Partial<Sequence> & Pick<Sequence, "steps"> => ({
  scope,
  pageSize: 8,
  before: [
    { do: "create_folder", in: 0, name: "A" },
    { do: "create_folder", in: 1, name: "B" },
    { do: "create_file", in: 2, name: "b.pdf", size: "1" },
  ],
  steps: [
    SYNC,
    { do: "trash", item: scope === "account" ? 1 : 0 },
    SYNC,
    { do: "untrash", item: 0 },
  ],
});

for (const scope of ["my_folder", "drive_folder", "drive", "account"] as const) {
  const { steps, ...walked } = OUT_OF_THE_TRASH(scope);
  // The log is the first call, the walk the second.
  const trash = {
    at: 1,
    event: { do: "trash" as const, item: scope === "account" ? 1 : 0 },
  };
  replay(`what was in the trash while it was walked is found when it is out again: ${scope}`, {
    ...walked,
    steps: [
      ...steps,
      { ...SYNC, meanwhile: [trash, { at: 2, event: { do: "untrash", item: 0 } }] },
    ],
  });
  replay(`what was in the trash while it was walked is found after the run: ${scope}`, {
    ...walked,
    steps: [...steps, { ...SYNC, meanwhile: [trash] }, { do: "untrash", item: 0 }],
  });
}
