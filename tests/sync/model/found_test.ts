/** What random sequences have found: each was a fault once, and is played again as it was. */
import { withDatabase } from "../../support/database.ts";
import { connectAsService, loadServiceAccount } from "../../support/drive_sync.ts";
import { play } from "./play.ts";
import type { Sequence, SyncStep } from "./sequence.ts";

const PLAIN: Sequence = {
  scope: "my_folder",
  pageSize: 2,
  lanes: 1,
  foldersPerTask: 1,
  fuseFiles: 50,
  before: [],
  steps: [],
};

const SYNC: SyncStep = {
  do: "sync",
  mode: "incremental",
  troubles: [],
  interruption: null,
  meanwhile: [],
  cpuBudgetMs: 1_200,
};

function replay(name: string, sequence: Partial<Sequence>): void {
  Deno.test(name, () =>
    withDatabase(async (sql) => {
      const account = await loadServiceAccount();
      const stage = { sql, db: connectAsService(), account, tally: new Map() };
      await play({ ...PLAIN, ...sequence }, stage);
    }));
}

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

/** A folder with a folder with a file, and what takes the outer one away before everything is listed. */
const GONE_BEFORE = [
  ["in the trash", "drive_folder", { do: "trash", item: 0 }],
  ["in the trash", "my_folder", { do: "trash", item: 0 }],
  ["in the trash", "drive", { do: "trash", item: 0 }],
  ["in the trash", "account", { do: "trash", item: 1 }],
  ["elsewhere", "drive_folder", { do: "move", item: 0, in: 9 }],
] as const;

for (const [where, scope, goes] of GONE_BEFORE) {
  replay(`a file edited in a folder that was ${where} before a full listing stays gone: ${scope}`, {
    scope,
    pageSize: 8,
    before: [
      { do: "create_folder", in: 0, name: "A" },
      { do: "create_folder", in: 1, name: "B" },
      { do: "create_file", in: 2, name: "b.pdf", size: "1" },
    ],
    steps: [
      SYNC,
      goes,
      // While the folders are listed, so that the log after it tells of the file.
      { ...SYNC, mode: "full", meanwhile: [{ at: 2, event: { do: "edit", item: 0, size: "2" } }] },
    ],
  });
}

replay(
  "a folder that was deleted before a full listing is not asked about when the one above shows",
  {
    pageSize: 8,
    before: [
      { do: "create_folder", in: 0, name: "A" },
      { do: "create_folder", in: 1, name: "B" },
      { do: "create_file", in: 1, name: "a.pdf", size: "1" },
    ],
    steps: [
      SYNC,
      { do: "delete", item: 1 },
      {
        ...SYNC,
        mode: "full",
        meanwhile: [{ at: 3, event: { do: "rename", item: 3, name: "no extension" } }],
      },
    ],
  },
);

replay("files of a folder that came and went while all was listed go with it", {
  scope: "account",
  before: [
    { do: "create_file", in: 64, name: "a.pdf", size: "9007199254740993" },
    { do: "create_file", in: 61, name: "a.pdf", size: "0" },
    { do: "create_file", in: 87, name: "a.pdf", size: "1" },
    { do: "create_folder", in: 21, name: "a.pdf" },
    { do: "trash", item: 4 },
    { do: "create_file", in: 59, name: "a.pdf", size: "1" },
    { do: "create_folder", in: 3, name: "a.pdf" },
    { do: "create_file", in: 25, name: "a.pdf", size: null },
    { do: "create_file", in: 91, name: "a.pdf", size: "1024" },
    { do: "create_file", in: 41, name: "a.pdf", size: "0" },
    { do: "create_file", in: 6, name: "a.pdf", size: "0" },
    { do: "create_folder", in: 44, name: "a.pdf" },
    { do: "create_folder", in: 42, name: "a.pdf" },
    { do: "create_file", in: 21, name: "a.pdf", size: "0" },
    { do: "create_file", in: 64, name: "a.pdf", size: "9007199254740993" },
    { do: "create_folder", in: 93, name: "a.pdf" },
  ],
  steps: [
    { do: "create_folder", in: 5, name: "a.pdf" },
    {
      ...SYNC,
      meanwhile: [{ at: 1, event: { do: "create_shortcut", in: 59, name: "a.pdf", to: 14 } }],
    },
    {
      ...SYNC,
      mode: "full",
      troubles: [{ plan: { fault: { type: "incomplete_search" }, times: 30, skip: 3 } }],
      meanwhile: [{ at: 1, event: { do: "untrash", item: 64 } }],
    },
    { do: "limit_files", files: 4 },
    { ...SYNC, meanwhile: [{ at: 3, event: { do: "move", item: 30, in: 33 } }] },
    { do: "unshare", item: 32 },
  ],
});

replay(
  "what a log calls removed with its folder is there when the folder is back before its own entry",
  {
    before: [
      { do: "create_folder", in: 0, name: "A" },
      { do: "create_folder", in: 1, name: "B" },
      { do: "create_file", in: 2, name: "b.pdf", size: "1" },
      { do: "create_file", in: 0, name: "a.pdf", size: "1" },
    ],
    steps: [
      SYNC,
      { do: "edit", item: 0, size: "2" },
      { do: "edit", item: 1, size: "2" },
      {
        ...SYNC,
        // Two pages of the log: the files' entries, and the folder's own, which was moved away and back.
        meanwhile: [
          { at: 0, event: { do: "hide", folder: 1, by: "move" } },
          { at: 1, event: { do: "show" } },
        ],
      },
    ],
  },
);

replay("a top that was in the trash while it was listed is read again when it is back", {
  scope: "drive_folder",
  before: [{ do: "create_file", in: 0, name: "a.pdf", size: "1" }],
  steps: [
    {
      ...SYNC,
      interruption: { type: "die", at: 7, isCarriedOut: true },
      meanwhile: [{ at: 4, event: { do: "lose_scope", top: 0 } }],
    },
    {
      ...SYNC,
      troubles: [{
        plan: { fault: { type: "status", status: 404 }, times: 30, method: "changes.list" },
      }],
    },
  ],
});

for (const scope of ["my_folder", "drive_folder"] as const) {
  replay(`a top that went before its log was asked is not taken for empty: ${scope}`, {
    scope,
    before: [{ do: "create_file", in: 0, name: "a.pdf", size: "1" }],
    steps: [
      SYNC,
      { ...SYNC, mode: "full", meanwhile: [{ at: 1, event: { do: "lose_scope", top: 0 } }] },
    ],
  });
}

replay(
  "files of a folder that was in sight only while files were listed go with the one above it",
  {
    scope: "account",
    // The account's folder, a folder in it, and the file in that one.
    before: [
      { do: "create_folder", in: 0, name: "A" },
      { do: "create_file", in: 1, name: "a.pdf", size: "1" },
    ],
    steps: [
      {
        ...SYNC,
        // The log is not to be had before the folder is gone for good.
        troubles: [{
          plan: { fault: { type: "html" }, times: 3, skip: 0, method: "changes.list" },
        }],
        meanwhile: [
          { at: 3, event: { do: "hide", folder: 1, by: "unshare" } },
          { at: 4, event: { do: "show" } },
        ],
      },
      { do: "unshare", item: 0 },
    ],
  },
);
