import assert from "node:assert/strict";
import { createDriveEmulator } from "../../../local/google/emulator.ts";
import { DriveModel } from "../../../local/google/drive_model.ts";
import { generateTree } from "../../../local/google/generated_tree.ts";
import { asArray, get, OWNER } from "./support.ts";

function generated(files: number, seed = 1): DriveModel {
  const model = new DriveModel({ seed });
  const account = model.addAccount({ email: OWNER });
  generateTree(model, { parent: account.root.id, files, seed });
  return model;
}

function portrait(model: DriveModel): unknown {
  return [...model.items.values()].filter((item) => !item.isRoot).map((item) => [
    item.id,
    item.name,
    item.size,
    item.createdMs,
    item.modifiedMs,
    item.parents.map((parent) => parent.id),
  ]);
}

Deno.test("generateTree() makes the same tree from the same seed", () => {
  assert.deepEqual(portrait(generated(500)), portrait(generated(500)));
  assert.notDeepEqual(portrait(generated(500)), portrait(generated(500, 2)));
});

Deno.test("generateTree() makes as many files as asked, in folders, without change entries", () => {
  const model = generated(1234);
  const items = [...model.items.values()].filter((item) => !item.isRoot);
  assert.equal(items.filter((item) => item.children === null).length, 1234);
  assert.equal(items.filter((item) => item.children !== null).length, 25);
  assert.equal(model.logs.log(`user:${OWNER}`).size, 0);
});

Deno.test("A tree of 200,000 files is listed whole, and in createdTime windows", async () => {
  const emulator = createDriveEmulator({ model: generated(200_000) });
  const count = async (q: string) => {
    let total = 0;
    for (let token: unknown = "";;) {
      const page = await get(emulator, OWNER, "files", {
        q,
        pageSize: "1000",
        fields: "nextPageToken,files(id)",
        ...(typeof token === "string" && token !== "" ? { pageToken: token } : {}),
      });
      total += asArray(page["files"]).length;
      token = page["nextPageToken"];
      if (token === undefined) return total;
    }
  };
  assert.equal(await count("trashed = false"), 204_000);
  const split = "'2021-01-01T00:00:00Z'";
  const before = await count(`trashed = false and createdTime < ${split}`);
  const after = await count(`trashed = false and createdTime >= ${split}`);
  assert.equal(before + after, 204_000);
  assert.ok(before > 90_000 && after > 90_000);
});
