import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { type FailureCode, SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import type { Feed } from "../../../supabase/functions/_shared/providers/types.ts";
import { FakeDrive, type FakeItem, file, folder } from "./fake_drive.ts";

const ACCOUNT = {};
const DRIVE = { drive_id: "D" };
const FOLDERS = { folder_ids: ["A", "B"] };

function feed(key: string, cursor: Feed["cursor"] = { page_token: "t1" }): Feed {
  return { key, cursor, sequence: 3 };
}

const USER = feed("user");
const DRIVE_LOG = feed("drive:D");

function shows(item: FakeItem, more: Record<string, unknown> = {}) {
  return { changeType: "file", removed: false, fileId: item.id, file: item, ...more };
}

function removes(fileId: string, more: Record<string, unknown> = {}) {
  return { changeType: "file", removed: true, fileId, ...more };
}

/** Reads one page whose answer is `body`. */
function read(config: unknown, from: Feed, body: unknown, pageSize = 1000) {
  const drive = new FakeDrive([]);
  drive.interceptor = (url) => url.pathname.endsWith("/changes") ? body : null;
  const page = googleDrive.readChanges(from, drive.context(parseConfig(config), pageSize));
  return { page, drive };
}

/** Reads one page with these entries. */
async function entries(config: unknown, from: Feed, changes: readonly unknown[]) {
  return await read(config, from, { changes, newStartPageToken: "t2" }).page;
}

for (
  const [what, config, from, flags] of [
    ["an account", ACCOUNT, USER, { includeItemsFromAllDrives: "false" }],
    ["a shared drive", DRIVE, DRIVE_LOG, { includeItemsFromAllDrives: "true", driveId: "D" }],
    ["folders", FOLDERS, USER, { includeItemsFromAllDrives: "true" }],
    ["folders in a shared drive", FOLDERS, DRIVE_LOG, {
      includeItemsFromAllDrives: "true",
      driveId: "D",
    }],
  ] as const
) {
  Deno.test(`the log of ${what} is asked for with its flags`, async () => {
    const { page, drive } = read(config, from, { changes: [], newStartPageToken: "t2" }, 5000);
    await page;
    const sent = Object.fromEntries(drive.calls[0]?.searchParams ?? []);
    const { fields = "", ...rest } = sent;
    deepEqual(rest, {
      pageToken: "t1",
      pageSize: "1000",
      spaces: "drive",
      includeRemoved: "true",
      includeCorpusRemovals: "true",
      supportsAllDrives: "true",
      ...flags,
    });
    match(
      fields,
      /^nextPageToken,newStartPageToken,changes\(.*fileId,file\(trashed,explicitlyTrashed,id,name/,
    );
  });
}

Deno.test("files and folders are shown as a listing shows them", async () => {
  const item = file("F1", undefined, { parents: ["X", "A"], size: "12" });
  const page = await entries(FOLDERS, USER, [
    shows(item),
    shows(folder("C", "A")),
    shows(folder("A", "X")),
  ]);
  const drive = new FakeDrive([item]);
  const cursor = { root_id: "r" };
  const listed = await googleDrive.readPage(
    { id: 1, kind: "files", folder_ids: [], cursor, sequence: 0 },
    drive.context(parseConfig(ACCOUNT)),
  );
  deepEqual(page.files, listed.files);
  deepEqual(page.files[0]?.candidate_parent_ids, ["X", "A"]);
  deepEqual(page.folders, [
    { external_folder_id: "C", external_parent_id: "A", folder_name: "C", is_root: false },
    { external_folder_id: "A", external_parent_id: "X", folder_name: "A", is_root: true },
  ]);
  deepEqual(page.removed, []);
  deepEqual(page.receipt, { change_pages: 1, changes: 3 });
});

Deno.test("what is in the trash and what is removed goes, each with its reason", async () => {
  const page = await entries(ACCOUNT, USER, [
    shows(file("F1", "A", { trashed: true })),
    shows(folder("C", "A", { trashed: true })),
    // However badly the rest is described.
    shows({ id: "F2", trashed: true, name: 7 }),
    removes("F3"),
  ]);
  deepEqual(page.removed, [
    { external_id: "F1", reason: "trashed" },
    { external_id: "C", reason: "trashed" },
    { external_id: "F2", reason: "trashed" },
    { external_id: "F3", reason: "removed" },
  ]);
  deepEqual([page.files, page.folders], [[], []]);
});

Deno.test("entries about shared drives themselves say nothing of files", async () => {
  const page = await entries(ACCOUNT, USER, [
    { changeType: "drive", removed: true, driveId: "D" },
    { changeType: "drive", removed: false, driveId: "D", drive: { id: "D", name: "New name" } },
  ]);
  deepEqual([page.files, page.folders, page.removed], [[], [], []]);
  deepEqual(page.receipt, { change_pages: 1, changes: 2 });
});

Deno.test("of several entries about one item the last counts", async () => {
  const page = await entries(ACCOUNT, USER, [
    removes("F1"),
    shows(file("F2", "A")),
    shows(file("F1", "A", { name: "old" })),
    shows(file("F1", "A", { name: "new" })),
    removes("F2"),
  ]);
  deepEqual(page.files.map((each) => [each.external_file_id, each.file_name]), [["F1", "new"]]);
  deepEqual(page.removed, [{ external_id: "F2", reason: "removed" }]);
});

Deno.test("a malformed entry is reported and stops no other", async () => {
  const page = await entries(ACCOUNT, USER, [
    null,
    "entry",
    {},
    { changeType: "file", removed: false },
    { changeType: "file", removed: false, fileId: "F0" },
    shows(file("F1", "A", { name: 7 })),
    shows(file("F2", "A"), { fileId: "another" }),
    removes("F3", { removed: "yes" }),
    shows(file("F4", "A", { size: "many" })),
  ]);
  deepEqual(page.files.map((each) => each.external_file_id), ["F4"]);
  deepEqual(page.removed, []);
  deepEqual(
    page.skipped.map(({ external_folder_id, code }) => [external_folder_id, code]),
    // What names no item is reported as the log.
    ["user", "user", "user", "user", "F0", "F1", "another", "F3"].map((id) => [
      id,
      "response_invalid",
    ]),
  );
  ok(page.skipped.every(({ message }) => /unreadable form; it was left out/.test(message)));
  equal(page.receipt["items_unreadable"], 8);
  equal(page.receipt["values_unreadable"], 1);
});

Deno.test("of a malformed entry and a readable one about the same item the last counts", async () => {
  const page = await entries(ACCOUNT, USER, [
    shows(file("F1", "A", { name: 7 })),
    shows(file("F1", "A", { name: "new" })),
    removes("F2"),
    shows(file("F2", "A", { name: 7 })),
  ]);
  deepEqual(page.files.map((each) => each.file_name), ["new"]);
  // It is there: what an earlier entry said is no longer so.
  deepEqual(page.removed, []);
  deepEqual(page.skipped.map(({ external_folder_id }) => external_folder_id), ["F2"]);
});

Deno.test("what moved into a shared drive has left an account's own corpus", async () => {
  const page = await entries(ACCOUNT, USER, [
    shows(file("F1", "A", { driveId: "D" })),
    shows(folder("C", "A", { driveId: "D" })),
  ]);
  deepEqual(page.removed.map(({ external_id, reason }) => [external_id, reason]), [
    ["F1", "out_of_scope"],
    ["C", "out_of_scope"],
  ]);
});

Deno.test("what moved into another drive has left a shared drive's scope", async () => {
  for (const config of [DRIVE, { drive_id: "D", folder_id: "A" }]) {
    const page = await entries(config, DRIVE_LOG, [
      shows(file("F1", "A", { driveId: "D" })),
      shows(file("F2", "A", { driveId: "E" })),
    ]);
    deepEqual(page.files.map((each) => each.external_file_id), ["F1"]);
    deepEqual(page.removed, [{ external_id: "F2", reason: "out_of_scope" }]);
  }
});

Deno.test("what moved from one followed log to another is shown where it is now", async () => {
  const moved = file("F1", "A", { driveId: "D" });
  const page = await entries(FOLDERS, USER, [
    removes("F1", { file: moved }),
    removes("F2", { file: file("F2", "A", { trashed: true }) }),
    removes("F3"),
  ]);
  deepEqual(page.files.map((each) => each.external_file_id), ["F1"]);
  deepEqual(page.removed, [
    { external_id: "F2", reason: "trashed" },
    { external_id: "F3", reason: "removed" },
  ]);
});

Deno.test("a folder of the scope that moved to another log begins the listing again", async () => {
  const moved = removes("A", { file: folder("A", "X", { driveId: "D" }) });
  await rejects(entries(FOLDERS, USER, [moved]), { code: "cursor_expired" });
  const within = { drive_id: "D", folder_id: "A" };
  const away = removes("A", { file: folder("A", "X", { driveId: "E" }) });
  await rejects(entries(within, DRIVE_LOG, [away]), { code: "cursor_expired" });
  // A folder that is gone is gone.
  deepEqual((await entries(FOLDERS, USER, [removes("A")])).removed.length, 1);
});

Deno.test("an empty page that names a next one is not the end", async () => {
  const { page } = read(ACCOUNT, USER, { changes: [], nextPageToken: "t2" });
  deepEqual((await page).next, { type: "more", cursor: { page_token: "t2" } });
});

Deno.test("the last page says where to go on next time", async () => {
  const { page } = read(ACCOUNT, USER, { changes: [], newStartPageToken: "t1" });
  // The very cursor it was read with: a commit of nothing can be left out.
  deepEqual((await page).next, { type: "drained", cursor: USER.cursor });
});

Deno.test("a page that leads back to itself again and again is refused", async () => {
  let cursor = USER.cursor;
  const circle = async () => {
    for (let turn = 0; turn < 10; turn++) {
      const { page } = read(ACCOUNT, feed("user", cursor), { changes: [], nextPageToken: "t1" });
      cursor = (await page).next.cursor;
    }
  };
  await rejects(circle(), { code: "response_invalid" });
});

for (
  const body of [
    null,
    [],
    "<html>",
    { changes: [] },
    { changes: {}, newStartPageToken: "t2" },
    { changes: [], newStartPageToken: "" },
    { changes: [], nextPageToken: "t2", newStartPageToken: "t3" },
  ]
) {
  Deno.test(`readChanges() refuses the answer ${JSON.stringify(body)}`, async () => {
    const drive = new FakeDrive([]);
    const context = { ...drive.context(parseConfig(DRIVE)), getJson: () => Promise.resolve(body) };
    await rejects(googleDrive.readChanges(DRIVE_LOG, context), { code: "response_invalid" });
  });
}

const failures: readonly (readonly [string, unknown, Feed, FailureCode, FailureCode])[] = [
  ["a dead token", ACCOUNT, USER, "cursor_expired", "cursor_expired"],
  ["a user's log not found", ACCOUNT, USER, "scope_not_found", "cursor_expired"],
  ["a user's log refused", ACCOUNT, USER, "access_denied", "access_denied"],
  ["a lost drive", DRIVE, DRIVE_LOG, "scope_not_found", "scope_not_found"],
  ["a refused drive", DRIVE, DRIVE_LOG, "access_denied", "access_denied"],
  ["a lost drive under folders", FOLDERS, DRIVE_LOG, "scope_not_found", "cursor_expired"],
  ["a quota", DRIVE, DRIVE_LOG, "rate_limited", "rate_limited"],
  ["an outage", FOLDERS, DRIVE_LOG, "unavailable", "unavailable"],
];

for (const [what, config, from, failure, code] of failures) {
  Deno.test(`readChanges() reports ${what} (${failure}) as ${code}`, async () => {
    await rejects(read(config, from, new SyncError(failure, "no")).page, { code });
  });
}

Deno.test("a lost drive is reported with the address to share it with", async () => {
  const { page } = read(DRIVE, DRIVE_LOG, new SyncError("scope_not_found", "no"));
  await rejects(page, { message: /shared drive "D": share it with reader@project\.example/ });
});

Deno.test("readChanges() gives up a log or position it does not know", async () => {
  const strange: readonly (readonly [unknown, Feed])[] = [
    [ACCOUNT, feed("user", null)],
    [ACCOUNT, feed("user", { v: 1, tokens: {} })],
    [ACCOUNT, DRIVE_LOG],
    [DRIVE, USER],
    [DRIVE, feed("drive:E")],
    [FOLDERS, feed("drive:")],
    [FOLDERS, feed("team")],
  ];
  for (const [config, from] of strange) {
    const { page, drive } = read(config, from, { changes: [], newStartPageToken: "t2" });
    await rejects(page, { code: "cursor_expired" });
    equal(drive.calls.length, 0);
  }
});

Deno.test("readChanges() survives any entries", async () => {
  const item = fc.record({ id: fc.constant("F"), name: fc.string(), mimeType: fc.anything() });
  const entry = fc.oneof(
    fc.anything(),
    fc.record({ fileId: fc.constantFrom("F", "G"), removed: fc.anything(), file: fc.anything() }),
    fc.record({ fileId: fc.constant("F"), removed: fc.boolean(), file: item }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(entry), async (changes) => {
      for (const [config, from] of [[ACCOUNT, USER], [FOLDERS, DRIVE_LOG]] as const) {
        const page = await entries(config, from, changes);
        const shown = page.files.map((each) => each.external_file_id);
        const gone = page.removed.map((each) => each.external_id);
        // No item is both here and gone.
        ok(gone.every((id) => !shown.includes(id)));
        equal(new Set(gone).size, gone.length);
      }
    }),
    { numRuns: 300 },
  );
});
