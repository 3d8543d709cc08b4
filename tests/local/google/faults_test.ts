import assert from "node:assert/strict";
import type { Fault } from "../../../local/google/faults.ts";
import { type DriveServer, startDriveEmulator } from "../../../local/google/server.ts";
import {
  asArray,
  asObject,
  call,
  drainChanges,
  emulatorWithUsers,
  get,
  names,
  OWNER,
  READER,
  refusal,
  SCOPE,
  startToken,
} from "./support.ts";

async function withServer(test: (server: DriveServer, token: string) => Promise<void>) {
  const server = await startDriveEmulator({ hasControlRoute: true });
  server.model.addAccount({ email: OWNER });
  try {
    await test(server, server.issueAccessToken(OWNER, [SCOPE]));
  } finally {
    await server.stop();
  }
}

function emulatorWithFolders() {
  const emulator = emulatorWithUsers();
  const root = emulator.model.account(OWNER).root.id;
  const folders = ["a", "b", "c", "d"].map((name) => {
    const folder = emulator.model.createFolder({ name, parent: root });
    for (const digit of [1, 2]) {
      emulator.model.createFile({ name: `${name}${digit}`, parent: folder.id });
    }
    return folder.id;
  });
  const q = folders.map((id) => `'${id}' in parents`).join(" or ");
  return { emulator, folders, q };
}

Deno.test("A status fault hits as many calls as ordered, of the method ordered", async () => {
  const emulator = emulatorWithUsers();
  const fault = { type: "status", status: 429, retryAfterSeconds: 2 } as const;
  emulator.control.addFault({ fault, times: 2, skip: 1, method: "files.list" });
  const statuses = [];
  for (let turn = 0; turn < 4; turn++) {
    statuses.push((await call(emulator, OWNER, "files")).status);
    await get(emulator, OWNER, "about", { fields: "user" });
  }
  assert.deepEqual(statuses, [200, 429, 429, 200]);
  assert.deepEqual(emulator.control.counters().calls, { "files.list": 4, "about.get": 4 });
});

Deno.test("A status fault carries the reason, the domain and Retry-After", async () => {
  const emulator = emulatorWithUsers();
  const order = (fault: Fault) => emulator.control.addFault({ fault });
  order({ type: "status", status: 403 });
  order({ type: "status", status: 403, reason: "insufficientFilePermissions" });
  order({ type: "status", status: 503 });
  assert.equal(await refusal(emulator, OWNER, "files"), "403 userRateLimitExceeded");
  assert.equal(await refusal(emulator, OWNER, "files"), "403 insufficientFilePermissions");
  assert.equal(await refusal(emulator, OWNER, "files"), "503 backendError");
  order({ type: "status", status: 429, retryAfterSeconds: 7 });
  const headers = { authorization: `Bearer ${emulator.issueAccessToken(OWNER, [SCOPE])}` };
  const response = await emulator.fetch("http://drive.test/drive/v3/files", { headers });
  assert.equal(response.headers.get("retry-after"), "7");
  assert.match(await response.text(), /"domain":"usageLimits"/);
});

Deno.test("A quota refuses the calls above it until its window has passed", async () => {
  const emulator = emulatorWithUsers();
  emulator.control.setQuota({ calls: 2, windowMs: 60_000, status: 403 });
  await names(emulator, OWNER);
  await names(emulator, OWNER);
  assert.equal(await refusal(emulator, OWNER, "files"), "403 userRateLimitExceeded");
  await names(emulator, READER);
  emulator.control.setQuota(null);
  await names(emulator, OWNER);
});

Deno.test("List faults show as Drive shows them", async () => {
  const { emulator } = emulatorWithFolders();
  const list = async (query: Record<string, string> = {}) =>
    await get(emulator, OWNER, "files", { pageSize: "5", fields: "*", ...query });
  emulator.control.addFault({ fault: { type: "empty_page" } });
  const empty = await list();
  assert.deepEqual(empty["files"], []);
  emulator.control.addFault({ fault: { type: "duplicates", count: 2 } });
  const first = await list({ pageToken: String(empty["nextPageToken"]) });
  const second = await list({ pageToken: String(first["nextPageToken"]) });
  const ids = [first, second].map((page) =>
    asArray(page["files"]).map((file) => asObject(file)["id"])
  );
  assert.deepEqual(ids[0]?.slice(3), ids[1]?.slice(0, 2));
  emulator.control.addFault({ fault: { type: "incomplete_search" } });
  const incomplete = await list();
  assert.equal(incomplete["incompleteSearch"], true);
  assert.equal(asArray(incomplete["files"]).length, 2);
});

Deno.test("Change feeds can repeat entries and give empty pages", async () => {
  const emulator = emulatorWithUsers();
  const root = emulator.model.account(OWNER).root.id;
  const token = await startToken(emulator, OWNER);
  for (const name of ["a", "b", "c", "d"]) emulator.model.createFile({ name, parent: root });
  emulator.control.addFault({ fault: { type: "empty_page" } });
  emulator.control.addFault({ fault: { type: "duplicates", count: 1 } });
  const { changes, pages } = await drainChanges(emulator, OWNER, token, { pageSize: "3" });
  const found = changes.map((change) => asObject(change["file"])["name"]);
  assert.deepEqual(found, ["a", "b", "c", "c", "d"]);
  assert.equal(pages, 3);
});

Deno.test("The grouped parents fault drops content of groups and spares single folders", async () => {
  const { emulator, folders, q } = emulatorWithFolders();
  assert.equal((await names(emulator, OWNER, { q })).length, 8);
  emulator.control.addFault({ fault: { type: "grouped_parents", mode: "empty" } });
  emulator.control.addFault({ fault: { type: "grouped_parents", mode: "partial" } });
  for (const id of folders) {
    assert.equal((await names(emulator, OWNER, { q: `'${id}' in parents` })).length, 2);
  }
  assert.deepEqual(await names(emulator, OWNER, { q }), []);
  assert.equal((await names(emulator, OWNER, { q })).length, 4);
  assert.equal((await names(emulator, OWNER, { q })).length, 8);
});

Deno.test("A call that its caller gives up ends with the caller's reason", async () => {
  const emulator = emulatorWithUsers();
  const headers = { authorization: `Bearer ${emulator.issueAccessToken(OWNER, [SCOPE])}` };
  const list = () =>
    emulator.fetch("http://drive.test/drive/v3/files", {
      headers,
      signal: AbortSignal.timeout(20),
    });
  emulator.control.addFault({ fault: { type: "timeout" } });
  await assert.rejects(list(), { name: "TimeoutError" });
  emulator.control.setLatency({ pageMs: 60_000 });
  await assert.rejects(list(), { name: "TimeoutError" });
  emulator.control.setLatency({ pageMs: 1 });
  assert.equal((await list()).status, 200);
});

Deno.test("Over HTTP a fault can break the connection, hang, or spoil the body", async () => {
  await withServer(async (server, token) => {
    const headers = { authorization: `Bearer ${token}` };
    const url = `${server.origin}/drive/v3/files`;
    const load = async (fault: Fault) => {
      server.control.addFault({ fault });
      return await fetch(url, { headers, signal: AbortSignal.timeout(300) });
    };
    await assert.rejects(load({ type: "reset" }), TypeError);
    await assert.rejects(load({ type: "timeout" }), { name: "TimeoutError" });
    for (const fault of [{ type: "truncated" }, { type: "garbage" }] as const) {
      const response = await load(fault);
      assert.equal(response.status, 200);
      await assert.rejects(response.json(), SyntaxError);
    }
    const page = await load({ type: "html", status: 502 });
    assert.equal(page.status, 502);
    assert.match(await page.text(), /^<!DOCTYPE html>/);
    const healthy = await fetch(url, { headers });
    assert.equal(healthy.status, 200);
    await healthy.body?.cancel();
    assert.equal(server.control.counters().statuses["0"], 2);
  });
});

Deno.test("The control route orders faults, changes the model and tells what happened", async () => {
  await withServer(async (server, token) => {
    const order = async (action: string, body: unknown, status = 200) => {
      const url = `${server.origin}/__control/${action}`;
      const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      assert.equal(response.status, status);
      return asObject(await response.json());
    };
    const parent = server.model.account(OWNER).root.id;
    const made = await order("operations", {
      operations: [{ operation: "create_file", name: "a.pdf", parent, size: "12" }],
    });
    const id = String(asObject(asArray(made["results"])[0])["id"]);
    assert.equal(server.model.item(id).size, "12");
    await order("operations", { operations: [{ operation: "rename", id, name: "b.pdf" }] });
    await order(
      "operations",
      { operations: [{ operation: "rename", id: "none", name: "b" }] },
      400,
    );
    await order("faults", { faults: [{ fault: { type: "status", status: 500 } }] });
    await order("nonsense", {}, 404);
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${server.origin}/drive/v3/files`, { headers });
    assert.equal(response.status, 500);
    await response.body?.cancel();
    const state = await (await fetch(`${server.origin}/__control/state`)).json();
    assert.deepEqual(asObject(state)["counters"], {
      calls: { "files.list": 1 },
      statuses: { "500": 1 },
    });
  });
});

Deno.test("Without leave the control route is not served", async () => {
  const emulator = emulatorWithUsers();
  const response = await emulator.fetch("http://drive.test/__control/state");
  assert.equal(response.status, 404);
});
