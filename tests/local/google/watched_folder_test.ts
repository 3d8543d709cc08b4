import assert from "node:assert/strict";
import { createDriveEmulator, type DriveEmulator } from "../../../local/google/emulator.ts";
import { DriveModel } from "../../../local/google/drive_model.ts";
import { type WatchedFolder, watchFolder } from "../../../local/google/watched_folder.ts";
import { asObject, type Body, drainChanges, get, names, OWNER, startToken } from "./support.ts";

interface Served {
  readonly emulator: DriveEmulator;
  readonly directory: string;
  readonly folder: WatchedFolder;
}

/** Serves a directory that holds a file, a folder with a file, and things to be left out. */
async function withServed(
  rescanIntervalMs: number,
  test: (served: Served) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  await Deno.writeTextFile(`${directory}/a.txt`, "hello");
  await Deno.mkdir(`${directory}/sub`);
  await Deno.writeTextFile(`${directory}/sub/b.pdf`, "pdf");
  await Deno.mkdir(`${directory}/node_modules`);
  await Deno.writeTextFile(`${directory}/node_modules/left_out.js`, "");
  await Deno.symlink(directory, `${directory}/sub/circle`);
  const { model, parent } = modelWithRoot();
  const folder = await watchFolder(model, { directory, parent, rescanIntervalMs });
  try {
    await test({ emulator: createDriveEmulator({ model }), directory, folder });
  } finally {
    await folder.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

function modelWithRoot() {
  const model = new DriveModel();
  return { model, parent: model.addAccount({ email: OWNER }).root.id };
}

/** Reads the feed until `isEnough` says so. */
async function changesUntil(
  emulator: DriveEmulator,
  token: string,
  isEnough: (changes: readonly Body[]) => boolean,
): Promise<Body[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { changes } = await drainChanges(emulator, OWNER, token);
    if (isEnough(changes)) return changes;
    if (Date.now() > deadline) throw new Error(`Not seen in time: ${JSON.stringify(changes)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function nameOf(change: Body): string {
  return change["file"] === undefined ? "removed" : String(asObject(change["file"])["name"]);
}

Deno.test("A watched folder serves what lies in it, and nothing that is to be left out", async () => {
  await withServed(60_000, async ({ emulator, directory }) => {
    assert.deepEqual(await names(emulator, OWNER), ["a.txt", "b.pdf", "sub"]);
    const body = await get(emulator, OWNER, "files", { q: "name = 'a.txt'", fields: "files" });
    const [file] = Array.isArray(body["files"]) ? body["files"].map(asObject) : [];
    const { mtime } = await Deno.stat(`${directory}/a.txt`);
    assert.equal(file?.["size"], "5");
    assert.equal(file?.["mimeType"], "text/plain");
    assert.equal(file?.["modifiedTime"], mtime?.toISOString());
  });
});

Deno.test("A file added on disk appears in the changes", async () => {
  await withServed(60_000, async ({ emulator, directory }) => {
    const token = await startToken(emulator, OWNER);
    await Deno.mkdir(`${directory}/new/inner`, { recursive: true });
    await Deno.writeTextFile(`${directory}/new/inner/c.csv`, "1,2");
    const has = (name: string) => (changes: readonly Body[]) =>
      changes.some((change) => nameOf(change) === name);
    const changes = await changesUntil(emulator, token, has("c.csv"));
    assert.deepEqual(changes.map(nameOf).sort(), ["c.csv", "inner", "new"]);
  });
});

Deno.test("Edits, renames, moves and deletions on disk keep the ids they should", async () => {
  // Each rescan is asked for, so that each step is seen alone.
  await withServed(60_000, async ({ emulator, directory, folder }) => {
    const { model } = emulator;
    const idOf = (name: string) =>
      [...model.items.values()].find((item) => item.name === name)?.id ?? "";
    const [a, b, sub] = [idOf("a.txt"), idOf("b.pdf"), idOf("sub")];
    await Deno.writeTextFile(`${directory}/a.txt`, "hello again");
    await folder.rescan();
    assert.equal(model.item(a).size, "11");
    await Deno.rename(`${directory}/sub`, `${directory}/renamed`);
    await folder.rescan();
    assert.equal(model.item(sub).name, "renamed");
    assert.equal(model.item(b).parents[0]?.id, sub);
    await Deno.rename(`${directory}/a.txt`, `${directory}/renamed/a2.txt`);
    await folder.rescan();
    assert.equal(model.item(a).name, "a2.txt");
    assert.equal(model.item(a).parents[0]?.id, sub);
    await Deno.remove(`${directory}/renamed`, { recursive: true });
    await Deno.writeTextFile(`${directory}/renamed`, "now a file");
    await folder.rescan();
    assert.deepEqual(await names(emulator, OWNER), ["renamed"]);
    for (const id of [a, b, sub]) assert.equal(model.items.has(id), false);
  });
});

Deno.test("The same directory has the same ids in every run", async () => {
  await withServed(60_000, async ({ emulator, directory, folder }) => {
    const again = modelWithRoot();
    const second = await watchFolder(again.model, { directory, parent: again.parent });
    assert.equal(second.size, folder.size);
    assert.deepEqual([...again.model.items.keys()], [...emulator.model.items.keys()]);
    await second.stop();
  });
});
