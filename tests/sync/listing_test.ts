import assert from "node:assert/strict";
import { arrangeDrive } from "../../local/google/arrangement.ts";
import {
  type DriveSync,
  filesOf,
  OWNER,
  pathsOf,
  stateOf,
  withDriveSync,
} from "../support/drive_sync.ts";

/** A folder shared with the service account. */
function sharedFolder({ drive, account }: DriveSync, name = "Shared"): string {
  return arrangeDrive(drive.model, { layout: "shared_folder", name, owner: OWNER, reader: account })
    .folderId;
}

/** A shared drive with the service account as a member. */
function sharedDrive({ drive, account }: DriveSync, name = "Team"): string {
  return arrangeDrive(drive.model, { layout: "shared_drive", name, owner: OWNER, reader: account })
    .folderId;
}

/** Three levels with four files. */
function fill({ drive: { model } }: DriveSync, parent: string): void {
  model.createFile({ name: "top.txt", parent });
  const plans = model.createFolder({ name: "Plans", parent });
  model.createFile({ name: "a.pdf", parent: plans.id });
  const old = model.createFolder({ name: "Old", parent: plans.id });
  model.createFile({ name: "b.pdf", parent: old.id });
  model.createFolder({ name: "Empty", parent });
  model.createFile({ name: "c.pdf", parent: old.id });
}

const FILLED = ["/Plans/Old/b.pdf", "/Plans/Old/c.pdf", "/Plans/a.pdf", "/top.txt"];

Deno.test("a folder is listed with all that lies below it", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    fill(world, folder);
    world.drive.model.createFile({ name: "elsewhere.txt", parent: sharedFolder(world, "Other") });
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    assert.deepEqual(await pathsOf(world.sql, endpoint), FILLED);
    const { status, files_added, code } = await stateOf(world.sql, endpoint);
    assert.deepEqual({ status, files_added, code }, {
      status: "completed",
      files_added: 4,
      code: null,
    });
  }));

Deno.test("several folders are listed as one scope, each with paths from its own top", () =>
  withDriveSync(async (world) => {
    const [one, two] = [sharedFolder(world, "One"), sharedFolder(world, "Two")];
    world.drive.model.createFile({ name: "1.txt", parent: one });
    world.drive.model.createFile({ name: "2.txt", parent: two });
    const endpoint = await world.add({ folder_ids: [one, two] });
    await world.sync();
    assert.deepEqual(await pathsOf(world.sql, endpoint), ["/1.txt", "/2.txt"]);
  }));

Deno.test("a whole shared drive is listed", () =>
  withDriveSync(async (world) => {
    const drive = sharedDrive(world);
    fill(world, drive);
    const endpoint = await world.add({ drive_id: drive });
    await world.sync();
    assert.deepEqual(await pathsOf(world.sql, endpoint), FILLED);
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  }));

Deno.test("without a scope the account's own corpus is listed: what is shared with it", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    fill(world, folder);
    world.drive.model.createFile({ name: "on a drive.txt", parent: sharedDrive(world) });
    const endpoint = await world.add({ client_id: "x", project_id: "y" });
    await world.sync();
    assert.deepEqual(
      await pathsOf(world.sql, endpoint),
      FILLED.map((path) => `/Shared${path}`),
    );
  }));

Deno.test("every column of files is filled from what Drive says", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    const { model } = world.drive;
    const file = model.createFile({
      name: "Plan.PDF",
      parent: folder,
      size: "9007199254740993",
      createdTime: "2024-02-29T12:34:56.789Z",
      modifiedTime: "2025-03-30T01:30:00.001Z",
    });
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    const [row] = await world.sql`
      select external_file_id, external_parent_id, file_name, file_path, file_link, file_size::text,
        file_type, mime_type, external_created_at, external_updated_at, sync_status, file_metadata,
        deleted_at, deletion_reason
      from public.files where endpoint_id = ${endpoint}`;
    assert.ok(row);
    const { file_link, file_metadata, ...columns } = row;
    assert.deepEqual(columns, {
      external_file_id: file.id,
      external_parent_id: folder,
      file_name: "Plan.PDF",
      file_path: "/Plan.PDF",
      file_size: "9007199254740993",
      file_type: "pdf",
      mime_type: "application/pdf",
      external_created_at: new Date("2024-02-29T12:34:56.789Z"),
      external_updated_at: new Date("2025-03-30T01:30:00.001Z"),
      sync_status: "completed",
      deleted_at: null,
      deletion_reason: null,
    });
    assert.match(file_link, new RegExp(`^https://drive\\.google\\.com/.*${file.id}`));
    assert.match(file_metadata.md5_checksum, /^[0-9a-f]{32}$/);
    assert.equal(file_metadata.owners[0].email_address, OWNER);
  }));

Deno.test("Google documents, shortcuts and files without a size are rows like any other", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    const { model } = world.drive;
    const document = "application/vnd.google-apps.document";
    model.createFile({ name: "Notes", parent: folder, mimeType: document, size: null });
    const target = model.createFile({ name: "target.txt", parent: folder });
    const inner = model.createFolder({ name: "Inner", parent: folder });
    model.createShortcut({ name: "to file", parent: folder, target: target.id });
    model.createShortcut({ name: "to own parent", parent: inner.id, target: folder });
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    const rows = await world.sql`
      select file_path, file_type, file_size::text, file_metadata -> 'shortcut' ->> 'target_id' as target
      from public.files where endpoint_id = ${endpoint} order by file_path collate "C"`;
    assert.deepEqual([...rows], [
      { file_path: "/Inner/to own parent", file_type: "shortcut", file_size: null, target: folder },
      { file_path: "/Notes", file_type: "document", file_size: null, target: null },
      { file_path: "/target.txt", file_type: "txt", file_size: "1024", target: null },
      { file_path: "/to file", file_type: "shortcut", file_size: null, target: target.id },
    ]);
  }));

Deno.test("names may hold anything; a slash is escaped in the path alone", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    const { model } = world.drive;
    const names = [
      "a/b\\c.txt",
      "line\nbreak.txt",
      "👩‍🚀 emoji.txt",
      "x".repeat(251) + ".txt",
      " spaces ",
      "quote'\"%_;--.txt",
      "..",
    ];
    const inner = model.createFolder({ name: "in/out", parent: folder });
    for (const name of names) model.createFile({ name, parent: inner.id });
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    const rows = await filesOf(world.sql, endpoint);
    assert.deepEqual(rows.map(({ file_name }) => file_name).toSorted(), names.toSorted());
    const escaped = (name: string) => name.replaceAll("\\", "\\\\").replaceAll("/", "\\/");
    for (const row of rows) {
      assert.equal(row.file_path, `/in\\/out/${escaped(row.file_name)}`);
    }
  }));

Deno.test("files of one name in one folder are files of their own", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    const ids = [1, 2, 3].map(() =>
      world.drive.model.createFile({ name: "same.txt", parent: folder }).id
    );
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    const rows = await filesOf(world.sql, endpoint);
    assert.deepEqual(
      rows.map(({ external_file_id }) => external_file_id).toSorted(),
      ids.toSorted(),
    );
    assert.ok(rows.every(({ file_path }) => file_path === "/same.txt"));
  }));

Deno.test("a file in two folders of old has one row", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    const { model } = world.drive;
    const [a, b] = ["A", "B"].map((name) => model.createFolder({ name, parent: folder }).id);
    assert.ok(a !== undefined && b !== undefined);
    const file = model.createFile({ name: "legacy.txt", parent: a });
    model.addParent(file.id, b);
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    assert.equal((await filesOf(world.sql, endpoint)).length, 1);
  }));

Deno.test("what is in the trash is not listed", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    const { model } = world.drive;
    fill(world, folder);
    model.trash(model.createFile({ name: "thrown away.txt", parent: folder }).id);
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    assert.deepEqual(await pathsOf(world.sql, endpoint), FILLED);
  }));

Deno.test("file_types lets only what it names become rows", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    fill(world, folder);
    const endpoint = await world.add({ folder_id: folder }, {
      file_types: world.sql.json([".TXT"]),
    });
    await world.sync();
    assert.deepEqual(await pathsOf(world.sql, endpoint), ["/top.txt"]);
  }));

Deno.test("a second full listing of an unchanged drive writes no row of files", () =>
  withDriveSync(async (world) => {
    const drive = sharedDrive(world);
    fill(world, drive);
    const folder = sharedFolder(world);
    fill(world, folder);
    const flat = await world.add({ drive_id: drive });
    const walked = await world.add({ folder_id: folder });
    await world.sync();
    const versions = () =>
      world.sql`select id, xmin::text, ctid::text, updated_at from public.files order by id`;
    const before = await versions();
    assert.equal(before.length, 8);
    for (const endpoint of [flat, walked]) {
      await world.sql`select public.request_sync(${endpoint}, 'full')`;
    }
    await world.sync();
    assert.deepEqual([...await versions()], [...before]);
    const { files_unchanged, files_added, files_updated } = await stateOf(world.sql, walked);
    assert.deepEqual(
      { files_unchanged, files_added, files_updated },
      { files_unchanged: 4, files_added: 0, files_updated: 0 },
    );
  }));

Deno.test("a full listing brings edits, renames and moves", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    const { model } = world.drive;
    const plans = model.createFolder({ name: "Plans", parent: folder });
    const a = model.createFile({ name: "a.txt", parent: plans.id, size: 1 });
    const b = model.createFile({ name: "b.txt", parent: folder });
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    model.edit(a.id, { size: 2 });
    model.rename(plans.id, "Drawings");
    model.move(b.id, plans.id);
    await world.sql`select public.request_sync(${endpoint}, 'full')`;
    await world.sync();
    assert.deepEqual(await pathsOf(world.sql, endpoint), ["/Drawings/a.txt", "/Drawings/b.txt"]);
    const [row] = await world.sql`
      select file_size::text from public.files where external_file_id = ${a.id}`;
    assert.equal(row?.file_size, "2");
  }));

Deno.test("max_files_per_sync spreads a first listing over several runs and loses nothing", () =>
  withDriveSync(async (world) => {
    const drive = sharedDrive(world);
    for (let n = 0; n < 25; n++) world.drive.model.createFile({ name: `${n}.txt`, parent: drive });
    const endpoint = await world.add({ drive_id: drive }, { max_files_per_sync: 10 });
    const seen: { files: number; status: string }[] = [];
    for (let run = 0; run < 3; run++) {
      await world.sync();
      const { status } = await stateOf(world.sql, endpoint);
      seen.push({ files: (await filesOf(world.sql, endpoint)).length, status });
    }
    assert.deepEqual(seen, [
      { files: 10, status: "partial" },
      { files: 20, status: "partial" },
      { files: 25, status: "completed" },
    ]);
  }));

Deno.test("the access token is stored sealed and used again by the next sync", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    fill(world, folder);
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    await world.sync();
    assert.equal(world.drive.control.counters().calls["token"], 1);
    const [row] = await world.sql`
      select access_token, is_active from public.oauth_tokens where endpoint_id = ${endpoint}`;
    assert.equal(row?.is_active, true);
    assert.match(row?.access_token, /^eyJ[\w-]*\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
  }));

Deno.test("a revoked access token is replaced within the same slice", () =>
  withDriveSync(async (world) => {
    const folder = sharedFolder(world);
    fill(world, folder);
    const endpoint = await world.add({ folder_id: folder });
    await world.sync();
    world.drive.control.revokeAccessTokens();
    await world.sync();
    assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
    assert.equal(world.drive.control.counters().calls["token"], 2);
  }));
