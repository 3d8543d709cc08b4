import assert from "node:assert/strict";
import {
  accountWithProject,
  asArray,
  asObject,
  attribute,
  call,
  contents,
  data,
  get,
  idsOf,
  pages,
  refusal,
  topFolders,
} from "./support.ts";

Deno.test("Contents hold folders and items, and the tips of the items", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId } = account;
  const folder = model.createFolder({ parent: folderId, name: "Plans" });
  const item = model.createItem({ parent: folderId, name: "plan.pdf", size: 10 });
  const page = await get(account, contents(projectId, folderId));
  assert.deepEqual(idsOf(page), [folder.id, item.id]);
  assert.match(folder.id, /^urn:adsk\.wipprod:fs\.folder:co\.[A-Za-z0-9_-]{22}$/);
  assert.match(item.id, /^urn:adsk\.wipprod:dm\.lineage:[A-Za-z0-9_-]{22}$/);
  const [shownFolder, shownItem] = asArray(page["data"]);
  assert.equal(attribute(shownFolder, "name"), "Plans");
  assert.equal(attribute(shownItem, "name"), undefined);
  const [version] = asArray(page["included"]);
  assert.equal(attribute(version, "name"), "plan.pdf");
  assert.equal(attribute(version, "storageSize"), 10);
  assert.match(String(asObject(version)["id"]), /:fs\.file:vf\.[A-Za-z0-9_-]{22}\?version=1$/);
  const empty = await get(account, contents(projectId, folder.id));
  assert.deepEqual([empty["data"], "included" in empty], [[], false]);
});

Deno.test("Pages are followed by links that are absolute or relative", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId, emulator } = account;
  const ids = Array.from(
    { length: 5 },
    (_, index) => model.createItem({ parent: folderId, name: `${index}.pdf` }).id,
  );
  for (const links of ["absolute", "relative"] as const) {
    emulator.control.setStyle({ links });
    const path = contents(projectId, folderId, { "page[limit]": "2" });
    const found = await pages(account, path);
    assert.deepEqual(idsOf(...found), ids);
    const [first, , last] = found.map((page) => asObject(page["links"]));
    const next = String(asObject(first?.["next"])["href"]);
    assert.equal(next.startsWith("http://aps.test/data/v1/"), links === "absolute");
    assert.ok(next.includes("page%5Bnumber%5D=1&") || next.endsWith("page%5Bnumber%5D=1"));
    assert.deepEqual(Object.keys(last ?? {}), ["self", "first", "prev"]);
  }
});

Deno.test("Filters come after the pages, which may then be short or empty", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId } = account;
  for (let index = 0; index < 4; index++) {
    model.createItem({ parent: folderId, name: `${index}.pdf` });
  }
  const folder = model.createFolder({ parent: folderId, name: "Late" });
  const only = async (filter: Record<string, string>) => {
    const found = await pages(
      account,
      contents(projectId, folderId, { "page[limit]": "2", ...filter }),
    );
    return found.map((page) => idsOf(page).length);
  };
  assert.deepEqual(await only({ "filter[type]": "folders" }), [0, 0, 1]);
  assert.deepEqual(await only({ "filter[name]-starts": "3" }), [0, 1, 0]);
  assert.deepEqual(await only({ "filter[id]": folder.id }), [0, 0, 1]);
  assert.deepEqual(await only({ "filter[lastModifiedTimeRollup]-ge": "2026-03" }), [0, 0, 1]);
  assert.deepEqual(await only({ "filter[versionNumber]": "1" }), [2, 2, 0]);
});

Deno.test("Hidden entries keep their places, and are shown when asked for", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId } = account;
  const ids = ["a", "b", "c"].map((name) => model.createItem({ parent: folderId, name }).id);
  model.delete(ids[0] ?? "");
  model.delete(ids[1] ?? "");
  const path = (query: Record<string, string>) =>
    contents(projectId, folderId, { "page[limit]": "2", ...query });
  assert.deepEqual((await pages(account, path({}))).map((page) => idsOf(page)), [[], [ids[2]]]);
  assert.deepEqual(idsOf(...await pages(account, path({ includeHidden: "true" }))), ids);
  const deleted = await pages(account, path({ "filter[hidden]": "true" }));
  assert.deepEqual(idsOf(...deleted), ids.slice(0, 2));
});

Deno.test("Parameters that cannot be used are refused", async () => {
  const account = accountWithProject();
  const { projectId, folderId } = account;
  for (
    const [name, value] of [
      ["page[limit]", "0"],
      ["page[limit]", "201"],
      ["page[limit]", "many"],
      ["page[number]", "-1"],
      ["includeHidden", "yes"],
      ["filter[type]", "versions"],
      ["filter[name]-near", "a"],
    ] as const
  ) {
    const path = contents(projectId, folderId, { [name]: value });
    assert.equal(await refusal(account, path), "400 BAD_INPUT", `${name}=${value}`);
  }
  const beyond = await get(account, contents(projectId, folderId, { "page[number]": "9" }));
  assert.deepEqual(beyond["data"], []);
});

Deno.test("A version's id must be encoded in a path", async () => {
  const account = accountWithProject();
  const item = account.model.createItem({ parent: account.folderId, name: "a.pdf" });
  const id = item.versions[0]?.id ?? "";
  const version = await get(account, data(account, "versions", id));
  assert.equal(attribute(version, "versionNumber"), 1);
  const raw = `/data/v1/projects/${account.projectId}/versions/${id}`;
  assert.equal(await refusal(account, raw), "404 VERSION_NOT_FOUND");
  assert.equal(await refusal(account, data(account, "versions", "vf.1")), "400 BAD_INPUT");
});

Deno.test("A folder is not sent again where it has not changed", async () => {
  const account = accountWithProject();
  const { model, folderId, clock } = account;
  const path = data(account, "folders", folderId);
  const first = await call(account, path);
  const since = (time: unknown) =>
    call(account, path, { headers: { "if-modified-since": String(time) } });
  const time = attribute(first.body, "lastModifiedTime");
  const same = await since(time);
  assert.deepEqual([same.status, same.body], [304, {}]);
  assert.equal(same.headers.get("last-modified"), first.headers.get("last-modified"));
  clock.nowMs += 5000;
  model.createItem({ parent: folderId, name: "a.pdf" });
  assert.equal((await since(time)).status, 200);
  assert.equal((await since("yesterday")).status, 400);
});

Deno.test("Times come in four forms, of whole seconds", async () => {
  const account = accountWithProject();
  const folder = account.model.createFolder({ parent: account.folderId, name: "A" });
  const rollup = async () => {
    const page = await get(account, contents(account.projectId, account.folderId));
    return attribute(asArray(page["data"])[0], "createTime");
  };
  assert.equal(await rollup(), "2026-03-01T12:00:00.0000000Z");
  const single = await get(account, data(account, "folders", folder.id));
  assert.equal(attribute(single, "createTime"), "2026-03-01T12:00:00.000Z");
  account.emulator.control.setStyle({ times: "offset_plain" });
  assert.equal(await rollup(), "2026-03-01T12:00:00+0000");
  account.emulator.control.setStyle({ times: "mixed" });
  const mixed = asArray((await get(account, topFolders(account)))["data"])[0];
  const forms = ["createTime", "lastModifiedTime", "lastModifiedTimeRollup"];
  assert.equal(new Set(forms.map((name) => String(attribute(mixed, name)).slice(19))).size, 3);
});

Deno.test("Items may lack a version, a size, a MIME type and a user", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId } = account;
  model.createItem({ parent: folderId, name: "unfinished.pdf", hasNoVersion: true });
  model.createItem({ parent: folderId, name: "bare", size: null, mimeType: null, by: null });
  model.createItem({ parent: folderId, name: "model.rvt", fileKind: "C4RModel" });
  const page = await get(account, contents(projectId, folderId));
  const [unfinished] = asArray(page["data"]).map(asObject);
  assert.equal("tip" in asObject(unfinished?.["relationships"]), false);
  const [bare, cloudModel] = asArray(page["included"]).map(asObject);
  const attributes = asObject(bare?.["attributes"]);
  for (const name of ["storageSize", "mimeType", "fileType"]) {
    assert.equal(name in attributes, false, name);
  }
  assert.equal(attributes["createUserId"], "");
  assert.equal("storage" in asObject(cloudModel?.["relationships"]), false);
});

Deno.test("Web links lead to the product the project belongs to", async () => {
  const account = accountWithProject({ type: "BIM360", region: "EMEA" });
  const item = account.model.createItem({ parent: account.folderId, name: "a.pdf" });
  assert.ok(item.id.startsWith("urn:adsk.wipemea:dm.lineage:"));
  const body = await get(account, data(account, "items", item.id));
  const link = asObject(asObject(asObject(body["data"])["links"])["webView"])["href"];
  const guid = account.projectId.slice(2);
  assert.equal(
    link,
    `https://docs.b360.autodesk.com/projects/${guid}/folders/${
      encodeURIComponent(account.folderId)
    }/detail/viewer/items/${encodeURIComponent(item.id)}`,
  );
});

Deno.test("A command looks up fifty items at most", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId, emulator } = account;
  const ids = Array.from(
    { length: 51 },
    (_, index) => model.createItem({ parent: folderId, name: `${index}.pdf` }).id,
  );
  const execute = async (asked: readonly string[], type = "ListItems") => {
    const extension = { type: `commands:autodesk.core:${type}`, version: "1.1.0" };
    const resources = { data: asked.map((id) => ({ type: "items", id })) };
    const response = await emulator.fetch(
      `http://aps.test/data/v1/projects/${projectId}/commands`,
      {
        method: "POST",
        headers: {
          authorization: `Bearer ${emulator.issueAccessToken("client-one", ["data:read"])}`,
          "content-type": "application/vnd.api+json",
        },
        body: JSON.stringify({
          jsonapi: { version: "1.0" },
          data: { type: "commands", attributes: { extension }, relationships: { resources } },
        }),
      },
    );
    return { status: response.status, body: asObject(await response.json()) };
  };
  const { body } = await execute(ids.slice(0, 50));
  assert.equal(asArray(asObject(body["data"])["included"]).length, 50);
  assert.equal((await execute(ids)).status, 400);
  assert.equal((await execute([])).status, 400);
  assert.equal((await execute(["urn:adsk.wipprod:dm.lineage:gone"])).status, 404);
  assert.equal((await execute(ids.slice(0, 1), "CheckPermission")).status, 501);
});
