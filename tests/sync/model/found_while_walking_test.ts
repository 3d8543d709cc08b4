/** What random sequences have found of folders that come and go while they are walked; as in found_test.ts. */
import { replay, SYNC } from "./replay.ts";

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
