import assert from "node:assert/strict";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { createHealthHandler } from "../../supabase/functions/_shared/handlers/health.ts";
import { VERSION } from "../../supabase/functions/_shared/version.ts";
import denoConfig from "../../deno.json" with { type: "json" };
import { API_URL, FakeConnectorDb, fakeDeps, NOW } from "../support/function_fakes.ts";

function get(method = "GET"): Request {
  return new Request(`${API_URL}/health`, { method });
}

Deno.test("health is ok when the database answers and the scheduler ran lately", async () => {
  const response = await createHealthHandler(fakeDeps())(get());
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.deepEqual(await response.json(), {
    status: "ok",
    version: VERSION,
    time: NOW.toISOString(),
    checks: {
      database: { status: "ok", message: null },
      scheduler: { status: "ok", last_tick_at: NOW.toISOString(), message: null },
    },
  });
});

Deno.test("health is degraded when the scheduler stopped three minutes ago or never ran", async () => {
  const heartbeats = [
    { last_tick_at: "2026-11-22T09:56:59Z", last_tick_age_seconds: 181 },
    { last_tick_at: null, last_tick_age_seconds: null },
  ];
  for (const heartbeat of heartbeats) {
    const db = new FakeConnectorDb();
    db.heartbeat = heartbeat;
    const response = await createHealthHandler(fakeDeps({ db }))(get());
    const body = await response.json();
    assert.equal(response.status, 200);
    assert.equal(body.status, "degraded");
    assert.equal(body.checks.scheduler.status, "degraded");
    assert.ok(body.checks.scheduler.message.length > 20);
  }
});

Deno.test("health is down with status 503 when the database does not answer", async () => {
  const db = new FakeConnectorDb();
  const cause = new Error("password=hunter2 at 10.0.0.7");
  db.failure = new SyncError("unavailable", "The database did not answer in time.", { cause });
  const response = await createHealthHandler(fakeDeps({ db }))(get());
  const text = await response.text();
  assert.equal(response.status, 503);
  assert.equal(JSON.parse(text).status, "down");
  assert.equal(JSON.parse(text).checks.database.status, "down");
  assert.ok(!text.includes("hunter2"));
});

Deno.test("health recovers in the same worker when the database comes back", async () => {
  const db = new FakeConnectorDb();
  const handle = createHealthHandler(fakeDeps({ db }));
  db.failure = new SyncError("unavailable", "no answer");
  assert.equal((await handle(get())).status, 503);
  db.failure = null;
  assert.equal((await handle(get())).status, 200);
});

Deno.test("health answers HEAD without a body, OPTIONS for browsers, and nothing else", async () => {
  const handle = createHealthHandler(fakeDeps());
  const head = await handle(get("HEAD"));
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  const preflight = await handle(get("OPTIONS"));
  assert.equal(preflight.status, 204);
  assert.ok(preflight.headers.get("access-control-allow-headers")?.includes("authorization"));
  assert.equal((await handle(get("POST"))).status, 405);
});

Deno.test("the functions' version is that of deno.json", () => {
  assert.equal(VERSION, denoConfig.version);
});
