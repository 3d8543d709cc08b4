/** The provider against the emulated Google Drive, which checks requests as Google does. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { DriveModel } from "../../../local/google/drive_model.ts";
import { generateTree } from "../../../local/google/generated_tree.ts";
import { createServiceAccount } from "../../../local/google/service_account.ts";
import type { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { fc } from "../../support/properties.ts";
import { OWNER, plant, setUp } from "./emulator_setup.ts";
import { pathOf, runListing } from "./run_listing.ts";

Deno.test("a service account obtains a token, and one with another's key does not", async () => {
  const { key, token } = await setUp();
  ok(await token());
  const { json: other } = await createServiceAccount();
  const forged = { ...key, private_key: other.private_key };
  await rejects(token({}, forged), { code: "credentials_invalid", message: /does not accept the/ });
});

Deno.test("a service account acts for a user once that is allowed", async () => {
  const { key, emulator, token, context } = await setUp();
  const config = { impersonate: OWNER };
  await rejects(token(config), { code: "credentials_invalid", message: /Domain-wide delegation/ });
  emulator.delegate(key.client_id, ["https://www.googleapis.com/auth/drive.metadata.readonly"]);
  const root = emulator.model.account(OWNER).root.id;
  const file = emulator.model.createFile({ name: "mine.pdf", parent: root });
  const listed = await runListing(await context(config));
  equal(pathOf(listed, file.id), "/mine.pdf");
});

Deno.test("an account's own corpus is what is shared with it, without shared drives", async () => {
  const { key, emulator, context } = await setUp();
  const { model } = emulator;
  const root = model.account(OWNER).root.id;
  const shared = model.createFolder({ name: "shared", parent: root });
  model.share(shared.id, key.client_email);
  const within = model.createFile({ name: "within.pdf", parent: shared.id });
  const single = model.createFile({ name: "single.pdf", parent: root });
  model.share(single.id, key.client_email);
  model.createFile({ name: "private.pdf", parent: root });
  model.trash(model.createFile({ name: "trashed.pdf", parent: shared.id }).id);
  const drive = model.createDrive({ name: "Team", members: [key.client_email] });
  model.createFile({ name: "team.pdf", parent: drive.id });

  const listed = await runListing(await context({}));
  deepEqual([...listed.files.keys()].sort(), [single.id, within.id].sort());
  equal(pathOf(listed, within.id), "/shared/within.pdf");
  equal(pathOf(listed, single.id), "/single.pdf");
  deepEqual(listed.skipped, []);
});

Deno.test("a shared drive is listed in full, page by page", async () => {
  const { key, emulator, context } = await setUp();
  const drive = emulator.model.createDrive({ name: "Team", members: [key.client_email] });
  const files = plant(emulator, drive.id, 4);
  const listed = await runListing(await context({ drive_id: drive.id }, 7));
  equal(listed.files.size, files);
  const paths = [...listed.files.keys()].map((id) => pathOf(listed, id));
  ok(paths.includes("/folder 3/deep/deep file.rvt"));
  for (const file of listed.files.values()) {
    ok(file.file_size !== null && file.external_created_at !== null && file.file_type !== null);
    equal(file.file_metadata["drive_id"], drive.id);
  }
  deepEqual(listed.skipped, []);
});

Deno.test("page tokens that die on the way begin the listing again", async () => {
  const { key, emulator, context } = await setUp();
  const drive = emulator.model.createDrive({ name: "Team", members: [key.client_email] });
  const files = plant(emulator, drive.id, 4);
  const base = await context({ drive_id: drive.id }, 7);
  let laterPages = 0;
  const getJson = (url: URL) => {
    if (url.searchParams.has("pageToken")) {
      laterPages++;
      if (laterPages === 1 || laterPages === 4) emulator.control.expirePageTokens();
    }
    return base.getJson(url);
  };
  const listed = await runListing({ ...base, getJson });
  equal(listed.files.size, files);
  equal(listed.receipt["restarts"], 2);
});

Deno.test("folders are walked wherever they lie", async () => {
  const { key, emulator, context } = await setUp();
  const { model } = emulator;
  const mine = model.createFolder({ name: "mine", parent: model.account(OWNER).root.id });
  model.share(mine.id, key.client_email);
  const member = model.createDrive({ name: "Member", members: [key.client_email] });
  const inside = model.createFolder({ name: "inside", parent: member.id });
  const stranger = model.createDrive({ name: "Stranger", members: [OWNER] });
  const shown = model.createFolder({ name: "shown", parent: stranger.id });
  model.share(shown.id, key.client_email);
  const files = [mine, inside, shown].map((folder) => plant(emulator, folder.id, 3));

  const config = { folder_ids: [mine.id, inside.id, shown.id] };
  const listed = await runListing(await context(config, 5), 4);
  equal(listed.files.size, files.reduce((sum, count) => sum + count, 0));
  deepEqual(listed.skipped, []);
  equal(listed.receipt["folders_read"], listed.folders.size);
  deepEqual(listed.start.feeds.map(({ key }) => key), ["user", `drive:${member.id}`]);
});

Deno.test("a folder named together with its shared drive is walked in it", async () => {
  const { key, emulator, context } = await setUp();
  const drive = emulator.model.createDrive({ name: "Team", members: [key.client_email] });
  const folder = emulator.model.createFolder({ name: "inside", parent: drive.id });
  const files = plant(emulator, folder.id, 3);
  const config = { drive_id: drive.id, folder_id: folder.id };
  equal((await runListing(await context(config))).files.size, files);
});

for (const mode of ["empty", "partial"] as const) {
  Deno.test(`grouped searches that come back ${mode} lose no file`, async () => {
    const { key, emulator, context } = await setUp();
    const drive = emulator.model.createDrive({ name: "Team", members: [key.client_email] });
    const folder = emulator.model.createFolder({ name: "inside", parent: drive.id });
    const files = plant(emulator, folder.id, 4);
    emulator.control.addFault({ fault: { type: "grouped_parents", mode }, times: null });
    const listed = await runListing(await context({ folder_id: folder.id }, 6));
    equal(listed.files.size, files);
    ok((listed.receipt["groups_asked_again"] ?? 0) > 0);
    equal(listed.receipt["folders_read"], listed.folders.size);
    deepEqual(listed.skipped, []);
  });
}

Deno.test("pages with repeated entries and empty pages lose no file and double none", async () => {
  const { key, emulator, context } = await setUp();
  const drive = emulator.model.createDrive({ name: "Team", members: [key.client_email] });
  const files = plant(emulator, drive.id, 4);
  emulator.control.addFault({ fault: { type: "duplicates", count: 3 }, times: 4 });
  emulator.control.addFault({ fault: { type: "empty_page" }, skip: 2, times: 2 });
  const listed = await runListing(await context({ drive_id: drive.id }, 7));
  equal(listed.files.size, files);
});

Deno.test("an incomplete search is reported", async () => {
  const { key, emulator, context } = await setUp();
  const drive = emulator.model.createDrive({ name: "Team", members: [key.client_email] });
  plant(emulator, drive.id, 2);
  emulator.control.addFault({ fault: { type: "incomplete_search" } });
  const listed = await runListing(await context({ drive_id: drive.id }));
  deepEqual(listed.skipped.map(({ external_folder_id, code }) => [external_folder_id, code]), [
    [drive.id, "listing_incomplete"],
  ]);
  equal(listed.receipt["incomplete_searches"], 1);
});

Deno.test("a folder that is taken away during the walk is reported and stops no other", async () => {
  const { key, emulator, context } = await setUp();
  const { model } = emulator;
  const root = model.account(OWNER).root.id;
  const [lost, kept] = ["lost", "kept"].map((name) => model.createFolder({ name, parent: root }));
  ok(lost !== undefined && kept !== undefined);
  for (const folder of [lost, kept]) model.share(folder.id, key.client_email);
  const file = model.createFile({ name: "kept.pdf", parent: kept.id });
  const base = await context({ folder_ids: [lost.id, kept.id] });
  const getJson = (url: URL) => {
    if (url.searchParams.has("q")) model.unshare(lost.id, key.client_email);
    return base.getJson(url);
  };
  const listed = await runListing({ ...base, getJson });
  deepEqual([...listed.files.keys()], [file.id]);
  deepEqual(listed.skipped.map(({ external_folder_id, code }) => [external_folder_id, code]), [
    [lost.id, "scope_not_found"],
  ]);
});

Deno.test("what is not shared is explained with the address to share it with", async () => {
  const { key, emulator, context } = await setUp();
  const hidden = emulator.model.createFolder({
    name: "hidden",
    parent: emulator.model.account(OWNER).root.id,
  });
  const drive = emulator.model.createDrive({ name: "Team", members: [OWNER] });
  for (const config of [{ folder_id: hidden.id }, { drive_id: drive.id }]) {
    await rejects(runListing(await context(config)), (error: SyncError) => {
      match(error.message, new RegExp(`share it with ${key.client_email}`));
      return error.code === "scope_not_found";
    });
  }
});

Deno.test("quota and permission are told apart", async () => {
  const { emulator, context } = await setUp();
  const faults = [
    [{ status: 403, reason: "userRateLimitExceeded" }, "rate_limited"],
    [{ status: 403, reason: "insufficientFilePermissions" }, "access_denied"],
    [{ status: 429 }, "rate_limited"],
    [{ status: 403, reason: "dailyLimitExceeded" }, "quota_exhausted"],
    [{ status: 503 }, "unavailable"],
  ] as const;
  for (const [fault, code] of faults) {
    const listing = await context({});
    emulator.control.addFault({ fault: { type: "status", ...fault }, method: "files.get" });
    await rejects(runListing(listing), { code });
    emulator.control.clearFaults();
  }
});

for (const [pageSize, mayBeCut] of [[1000, true], [100, true], [20, true], [10, false]] as const) {
  Deno.test(`windows bring all of 5,000 files, ${pageSize} to a page`, async () => {
    const { key, emulator, context } = await setUp();
    const { model } = emulator;
    const drive = model.createDrive({ name: "Team", members: [key.client_email] });
    generateTree(model, { parent: drive.id, files: 5000 });
    const ids = [...model.items.values()].filter(({ children }) => children === null)
      .map(({ id }) => id);
    const listed = await runListing(await context({ drive_id: drive.id }, pageSize, 7));
    deepEqual([...listed.files.keys()].sort(), ids.sort());
    equal((listed.receipt["windows_cut"] ?? 0) > 0, mayBeCut);
    // Reading twice what led to a cut stays the smaller part of the work.
    ok((listed.receipt["items"] ?? 0) < 2 * 5100);
    deepEqual(listed.skipped, []);
  });
}

Deno.test("windows bring all files though page tokens die and pages repeat", async () => {
  const { key, emulator, context } = await setUp();
  const { model, control } = emulator;
  const drive = model.createDrive({ name: "Team", members: [key.client_email] });
  generateTree(model, { parent: drive.id, files: 2000 });
  control.addFault({ fault: { type: "duplicates", count: 3 }, skip: 5, times: 10 });
  control.addFault({ fault: { type: "empty_page" }, skip: 9, times: 5 });
  const base = await context({ drive_id: drive.id }, 50, 3);
  let calls = 0;
  const getJson = (url: URL) => {
    calls++;
    if (url.searchParams.has("pageToken") && calls % 23 === 0) control.expirePageTokens();
    return base.getJson(url);
  };
  const listed = await runListing({ ...base, getJson });
  equal(listed.files.size, 2000);
  ok((listed.receipt["restarts"] ?? 0) > 0 && (listed.receipt["windows_cut"] ?? 0) > 0);
});

Deno.test("windows bring all files however many were created at one instant", async () => {
  const drives = fc.record({
    // What was copied in one go has few times, and the cuts fall on them.
    instants: fc.integer({ min: 1, max: 9 }),
    apartMs: fc.constantFrom(1, 1000, 40 * 86_400_000),
    folders: fc.integer({ min: 0, max: 40 }),
    files: fc.integer({ min: 20, max: 160 }),
    pageSize: fc.integer({ min: 4, max: 16 }),
    idleLanes: fc.integer({ min: 2, max: 7 }),
  });
  let cut = 0;
  await fc.assert(
    fc.asyncProperty(drives, async (each) => {
      const count = each.folders + each.files;
      const isLater = (n: number) => (n * 7) % each.instants === 0;
      let agoMs = Array.from({ length: count }, (_, n) => isLater(n) ? each.apartMs : 0)
        .reduce((total, ms) => total + ms, 0);
      const endMs = Date.now();
      const model = new DriveModel({ now: () => endMs - agoMs });
      const { key, context } = await setUp(model);
      const parent = model.createDrive({ name: "Team", members: [key.client_email] }).id;
      const made: string[] = [];
      for (let n = 0; n < count; n++) {
        if (n % 4 === 0 && n < 4 * each.folders) model.createFolder({ name: `${n}`, parent });
        else made.push(model.createFile({ name: `${n}.txt`, parent }).id);
        agoMs -= isLater(n) ? each.apartMs : 0;
      }
      const read = await context({ drive_id: parent }, each.pageSize, each.idleLanes);
      const listed = await runListing(read);
      deepEqual([...listed.files.keys()].sort(), made.sort());
      cut += listed.receipt["windows_cut"] ?? 0;
    }),
    { numRuns: 60 },
  );
  ok(cut > 20, `${cut} cuts`);
});
