import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { startListing } from "../../../supabase/functions/_shared/providers/google_drive/start.ts";
import { FakeDrive, file, folder } from "./fake_drive.ts";
import { runListing } from "./run_listing.ts";

function start(drive: FakeDrive, config: unknown) {
  return startListing(drive.context(parseConfig(config)));
}

const myDrive = folder("0AMyRoot", undefined, { name: "My Drive", isMyDrive: true });
const USER_FEED = { key: "user", cursor: { page_token: "start-user" } };
const DRIVE_FEED = { key: "drive:0AShared", cursor: { page_token: "start-0AShared" } };
const sharedDrive = folder("0AShared", undefined, { driveId: "0AShared", isTop: true });

Deno.test("startListing() of an account takes the real id of its root and the user's token", async () => {
  const started = await start(new FakeDrive([myDrive]), {});
  deepEqual(started, {
    roots: [{
      external_folder_id: "0AMyRoot",
      external_parent_id: null,
      folder_name: "My Drive",
      is_root: true,
    }],
    seeds: [{ kind: "folders", key: "folders", cursor: { root_id: "0AMyRoot" } }],
    walk: [],
    feeds: [{ key: "user", cursor: { page_token: "start-user" } }],
    is_tree: false,
    sweep: "everything",
  });
});

Deno.test("startListing() of a shared drive takes the drive's own token", async () => {
  const drive = new FakeDrive([sharedDrive]);
  const started = await start(drive, { drive_id: "0AShared" });
  deepEqual(started.feeds, [DRIVE_FEED]);
  deepEqual([started.is_tree, started.sweep], [false, "everything"]);
  deepEqual(started.roots.map((root) => root.external_folder_id), ["0AShared"]);
  deepEqual(drive.calls.map(({ pathname }) => pathname), [
    "/drive/v3/files/0AShared",
    "/drive/v3/changes/startPageToken",
  ]);
  equal(drive.calls[0]?.searchParams.get("supportsAllDrives"), "true");
  equal(drive.calls[1]?.searchParams.get("driveId"), "0AShared");
});

Deno.test("startListing() of folders walks them and takes the token of every log they are in", async () => {
  const drive = new FakeDrive([folder("A", "x"), folder("B", "0AShared", { driveId: "0AShared" })]);
  const started = await start(drive, { folder_ids: ["A", "B"] });
  deepEqual(started.walk, ["A", "B"]);
  deepEqual(started.seeds, []);
  deepEqual(started.roots.map((root) => [root.external_folder_id, root.is_root]), [
    ["A", true],
    ["B", true],
  ]);
  deepEqual(started.feeds, [USER_FEED, DRIVE_FEED]);
  deepEqual([started.is_tree, started.sweep], [true, "everything"]);
  const firstToken = drive.calls.findIndex(({ pathname }) => pathname.endsWith("/startPageToken"));
  ok(drive.calls.slice(0, firstToken).every(({ searchParams }) => !searchParams.has("q")));
});

const refusesMembers = (url: URL) =>
  url.searchParams.get("driveId") ? new SyncError("scope_not_found", "no member") : null;

for (const capabilities of [undefined, { canReadDrive: false }]) {
  Deno.test(`startListing() takes the user's token for no member: ${JSON.stringify(capabilities)}`, async () => {
    const drive = new FakeDrive([folder("B", "x", { driveId: "0AShared", capabilities })]);
    drive.interceptor = refusesMembers;
    deepEqual((await start(drive, { folder_id: "B" })).feeds, [USER_FEED]);
  });
}

Deno.test("startListing() does not follow another log when a member's is refused by mistake", async () => {
  const capabilities = { canReadDrive: true };
  const drive = new FakeDrive([folder("B", "x", { driveId: "0AShared", capabilities })]);
  drive.interceptor = refusesMembers;
  await rejects(start(drive, { folder_id: "B" }), { code: "unavailable" });
  drive.interceptor = () => null;
  deepEqual((await start(drive, { folder_id: "B" })).feeds, [DRIVE_FEED]);
});

Deno.test("startListing() of folders in a shared drive follows that drive's log alone", async () => {
  const inside = { driveId: "0AShared" };
  const drive = new FakeDrive([folder("B", "x", inside), folder("C", "x", inside)]);
  deepEqual((await start(drive, { folder_ids: ["B", "C"] })).feeds, [DRIVE_FEED]);
});

Deno.test("startListing() finds the real folder behind the alias root", async () => {
  const started = await start(new FakeDrive([myDrive]), { folder_id: "root" });
  deepEqual(started.walk, ["0AMyRoot"]);
});

const refusals: readonly (readonly [string, unknown, string, RegExp])[] = [
  [
    "a folder that cannot be seen",
    { folder_id: "gone" },
    "scope_not_found",
    /Cannot find the folder "gone": share it with reader@project\.example/,
  ],
  [
    "a shared drive that cannot be seen",
    { drive_id: "gone" },
    "scope_not_found",
    /Cannot find the shared drive "gone": share it with reader@project\.example/,
  ],
  ["a folder in the trash", { folder_id: "trashed" }, "scope_not_found", /is in the trash/],
  ["a file", { folder_id: "F" }, "config_invalid", /must be a folder, not a file.*"F"$/],
  [
    "a shortcut",
    { folder_id: "S" },
    "config_invalid",
    /not of a shortcut \(this one leads to "A"\)/,
  ],
  ["a folder as drive_id", { drive_id: "A" }, "config_invalid", /belongs into folder_id.*"A"$/],
  ["a drive's folder as drive_id", { drive_id: "B" }, "config_invalid", /belongs into folder_id/],
  [
    "a folder outside the named drive",
    { drive_id: "0AShared", folder_id: "A" },
    "config_invalid",
    /must lie in the shared drive "0AShared".*"A"$/,
  ],
  ["a file among folders", { folder_ids: ["A", "F"] }, "config_invalid", /not a file.*"F"$/],
];

for (const [what, config, code, message] of refusals) {
  Deno.test(`startListing() refuses ${what}`, async () => {
    const drive = new FakeDrive([
      sharedDrive,
      folder("A", "x"),
      folder("B", "0AShared", { driveId: "0AShared" }),
      folder("trashed", "x", { trashed: true }),
      file("F", "A"),
      {
        id: "S",
        name: "S",
        mimeType: "application/vnd.google-apps.shortcut",
        shortcutDetails: { targetId: "A" },
      },
    ]);
    await rejects(start(drive, config), { name: "SyncError", code, message });
  });
}

Deno.test("startListing() explains a refusal even when it cannot learn the account's name", async () => {
  const drive = new FakeDrive([]);
  drive.interceptor = (url) =>
    url.pathname.endsWith("/about") ? new SyncError("unavailable", "down") : null;
  const message = /share it with the connected account \(for a service account: its client_email\)/;
  await rejects(start(drive, { folder_id: "gone" }), { code: "scope_not_found", message });
});

Deno.test("startListing() passes on failures that say nothing of the scope", async () => {
  const drive = new FakeDrive([folder("A", "x")]);
  drive.interceptor = () => new SyncError("rate_limited", "slow down", { retryAfterMs: 5 });
  await rejects(start(drive, { folder_id: "A" }), { code: "rate_limited", retryAfterMs: 5 });
});

Deno.test("one folder that cannot be read stops no other and is reported", async () => {
  const drive = new FakeDrive([
    folder("A", "x"),
    file("F", "A"),
    folder("trashed", "x", { trashed: true }),
  ]);
  const config = parseConfig({ folder_ids: ["gone", "A", "trashed"] });
  const listed = await runListing(drive.context(config));
  deepEqual([...listed.files.keys()], ["F"]);
  const skipped = listed.skipped.map(({ external_folder_id, code }) => [external_folder_id, code]);
  deepEqual(skipped, [["gone", "scope_not_found"], ["trashed", "scope_not_found"]]);
  match(listed.skipped[0]?.message ?? "", /share it with reader@project\.example/);
  equal(listed.receipt["folders_skipped"], 2);
});

Deno.test("one folder that is never answered stops no other, and is not waited for twice", async () => {
  const drive = new FakeDrive([folder("A", "x"), file("F", "A"), folder("silent", "x")]);
  drive.interceptor = ({ pathname }) =>
    pathname.endsWith("/silent") ? new SyncError("unavailable", "no answer") : null;
  const config = parseConfig({ folder_ids: ["A", "silent"] });
  const listed = await runListing(drive.context(config));
  deepEqual([...listed.files.keys()], ["F"]);
  deepEqual(listed.skipped, [
    { external_folder_id: "silent", code: "unavailable", message: "no answer" },
  ]);
  equal(drive.calls.filter(({ pathname }) => pathname.endsWith("/silent")).length, 1);
});

Deno.test("startListing() reports the first folder where none can be read", async () => {
  const started = start(new FakeDrive([]), { folder_ids: ["gone", "lost"] });
  await rejects(started, { code: "scope_not_found", message: /"gone"/ });
});

Deno.test("startListing() checks more folders than it asks for at once", async () => {
  const ids = Array.from({ length: 21 }, (_, index) => `A${index}`);
  const started = await start(new FakeDrive(ids.map((id) => folder(id, "x"))), { folder_ids: ids });
  deepEqual(started.walk, ids);
});
