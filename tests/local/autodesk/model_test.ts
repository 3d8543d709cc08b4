import assert from "node:assert/strict";
import type { ApsModel } from "../../../local/autodesk/aps_model.ts";
import { tipOf } from "../../../local/autodesk/aps_types.ts";
import { generateTree } from "../../../local/autodesk/generated_tree.ts";
import { filesInScope } from "../../../local/autodesk/scope_view.ts";
import { accountWithProject, asObject, attribute, CLIENT, data, get } from "./support.ts";

/** Does something a minute later and tells which of the folders have a newer rollup. */
function moved(
  { model, clock }: { model: ApsModel; clock: { nowMs: number } },
  folders: readonly string[],
  act: () => void,
): string[] {
  clock.nowMs += 60_000;
  act();
  return folders.filter((id) => model.folder(id).rollupMs === clock.nowMs)
    .map((id) => model.folder(id).name);
}

function accountWithFolders() {
  const account = accountWithProject();
  const { model, folderId } = account;
  const left = model.createFolder({ parent: folderId, name: "Left" });
  const right = model.createFolder({ parent: folderId, name: "Right" });
  const item = model.createItem({ parent: left.id, name: "a.pdf", size: 10 });
  return { ...account, left, right, item, all: [folderId, left.id, right.id] };
}

Deno.test("A change moves the rollups of the folders above it, up to the root", () => {
  const account = accountWithFolders();
  const { model, left, right, item, all, rootFolderId } = account;
  const is = (act: () => void) => moved(account, all, act);
  assert.deepEqual(is(() => model.addVersion(item.id)), ["Project Files", "Left"]);
  assert.equal(model.folder(rootFolderId).rollupMs, account.clock.nowMs);
  assert.deepEqual(is(() => model.finishProcessing(item.id)), ["Project Files", "Left"]);
  assert.deepEqual(is(() => model.rename(item.id, "b.pdf")), ["Project Files", "Left"]);
  assert.deepEqual(is(() => model.move(item.id, right.id)), ["Project Files", "Left", "Right"]);
  assert.deepEqual(is(() => model.delete(item.id)), ["Project Files", "Right"]);
  assert.deepEqual(is(() => model.restore(item.id)), ["Project Files", "Right"]);
  assert.deepEqual(is(() => model.delete(left.id)), ["Project Files", "Left"]);
  assert.deepEqual(is(() => model.denyAccess(right.id, CLIENT)), []);
});

Deno.test("Whether deletions and departures move the rollup can be chosen", () => {
  const account = accountWithFolders();
  const { model, right, item, all } = account;
  model.setRollupRules({ delete: false, moveOut: false, folderHide: false, permission: true });
  const is = (act: () => void) => moved(account, all, act);
  assert.deepEqual(is(() => model.move(item.id, right.id)), ["Project Files", "Right"]);
  assert.deepEqual(is(() => model.delete(item.id)), []);
  assert.deepEqual(is(() => model.restore(item.id)), []);
  assert.deepEqual(is(() => model.delete(right.id)), []);
  assert.deepEqual(is(() => model.denyAccess(right.id, CLIENT)), ["Project Files", "Right"]);
});

Deno.test("A deletion is a version that says so, and a restoration another one", async () => {
  const account = accountWithFolders();
  const { model, item } = account;
  model.delete(item.id);
  const deleted = await get(account, data(account, "items", item.id, "/tip"));
  const extension = asObject(attribute(deleted, "extension"));
  assert.equal(extension["type"], "versions:autodesk.core:Deleted");
  assert.deepEqual(extension["data"], { originalName: "a.pdf" });
  assert.match(String(attribute(deleted, "name")), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(attribute(deleted, "createUserId"), "");
  assert.equal(attribute(deleted, "storageSize"), undefined);
  assert.equal(attribute(deleted, "versionNumber"), 2);
  assert.equal(attribute(await get(account, data(account, "items", item.id)), "hidden"), true);
  model.restore(item.id);
  const restored = await get(account, data(account, "items", item.id, "/tip"));
  assert.deepEqual(
    ["name", "storageSize", "versionNumber"].map((name) => attribute(restored, name)),
    ["a.pdf", 10, 3],
  );
});

Deno.test("A new name is a new version; the item's display name lags", async () => {
  const account = accountWithFolders();
  const { model, item } = account;
  model.rename(item.id, "b.pdf");
  assert.equal(tipOf(item)?.name, "b.pdf");
  const shown = await get(account, data(account, "items", item.id));
  assert.equal(attribute(shown, "displayName"), "a.pdf");
  model.rename(item.id, "c.pdf", { changesDisplayName: true });
  assert.equal(item.displayName, "c.pdf");
});

Deno.test("Folders nest 25 deep, and not into themselves", () => {
  const { model, folderId, left } = accountWithFolders();
  let parent = folderId;
  for (let depth = 2; depth <= 25; depth++) {
    parent = model.createFolder({ parent, name: `Level ${depth}` }).id;
  }
  assert.throws(() => model.createFolder({ parent, name: "Level 26" }), RangeError);
  assert.throws(() => model.move(left.id, parent), RangeError);
  assert.throws(() => model.move(folderId, left.id), RangeError);
});

Deno.test("Names that cannot be given today are in old data", () => {
  const { model, folderId } = accountWithFolders();
  for (const name of ["a/b.pdf", "a.pdf ", "what?", ""]) {
    assert.throws(() => model.createItem({ parent: folderId, name }), RangeError, name);
  }
  const item = model.createItem({ parent: folderId, name: "a/b.pdf ", isLegacyName: true });
  assert.equal(tipOf(item)?.name, "a/b.pdf ");
});

Deno.test("filesInScope() tells what a perfect copy would know", () => {
  const account = accountWithFolders();
  const { model, projectId, left, right, item } = account;
  const gone = model.createItem({ parent: right.id, name: "gone.pdf", size: 3 });
  model.delete(gone.id);
  const hiddenFolder = model.createFolder({ parent: right.id, name: "Hidden" });
  const below = model.createItem({ parent: hiddenFolder.id, name: "below.pdf" });
  model.delete(hiddenFolder.id);
  const secret = model.createFolder({ parent: left.id, name: "Secret" });
  model.createItem({ parent: secret.id, name: "secret.pdf" });
  model.denyAccess(secret.id, CLIENT);
  const view = (folderIds?: readonly string[]) =>
    new Map(
      filesInScope(model, { projectId, folderIds, clientId: CLIENT })
        .map(({ id, ...rest }) => [id, rest]),
    );
  const all = view();
  assert.deepEqual(all.get(item.id), {
    name: "a.pdf",
    size: 10,
    version: 1,
    folderNames: ["Project Files", "Left"],
    isDeleted: false,
  });
  assert.deepEqual(all.get(gone.id), {
    name: "gone.pdf",
    size: 3,
    version: 2,
    folderNames: ["Project Files", "Right"],
    isDeleted: true,
  });
  assert.equal(all.get(below.id)?.isDeleted, true);
  assert.equal(all.size, 3);
  assert.deepEqual(view([right.id, left.id]).get(item.id)?.folderNames, []);
  assert.equal(view([right.id]).has(item.id), false);
  assert.equal(filesInScope(model, { projectId }).length, 4);
});

Deno.test("generateTree() makes 20,000 items in 2,000 folders, the same each time", () => {
  const [first, second] = [1, 2].map(() => {
    const { model, folderId, projectId } = accountWithProject();
    const folderIds = generateTree(model, { parent: folderId, items: 20_000, folders: 2000 });
    return { folderIds, files: filesInScope(model, { projectId }) };
  });
  assert.equal(first?.folderIds.length, 2000);
  assert.equal(first?.files.length, 20_000);
  assert.deepEqual(first, second);
});
