import assert from "node:assert/strict";
import type { DriveEmulator } from "../../../local/google/emulator.ts";
import {
  asArray,
  asObject,
  call,
  emulatorWithUsers,
  get,
  names,
  OWNER,
  READER,
  refusal,
} from "./support.ts";

const ALL_DRIVES = { includeItemsFromAllDrives: "true", supportsAllDrives: "true" };

function ownerRoot(emulator: DriveEmulator): string {
  return emulator.model.account(OWNER).root.id;
}

function emulatorWithFiles(count: number): DriveEmulator {
  const emulator = emulatorWithUsers();
  for (let index = 0; index < count; index++) {
    emulator.model.createFile({ name: `f${index}`, parent: ownerRoot(emulator) });
  }
  return emulator;
}

async function allPages(
  emulator: DriveEmulator,
  query: Readonly<Record<string, string>>,
  between: () => void = () => {},
): Promise<string[]> {
  const found: string[] = [];
  let token: string | null = "";
  while (token !== null) {
    const body = await get(emulator, OWNER, "files", {
      ...query,
      ...(token === "" ? {} : { pageToken: token }),
    });
    found.push(...asArray(body["files"]).map((file) => String(asObject(file)["name"])));
    between();
    token = typeof body["nextPageToken"] === "string" ? body["nextPageToken"] : null;
  }
  return found;
}

Deno.test("files.list gives every file once over its pages, in every order", async () => {
  const emulator = emulatorWithFiles(25);
  for (const orderBy of [undefined, "name", "name_natural desc", "folder,modifiedTime desc"]) {
    const query = { pageSize: "10", ...(orderBy === undefined ? {} : { orderBy }) };
    const found = await allPages(emulator, query);
    assert.equal(found.length, 25);
    assert.equal(new Set(found).size, 25);
  }
  assert.deepEqual((await allPages(emulator, { orderBy: "name_natural" })).slice(9, 12), [
    "f9",
    "f10",
    "f11",
  ]);
});

Deno.test("files.list stops at the first page when fields leaves nextPageToken out", async () => {
  const found = await allPages(emulatorWithFiles(25), { pageSize: "10", fields: "files(name)" });
  assert.equal(found.length, 10);
});

Deno.test("A file deleted or added between two pages shifts nothing else", async () => {
  const emulator = emulatorWithFiles(30);
  let turn = 0;
  const found = await allPages(emulator, { pageSize: "10" }, () => {
    if (turn++ > 0) return;
    const newest = [...emulator.model.items.values()].find((item) => item.name === "f29");
    emulator.model.delete(newest?.id ?? "");
    emulator.model.createFile({ name: "new", parent: ownerRoot(emulator) });
  });
  assert.equal(new Set(found).size, 30);
  assert.equal(found.includes("new"), false);
});

Deno.test("A page token is good for its own search and account alone", async () => {
  const emulator = emulatorWithFiles(25);
  const body = await get(emulator, OWNER, "files", { pageSize: "10", q: "trashed = false" });
  const pageToken = String(body["nextPageToken"]);
  const same = { pageSize: "20", q: "trashed = false", fields: "files(id)", pageToken };
  assert.equal((await call(emulator, OWNER, "files", same)).status, 200);
  const others = [
    { q: "trashed=false" },
    { q: "trashed = false", orderBy: "name" },
    { q: "trashed = false", ...ALL_DRIVES },
    {},
  ];
  for (const query of others) {
    assert.equal(
      await refusal(emulator, OWNER, "files", { ...query, pageToken }),
      "400 invalid pageToken",
    );
  }
  const query = { q: "trashed = false", pageToken };
  assert.equal(await refusal(emulator, READER, "files", query), "400 invalid pageToken");
  const forged = { ...query, pageToken: pageToken.slice(0, -1) };
  assert.equal(await refusal(emulator, OWNER, "files", forged), "400 invalid pageToken");
  emulator.control.expirePageTokens();
  assert.equal(await refusal(emulator, OWNER, "files", query), "400 invalid pageToken");
});

Deno.test("files.list checks its parameters", async () => {
  const emulator = emulatorWithFiles(1);
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ pageSize: "0" }, "400 invalidParameter pageSize"],
    [{ pageSize: "1001" }, "400 invalidParameter pageSize"],
    [{ pageSize: "ten" }, "400 invalidParameter pageSize"],
    [{ supportsAllDrives: "yes" }, "400 invalidParameter supportsAllDrives"],
    [{ corpora: "all" }, "400 invalidParameter corpora"],
    [{ nonsense: "1" }, "400 invalidParameter nonsense"],
    [{ fields: "files(id,title)" }, "400 invalidParameter fields"],
    [{ q: "title = 'a'" }, "400 invalid q"],
    [{ orderBy: "size" }, "400 invalid orderBy"],
    [{ spaces: "attic" }, "400 invalidParameter spaces"],
    [{ corpora: "drive", ...ALL_DRIVES }, "400 teamDriveIdRequiresTeamDriveCorpora"],
    [{ driveId: "x", ...ALL_DRIVES }, "400 teamDriveIdRequiresTeamDriveCorpora"],
    [{ corpora: "allDrives" }, "403 teamDriveIncludeItemsRequired includeItemsFromAllDrives"],
    [{ corpora: "drive", driveId: "x", ...ALL_DRIVES }, "404 notFound driveId"],
    [{ q: "'nowhere' in parents" }, "404 notFound fileId"],
    [{ q: "'root' in parents or 'nowhere' in parents" }, "404 notFound fileId"],
  ];
  for (const [query, expected] of cases) {
    assert.equal(await refusal(emulator, OWNER, "files", query), expected);
  }
  assert.equal(await refusal(emulator, OWNER, "elsewhere"), "404 notFound");
});

Deno.test("Access is inherited, and a parent out of sight is not named", async () => {
  const emulator = emulatorWithUsers();
  const { model } = emulator;
  const outer = model.createFolder({ name: "outer", parent: ownerRoot(emulator) });
  const shared = model.createFolder({ name: "shared", parent: outer.id });
  const inner = model.createFolder({ name: "inner", parent: shared.id });
  const file = model.createFile({ name: "deep.txt", parent: inner.id });
  assert.deepEqual(await names(emulator, READER), []);
  assert.equal(await refusal(emulator, READER, `files/${file.id}`), "404 notFound fileId");
  model.share(shared.id, READER);
  assert.deepEqual(await names(emulator, READER), ["deep.txt", "inner", "shared"]);
  assert.deepEqual(await names(emulator, READER, { q: "sharedWithMe" }), ["shared"]);
  const top = await get(emulator, READER, `files/${shared.id}`, { fields: "*" });
  assert.equal(top["parents"], undefined);
  assert.equal(top["ownedByMe"], false);
  const below = await get(emulator, READER, `files/${file.id}`, { fields: "parents,owners" });
  assert.deepEqual(below["parents"], [inner.id]);
  model.unshare(shared.id, READER);
  assert.deepEqual(await names(emulator, READER), []);
});

Deno.test("Trash cascades, and trashed files are listed unless asked otherwise", async () => {
  const emulator = emulatorWithUsers();
  const folder = emulator.model.createFolder({ name: "folder", parent: ownerRoot(emulator) });
  const file = emulator.model.createFile({ name: "file", parent: folder.id });
  emulator.model.trash(folder.id);
  assert.deepEqual(await names(emulator, OWNER), ["file", "folder"]);
  assert.deepEqual(await names(emulator, OWNER, { q: "trashed = false" }), []);
  const fields = "trashed,explicitlyTrashed";
  assert.deepEqual(await get(emulator, OWNER, `files/${file.id}`, { fields }), {
    trashed: true,
    explicitlyTrashed: false,
  });
  emulator.model.untrash(folder.id);
  assert.deepEqual(await names(emulator, OWNER, { q: "trashed = false" }), ["file", "folder"]);
});

Deno.test("A shared drive is seen by its members, with both booleans", async () => {
  const emulator = emulatorWithUsers();
  const drive = emulator.model.createDrive({ name: "Team", members: [READER] });
  const folder = emulator.model.createFolder({ name: "folder", parent: drive.id });
  const file = emulator.model.createFile({ name: "file.pdf", parent: folder.id });
  const query = { corpora: "drive", driveId: drive.id, ...ALL_DRIVES };
  assert.deepEqual(await names(emulator, READER, query), ["file.pdf", "folder"]);
  assert.deepEqual(await names(emulator, READER), []);
  assert.deepEqual(await names(emulator, READER, ALL_DRIVES), []);
  assert.deepEqual(await names(emulator, READER, { corpora: "allDrives", ...ALL_DRIVES }), [
    "file.pdf",
    "folder",
  ]);
  const q = `'${folder.id}' in parents`;
  assert.deepEqual(await names(emulator, READER, { q, ...ALL_DRIVES }), ["file.pdf"]);
  assert.deepEqual(await names(emulator, READER, { q, supportsAllDrives: "true" }), []);
  assert.equal(await refusal(emulator, READER, "files", { q }), "404 notFound fileId");
  assert.equal(await refusal(emulator, READER, `files/${file.id}`), "404 notFound fileId");
  assert.equal(await refusal(emulator, OWNER, "files", query), "404 notFound driveId");
  const item = await get(emulator, READER, `files/${file.id}`, {
    supportsAllDrives: "true",
    fields: "*",
  });
  assert.equal(item["driveId"], drive.id);
  for (const field of ["owners", "ownedByMe", "shared"]) assert.equal(item[field], undefined);
});

Deno.test("files.get gives each kind of item its own fields", async () => {
  const emulator = emulatorWithUsers();
  const { model } = emulator;
  const root = ownerRoot(emulator);
  const file = model.createFile({ name: "a.tar.gz", parent: root, size: "9007199254740993" });
  const document = model.createFile({
    name: "Notes",
    parent: root,
    mimeType: "application/vnd.google-apps.document",
    size: null,
  });
  const shortcut = model.createShortcut({ name: "to a", parent: root, target: file.id });
  model.rename(file.id, "plain");
  const blob = await get(emulator, OWNER, `files/${file.id}`, { fields: "*" });
  assert.equal(blob["size"], "9007199254740993");
  assert.equal(blob["fullFileExtension"], "tar.gz");
  assert.equal(blob["fileExtension"], "gz");
  assert.equal(blob["originalFilename"], "a.tar.gz");
  assert.match(String(blob["md5Checksum"]), /^[0-9a-f]{32}$/);
  assert.match(String(blob["createdTime"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(blob["parents"], [root]);
  const editor = await get(emulator, OWNER, `files/${document.id}`, { fields: "*" });
  for (const field of ["size", "md5Checksum", "headRevisionId", "webContentLink"]) {
    assert.equal(editor[field], undefined);
  }
  assert.match(String(editor["webViewLink"]), /^https:\/\/docs\.google\.com\/document\/d\//);
  const link = await get(emulator, OWNER, `files/${shortcut.id}`, { fields: "shortcutDetails" });
  assert.deepEqual(link["shortcutDetails"], {
    targetId: file.id,
    targetMimeType: "application/gzip",
  });
  assert.equal((await get(emulator, OWNER, "files/root"))["id"], root);
});

Deno.test("drives.list and drives.get need a scope that metadata does not hold", async () => {
  const emulator = emulatorWithUsers();
  const drive = emulator.model.createDrive({ name: "Team", members: [READER] });
  const refused = "403 insufficientPermissions";
  assert.equal(await refusal(emulator, READER, "drives"), refused);
  assert.equal(await refusal(emulator, READER, `drives/${drive.id}`), refused);
  const scope = "https://www.googleapis.com/auth/drive.readonly";
  const { body } = await call(emulator, READER, `drives/${drive.id}`, {}, scope);
  assert.deepEqual(body, { kind: "drive#drive", id: drive.id, name: "Team" });
  const narrow = "https://www.googleapis.com/auth/drive.file";
  emulator.model.createFile({ name: "a", parent: ownerRoot(emulator) });
  const { body: list } = await call(emulator, OWNER, "files", {}, narrow);
  assert.deepEqual(list["files"], []);
});

Deno.test("about.get wants its fields named", async () => {
  const emulator = emulatorWithUsers();
  assert.equal(await refusal(emulator, OWNER, "about"), "400 required fields");
  const about = await get(emulator, OWNER, "about", { fields: "user(emailAddress,me)" });
  assert.deepEqual(about, { user: { emailAddress: OWNER, me: true } });
});

Deno.test("A call without a good access token is refused with 401", async () => {
  const emulator = emulatorWithUsers();
  const url = "http://drive.test/drive/v3/files";
  const status = async (headers: Record<string, string>) =>
    (await emulator.fetch(url, { headers })).status;
  assert.equal(await status({}), 401);
  assert.equal(await status({ authorization: "Bearer nonsense" }), 401);
  const token = emulator.issueAccessToken(OWNER, [
    "https://www.googleapis.com/auth/drive.metadata.readonly",
  ]);
  assert.equal(await status({ authorization: `Bearer ${token}` }), 200);
  emulator.control.revokeAccessTokens();
  assert.equal(await status({ authorization: `Bearer ${token}` }), 401);
});

Deno.test("A search between two creation times finds what a search of everything finds, in its order", async () => {
  const emulator = emulatorWithFiles(40);
  const everything = await get(emulator, OWNER, "files", { pageSize: "1000", fields: "*" });
  const files = asArray(everything["files"]).map(asObject);
  const times = files.map((file) => String(file["createdTime"])).sort();
  const [from = "", to = ""] = [times[9], times[29]];
  const cases: [string, (time: string) => boolean][] = [
    [`createdTime >= '${from}' and createdTime < '${to}'`, (time) => time >= from && time < to],
    [`trashed = false and createdTime > '${from}'`, (time) => time > from],
    [`createdTime <= '${to}'`, (time) => time <= to],
    [`createdTime = '${from}'`, (time) => time === from],
    [`createdTime != '${from}'`, (time) => time !== from],
    [`not createdTime < '${from}'`, (time) => time >= from],
    [
      `createdTime < '${from}' or createdTime > '${to}'`,
      (time) => time < from || time > to,
    ],
    [`createdTime < '${from}' and createdTime > '${to}'`, () => false],
  ];
  for (const [q, isWanted] of cases) {
    const wanted = files.filter((file) => isWanted(String(file["createdTime"])));
    assert.deepEqual(
      await allPages(emulator, { q, pageSize: "7" }),
      wanted.map((file) => file["name"]),
      q,
    );
  }
  emulator.model.createFile({ name: "late", parent: ownerRoot(emulator) });
  assert.deepEqual(await allPages(emulator, { q: `createdTime > '${times.at(-1)}'` }), ["late"]);
});

Deno.test("files.list shows what changed since, and to each the fields and the view that are theirs", async () => {
  const emulator = emulatorWithUsers();
  const file = emulator.model.createFile({ name: 'before "é"', parent: ownerRoot(emulator) });
  emulator.model.share(file.id, READER);
  const list = async (email: string, fields: string) =>
    (await get(emulator, email, "files", { fields: `files(${fields})` }))["files"];
  assert.deepEqual(await list(OWNER, "name,ownedByMe"), [{ name: 'before "é"', ownedByMe: true }]);
  assert.deepEqual(await list(READER, "name,ownedByMe"), [{
    name: 'before "é"',
    ownedByMe: false,
  }]);
  assert.deepEqual(await list(OWNER, "name"), [{ name: 'before "é"' }]);
  emulator.model.rename(file.id, "after");
  assert.deepEqual(await list(OWNER, "name"), [{ name: "after" }]);
});
