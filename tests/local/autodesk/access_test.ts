import assert from "node:assert/strict";
import {
  accountWithProject,
  asArray,
  asObject,
  attribute,
  CLIENT,
  contents,
  data,
  get,
  idsOf,
  pages,
  refusal,
  topFolders,
} from "./support.ts";

Deno.test("A hub that the app is not let into is a warning in the list, and 403 by itself", async () => {
  const account = accountWithProject();
  const { model, hubId, projectId, folderId } = account;
  model.addHub({ name: "Elsewhere", region: "EMEA" });
  const list = await get(account, "/project/v1/hubs");
  assert.deepEqual(idsOf(list), [hubId]);
  const [warning] = asArray(asObject(list["meta"])["warnings"]).map(asObject);
  assert.equal(warning?.["HttpStatusCode"], "403");
  assert.equal(warning?.["Title"], "Unable to get hubs from BIM360DM EMEA.");
  model.setProvisioned(hubId, CLIENT, false);
  const none = await get(account, "/project/v1/hubs");
  assert.deepEqual(none["data"], []);
  assert.equal(asArray(asObject(none["meta"])["warnings"]).length, 2);
  const refused = "403 BIM360DM_ERROR";
  assert.equal(await refusal(account, topFolders(account)), refused);
  assert.equal(await refusal(account, contents(projectId, folderId)), refused);
});

Deno.test("A region that is down takes its hubs out of the list, with a warning", async () => {
  const account = accountWithProject();
  account.emulator.control.setRegionOutage("US", 503);
  const list = await get(account, "/project/v1/hubs");
  assert.deepEqual(list["data"], []);
  const [warning] = asArray(asObject(list["meta"])["warnings"]).map(asObject);
  assert.equal(warning?.["HttpStatusCode"], "503");
  account.emulator.control.setRegionOutage("US", null);
  assert.deepEqual(idsOf(await get(account, "/project/v1/hubs")), [account.hubId]);
});

Deno.test("What is not there, or in another project, is 404", async () => {
  const account = accountWithProject();
  const { model, hubId, projectId, folderId } = account;
  const other = model.addProject({ name: "Other", hub: hubId });
  const bare = projectId.slice(2);
  const folder = encodeURIComponent(folderId);
  for (
    const [path, code] of [
      ["/project/v1/hubs/b.gone/projects", "HUB_NOT_FOUND"],
      [`/project/v1/hubs/${hubId}/projects/b.gone`, "PROJECT_NOT_FOUND"],
      [`/project/v1/hubs/${hubId}/projects/${bare}/topFolders`, "PROJECT_NOT_FOUND"],
      [`/data/v1/projects/${bare}/folders/${folder}`, "PROJECT_NOT_FOUND"],
      [`/data/v1/projects/${other.id}/folders/${folder}`, "FOLDER_NOT_FOUND"],
      [data(account, "folders", account.rootFolderId, "/parent"), "FOLDER_NOT_FOUND"],
      [data(account, "items", "urn:adsk.wipprod:dm.lineage:gone"), "ITEM_NOT_FOUND"],
    ] as const
  ) {
    assert.equal(await refusal(account, path), `404 ${code}`, path);
  }
  other.isActive = false;
  assert.deepEqual(
    idsOf(await get(account, `/project/v1/hubs/${hubId}/projects`)),
    [projectId],
  );
});

Deno.test("Projects come in pages", async () => {
  const account = accountWithProject();
  for (let index = 0; index < 4; index++) {
    account.model.addProject({ name: `Project ${index}`, hub: account.hubId });
  }
  const path = `/project/v1/hubs/${account.hubId}/projects?page%5Blimit%5D=2`;
  assert.deepEqual((await pages(account, path)).map((page) => idsOf(page).length), [2, 2, 1]);
});

Deno.test("A folder taken from the app is 403 or 404, and absent from the one above", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId } = account;
  const secret = model.createFolder({ parent: folderId, name: "Secret" });
  const below = model.createFolder({ parent: secret.id, name: "Below" });
  const item = model.createItem({ parent: below.id, name: "a.pdf" });
  const rollup = async () =>
    attribute(await get(account, data(account, "folders", folderId)), "lastModifiedTimeRollup");
  const before = await rollup();
  account.clock.nowMs += 60_000;
  model.denyAccess(secret.id, CLIENT);
  assert.deepEqual(idsOf(await get(account, contents(projectId, folderId))), []);
  assert.equal(await refusal(account, contents(projectId, below.id)), "403 FORBIDDEN");
  assert.equal(await refusal(account, data(account, "items", item.id)), "403 FORBIDDEN");
  model.denyAccess(secret.id, CLIENT, 404);
  assert.equal(await refusal(account, contents(projectId, below.id)), "404 FOLDER_NOT_FOUND");
  assert.equal(await rollup(), before);
  model.allowAccess(secret.id, CLIENT);
  assert.deepEqual(idsOf(await get(account, contents(projectId, folderId))), [secret.id]);
});

Deno.test("x-user-id limits a call to what the user may read", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId, hubId } = account;
  const admin = model.addUser({ email: "admin@example.com" });
  const member = model.addUser({ email: "member@example.com" });
  const stranger = model.addUser({ email: "stranger@example.com" });
  model.setMember(projectId, admin.id, "admin");
  model.setMember(projectId, member.id, "member");
  const plans = model.createFolder({ parent: folderId, name: "Plans" });
  const deep = model.createFolder({ parent: plans.id, name: "Deep" });
  model.grant(deep.id, member.id);
  const as = (id: string) => ({ headers: { "x-user-id": id } });
  assert.deepEqual(idsOf(await get(account, topFolders(account), as(admin.id))), [folderId]);
  const tops = await get(account, topFolders(account), as(member.id));
  assert.deepEqual(idsOf(tops), [deep.id]);
  const extension = asObject(attribute(asArray(tops["data"])[0], "extension"));
  const { isRoot, folderParents } = asObject(extension["data"]);
  assert.equal(isRoot, false);
  assert.deepEqual(asArray(folderParents).map((each) => asObject(each)["title"]), [
    "Plans",
    "Project Files",
  ]);
  assert.equal(
    await refusal(account, contents(projectId, plans.id), as(member.id)),
    "403 FORBIDDEN",
  );
  await get(account, contents(projectId, deep.id), { userId: member.id });
  assert.equal(
    await refusal(account, topFolders(account), as(stranger.id)),
    "404 PROJECT_NOT_FOUND",
  );
  const hubs = await get(account, "/project/v1/hubs", as(stranger.id));
  const [warning] = asArray(asObject(hubs["meta"])["warnings"]).map(asObject);
  assert.deepEqual([idsOf(hubs), warning?.["HttpStatusCode"]], [[], "401"]);
  assert.equal(
    await refusal(account, `/project/v1/hubs/${hubId}/projects`, as("NOBODY")),
    "403 USER_NOT_AUTHENTICATED",
  );
});

Deno.test("Top folders come with hidden ones and those of other products, unless filtered", async () => {
  const account = accountWithProject({ hasSystemFolders: true });
  const { model, projectId, rootFolderId, folderId, emulator } = account;
  const admin = model.addUser({ email: "admin@example.com" });
  model.setMember(projectId, admin.id, "admin");
  const old = model.createFolder({ parent: rootFolderId, name: "Old" });
  model.delete(old.id);
  const query = "?excludeDeleted=true&projectFilesOnly=true";
  assert.equal(idsOf(await get(account, topFolders(account))).length, 6);
  // Without a user the filters promise nothing.
  assert.equal(idsOf(await get(account, topFolders(account, query))).length, 6);
  const asAdmin = { headers: { "x-user-id": admin.id } };
  assert.deepEqual(idsOf(await get(account, topFolders(account, query), asAdmin)), [folderId]);
  emulator.control.setTopFolderFilters("always");
  assert.deepEqual(idsOf(await get(account, topFolders(account, query))), [folderId]);
});
