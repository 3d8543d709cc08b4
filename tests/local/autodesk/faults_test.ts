import assert from "node:assert/strict";
import { startApsEmulator } from "../../../local/autodesk/server.ts";
import {
  accountWithProject,
  asObject,
  call,
  CLIENT,
  contents,
  get,
  HOST,
  idsOf,
  pages,
  post,
  SECRET,
  topFolders,
} from "./support.ts";

Deno.test("Quotas count the calls of each client, by route and minute", async () => {
  const account = accountWithProject();
  const { emulator, model, hubId, clock } = account;
  model.setProvisioned(hubId, "client-two", true);
  emulator.control.setQuota({});
  const hubs = () => call(account, "/project/v1/hubs");
  for (let index = 0; index < 50; index++) assert.equal((await hubs()).status, 200);
  clock.nowMs += 20_000;
  const refused = await hubs();
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "40");
  assert.deepEqual(refused.body, { developerMessage: "Quota limit exceeded." });
  for (let index = 0; index < 300; index++) {
    assert.equal((await call(account, topFolders(account))).status, 200);
  }
  assert.equal((await call(account, topFolders(account))).status, 429);
  assert.equal((await call(account, topFolders(account), { clientId: "client-two" })).status, 200);
  clock.nowMs += 40_000;
  assert.equal((await hubs()).status, 200);
  emulator.control.setQuota({ scale: 0.02, hasRetryAfter: false });
  await hubs();
  assert.equal((await hubs()).headers.get("retry-after"), null);
  emulator.control.setQuota(null);
  assert.equal((await hubs()).status, 200);
});

Deno.test("Errors can be ordered in both shapes, with and without Retry-After", async () => {
  const account = accountWithProject();
  const { control } = account.emulator;
  const next = async (fault: Parameters<typeof control.addFault>[0]["fault"]) => {
    control.addFault({ fault });
    return await call(account, topFolders(account));
  };
  const quota = await next({ type: "status", status: 429, retryAfterSeconds: 7 });
  assert.deepEqual([quota.status, quota.headers.get("retry-after")], [429, "7"]);
  const silent = await next({ type: "status", status: 429 });
  assert.equal(silent.headers.get("retry-after"), null);
  const busy = await next({ type: "status", status: 503, retryAfterSeconds: 3 });
  assert.deepEqual([busy.status, busy.headers.get("retry-after")], [503, "3"]);
  assert.ok("errors" in busy.body);
  const gateway = await next({ type: "status", status: 500, shape: "gateway" });
  assert.deepEqual([gateway.status, "developerMessage" in gateway.body], [500, true]);
  assert.equal((await next({ type: "status", status: 401 })).body["errorCode"], "Auth-006");
  assert.equal((await call(account, topFolders(account))).status, 200);
});

Deno.test("Faults hit the calls they are meant for, and tokens only by name", async () => {
  const account = accountWithProject();
  const { control } = account.emulator;
  const fault = { type: "status", status: 502 } as const;
  const token = async () => {
    const form = { grant_type: "client_credentials", scope: "data:read" };
    const basic = `${CLIENT}:${SECRET}`;
    return (await post(account, "/authentication/v2/token", form, basic)).status;
  };
  control.addFault({ fault, method: "folders.contents", skip: 1 });
  assert.equal(await token(), 200);
  const path = contents(account.projectId, account.folderId);
  const statuses = [];
  for (let index = 0; index < 3; index++) statuses.push((await call(account, path)).status);
  assert.deepEqual(statuses, [200, 502, 200]);
  control.addFault({ fault, method: "token" });
  assert.equal(await token(), 502);
  control.addFault({ fault, times: null });
  assert.equal((await call(account, path)).status, 502);
  control.clearFaults();
  assert.deepEqual(control.counters().calls, { token: 2, "folders.contents": 4 });
  assert.deepEqual(control.counters().statuses, { 200: 3, 502: 3 });
});

Deno.test("An empty page in the middle takes nothing away", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId, emulator } = account;
  const ids = ["a", "b", "c"].map((name) => model.createItem({ parent: folderId, name }).id);
  emulator.control.addFault({ fault: { type: "empty_page" }, path: "page%5Bnumber%5D=1" });
  const found = await pages(account, contents(projectId, folderId, { "page[limit]": "2" }));
  assert.deepEqual(found.map((page) => idsOf(page)), [ids.slice(0, 2), [], ids.slice(2)]);
});

Deno.test("Pages can repeat entries, lose their versions and point elsewhere", async () => {
  const account = accountWithProject();
  const { model, folderId, projectId, emulator: { control } } = account;
  const ids = ["a", "b", "c"].map((name) => model.createItem({ parent: folderId, name }).id);
  const path = contents(projectId, folderId, { "page[limit]": "2" });
  control.addFault({ fault: { type: "duplicates", count: 1 }, skip: 1 });
  assert.deepEqual(idsOf(...await pages(account, path)), [ids[0], ids[1], ids[1], ids[2]]);
  for (const [mode, included] of [["absent", undefined], ["null", null]] as const) {
    control.addFault({ fault: { type: "included", mode } });
    assert.equal((await get(account, path))["included"], included);
  }
  control.addFault({ fault: { type: "foreign_next", origin: "https://evil.test" } });
  const links = asObject((await get(account, path))["links"]);
  assert.ok(String(asObject(links["next"])["href"]).startsWith("https://evil.test/data/v1/"));
});

Deno.test("Connections break, answers are cut off or are no JSON", async () => {
  const account = accountWithProject();
  const { emulator } = account;
  const authorization = `Bearer ${emulator.issueAccessToken(CLIENT, ["data:read"])}`;
  const next = async (type: "truncated" | "garbage" | "html" | "reset") => {
    emulator.control.addFault({ fault: { type } });
    const response = await emulator.fetch(HOST + topFolders(account), {
      headers: { authorization },
    });
    assert.equal(response.status, 200);
    return await response.text();
  };
  for (const type of ["truncated", "garbage", "html"] as const) {
    const text = await next(type);
    assert.throws(() => JSON.parse(text), SyntaxError, type);
  }
  await assert.rejects(next("reset"), TypeError);
  emulator.control.addFault({ fault: { type: "timeout" } });
  await assert.rejects(
    emulator.fetch(HOST + topFolders(account), {
      headers: { authorization },
      signal: AbortSignal.timeout(5),
    }),
    { name: "TimeoutError" },
  );
});

Deno.test("Latency is waited for on every call", async () => {
  const account = accountWithProject();
  account.emulator.control.setLatency({ callMs: 30 });
  const startMs = performance.now();
  await get(account, topFolders(account));
  assert.ok(performance.now() - startMs >= 25);
});

Deno.test("The control route changes the model and the service", async () => {
  const { emulator, folderId, projectId } = accountWithProject();
  const server = await startApsEmulator({ model: emulator.model, hasControlRoute: true });
  try {
    const control = async (action: string, body: unknown) => {
      const response = await fetch(`${server.origin}/__control/${action}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      return { status: response.status, body: asObject(await response.json()) };
    };
    const operation = { operation: "create_item", parent: folderId, name: "a.pdf", size: 5 };
    const made = await control("operations", { operations: [operation] });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const view = await control("files-in-scope", { projectId });
    assert.equal(JSON.stringify(view.body).includes('"name":"a.pdf","size":5'), true);
    assert.equal((await control("operations", { operations: [{ operation: "fly" }] })).status, 400);
    assert.equal((await control("unknown", {})).status, 404);
    assert.equal((await control("settings", { links: "relative" })).status, 200);
    const state = await (await fetch(`${server.origin}/__control/state`)).json();
    assert.equal(asObject(state)["items"], 1);
  } finally {
    await server.stop();
  }
});
