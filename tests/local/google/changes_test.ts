import assert from "node:assert/strict";
import type { DriveEmulator } from "../../../local/google/emulator.ts";
import {
  asArray,
  asObject,
  type Body,
  drainChanges,
  emulatorWithUsers,
  get,
  OWNER,
  READER,
  refusal,
  startToken,
} from "./support.ts";

const ALL_DRIVES = { includeItemsFromAllDrives: "true", supportsAllDrives: "true" };

interface Watched {
  readonly emulator: DriveEmulator;
  readonly root: string;
  /** What the log of somebody tells since the last look, as short texts. */
  look(email?: string): Promise<string[]>;
}

async function watched(query: Readonly<Record<string, string>> = {}): Promise<Watched> {
  const emulator = emulatorWithUsers();
  const tokens = new Map<string, string>();
  for (const email of [OWNER, READER]) tokens.set(email, await startToken(emulator, email));
  return {
    emulator,
    root: emulator.model.account(OWNER).root.id,
    look: async (email = OWNER) => {
      const drained = await drainChanges(emulator, email, tokens.get(email) ?? "", query);
      tokens.set(email, drained.token);
      return drained.changes.map(tell);
    },
  };
}

function tell(change: Body): string {
  if (change["changeType"] === "drive") {
    return change["removed"] ? "drive removed" : `drive ${asObject(change["drive"])["name"]}`;
  }
  if (change["file"] === undefined) return "removed";
  const file = asObject(change["file"]);
  const mark = change["removed"] ? " (left)" : file["trashed"] ? " (trashed)" : "";
  return `${file["name"]}${mark}`;
}

Deno.test("A change log in which nothing happened is left with the token it was entered with", async () => {
  const emulator = emulatorWithUsers();
  const token = await startToken(emulator, OWNER);
  assert.equal(await startToken(emulator, OWNER), token);
  assert.equal((await drainChanges(emulator, OWNER, token, {})).token, token);
  emulator.model.createFile({ name: "a", parent: emulator.model.account(OWNER).root.id });
  assert.notEqual((await drainChanges(emulator, OWNER, token, {})).token, token);
});

Deno.test("A change log tells the state as it is, once for each item", async () => {
  const { emulator, root, look } = await watched();
  const { model } = emulator;
  const file = model.createFile({ name: "a", parent: root });
  model.rename(file.id, "b");
  model.edit(file.id, { size: 5 });
  assert.deepEqual(await look(), ["b"]);
  assert.deepEqual(await look(), []);
  model.trash(file.id);
  assert.deepEqual(await look(), ["b (trashed)"]);
  model.untrash(file.id);
  assert.deepEqual(await look(), ["b"]);
  model.delete(file.id);
  assert.deepEqual(await look(), ["removed"]);
  assert.deepEqual(await look(READER), []);
});

Deno.test("What happens to a folder has no entries for what lies below it", async () => {
  const { emulator, root, look } = await watched();
  const { model } = emulator;
  const other = model.createFolder({ name: "other", parent: root });
  const folder = model.createFolder({ name: "folder", parent: root });
  model.createFile({ name: "file", parent: folder.id });
  await look();
  model.rename(folder.id, "renamed");
  assert.deepEqual(await look(), ["renamed"]);
  model.move(folder.id, other.id);
  assert.deepEqual(await look(), ["renamed"]);
  model.trash(folder.id);
  assert.deepEqual(await look(), ["renamed (trashed)"]);
  model.delete(folder.id);
  assert.deepEqual(await look(), ["removed"]);
});

Deno.test("Sharing appears in the log of who gains it; losing it looks like a deletion", async () => {
  const { emulator, root, look } = await watched();
  const { model } = emulator;
  const folder = model.createFolder({ name: "folder", parent: root });
  const file = model.createFile({ name: "file", parent: folder.id });
  model.share(folder.id, READER);
  assert.deepEqual(await look(READER), ["folder"]);
  model.edit(file.id);
  assert.deepEqual(await look(READER), ["file"]);
  model.unshare(folder.id, READER);
  assert.deepEqual(await look(READER), ["removed"]);
  model.share(folder.id, READER);
  await look(READER);
  model.move(file.id, root);
  assert.deepEqual(await look(READER), ["removed"]);
});

Deno.test("Looking at a file makes an entry though nothing has changed", async () => {
  const { emulator, root, look } = await watched();
  const file = emulator.model.createFile({ name: "file", parent: root });
  await look();
  emulator.model.view(file.id, OWNER);
  assert.deepEqual(await look(), ["file"]);
});

Deno.test("A shared drive has a log of its own; joining and leaving are in the user's", async () => {
  const { emulator, look } = await watched(ALL_DRIVES);
  const { model } = emulator;
  const drive = model.createDrive({ name: "Team", members: [READER] });
  assert.deepEqual(await look(READER), ["drive Team"]);
  const query = { driveId: drive.id, supportsAllDrives: "true" };
  const token = await startToken(emulator, READER, query);
  const file = model.createFile({ name: "file", parent: drive.id });
  model.trash(file.id);
  assert.deepEqual(await look(READER), []);
  const drained = await drainChanges(emulator, READER, token, { ...query, ...ALL_DRIVES });
  assert.deepEqual(drained.changes.map(tell), ["file (trashed)"]);
  model.renameDrive(drive.id, "Crew");
  assert.deepEqual(await look(READER), ["drive Crew"]);
  model.removeMember(drive.id, READER);
  assert.deepEqual(await look(READER), ["drive removed"]);
  const gone = { ...query, ...ALL_DRIVES, pageToken: drained.token };
  assert.equal(await refusal(emulator, READER, "changes", gone), "404 notFound driveId");
});

Deno.test("A file moved into a shared drive leaves the user's log", async () => {
  for (const includeCorpusRemovals of ["false", "true"]) {
    const { emulator, root, look } = await watched({ ...ALL_DRIVES, includeCorpusRemovals });
    const { model } = emulator;
    const drive = model.createDrive({ name: "Team", members: [OWNER] });
    const file = model.createFile({ name: "file", parent: root });
    await look();
    model.move(file.id, drive.id);
    const expected = includeCorpusRemovals === "true" ? "file (left)" : "removed";
    assert.deepEqual(await look(), [expected]);
    model.rename(file.id, "renamed");
    assert.deepEqual(await look(), []);
  }
});

Deno.test("changes.list pages forward, and each token can be used again", async () => {
  const { emulator, root } = await watched();
  const token = await startToken(emulator, OWNER);
  for (let index = 0; index < 25; index++) {
    emulator.model.createFile({ name: `f${index}`, parent: root });
  }
  const { changes, pages } = await drainChanges(emulator, OWNER, token, { pageSize: "10" });
  assert.equal(pages, 3);
  assert.deepEqual(changes.map(tell).slice(0, 2), ["f0", "f1"]);
  assert.equal(new Set(changes.map(tell)).size, 25);
  const again = await drainChanges(emulator, OWNER, token, { pageSize: "25" });
  assert.equal(again.changes.length, 25);
  assert.equal(again.pages, 1);
});

Deno.test("An item that changes between two pages appears again on a later one", async () => {
  const { emulator, root } = await watched();
  const pageToken = await startToken(emulator, OWNER);
  const items = ["a", "b", "c"].map((name) => emulator.model.createFile({ name, parent: root }));
  const query = { fields: "*", pageSize: "2" };
  const first = await get(emulator, OWNER, "changes", { ...query, pageToken });
  emulator.model.rename(items[0]?.id ?? "", "a2");
  const rest = await drainChanges(emulator, OWNER, String(first["nextPageToken"]), query);
  assert.deepEqual(asArray(first["changes"]).map(asObject).map(tell), ["a", "b"]);
  assert.deepEqual(rest.changes.map(tell), ["c", "a2"]);
});

Deno.test("changes.list checks its token and parameters", async () => {
  const { emulator } = await watched();
  const drive = emulator.model.createDrive({ name: "Team", members: [OWNER] });
  const pageToken = await startToken(emulator, OWNER);
  const cases: readonly (readonly [string, Record<string, string>, string])[] = [
    [OWNER, {}, "400 required pageToken"],
    [OWNER, { pageToken: "12" }, "400 invalid pageToken"],
    [READER, { pageToken }, "400 invalid pageToken"],
    [OWNER, { pageToken, driveId: drive.id, ...ALL_DRIVES }, "400 invalid pageToken"],
    [OWNER, { pageToken, pageSize: "1001" }, "400 invalidParameter pageSize"],
    [OWNER, { pageToken, q: "trashed = false" }, "400 invalidParameter q"],
    [READER, { pageToken, driveId: drive.id, ...ALL_DRIVES }, "404 notFound driveId"],
    [
      OWNER,
      { pageToken, driveId: drive.id, supportsAllDrives: "true" },
      "403 teamDriveIncludeItemsRequired includeItemsFromAllDrives",
    ],
  ];
  for (const [email, query, expected] of cases) {
    assert.equal(await refusal(emulator, email, "changes", query), expected);
  }
  const noSupport = await refusal(emulator, OWNER, "changes/startPageToken", { driveId: drive.id });
  assert.equal(noSupport, "404 notFound driveId");
  emulator.control.expireChangeTokens();
  assert.equal(await refusal(emulator, OWNER, "changes", { pageToken }), "400 invalid pageToken");
});

Deno.test("includeRemoved and restrictToMyDrive leave entries out", async () => {
  const { emulator, root } = await watched();
  const { model } = emulator;
  const folder = model.createFolder({ name: "folder", parent: root });
  const ownerToken = await startToken(emulator, OWNER);
  const readerToken = await startToken(emulator, READER);
  model.share(folder.id, READER);
  const gone = model.createFile({ name: "gone", parent: root });
  model.delete(gone.id);
  const owner = await drainChanges(emulator, OWNER, ownerToken, { includeRemoved: "false" });
  assert.deepEqual(owner.changes.map(tell), ["folder"]);
  const reader = await drainChanges(emulator, READER, readerToken, { restrictToMyDrive: "true" });
  assert.deepEqual(reader.changes, []);
});
