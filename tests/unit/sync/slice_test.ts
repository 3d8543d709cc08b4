import assert from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { createTestEngine, type TestEngine } from "../../support/engine.ts";
import type { FakeEndpoint } from "../../support/fake_connector_db.ts";
import { onePart, type Script, scriptedFiles } from "../../support/scripted_provider.ts";

function addDrives(engine: TestEngine, count: number, files = 3): FakeEndpoint[] {
  return Array.from({ length: count }, () => {
    const endpoint = engine.db.add();
    engine.script.drives.set(endpoint.id, onePart(scriptedFiles(files, endpoint.id)));
    return endpoint;
  });
}

function lease(engine: TestEngine, endpoints: readonly FakeEndpoint[]) {
  return endpoints.map((endpoint) => engine.db.lease(endpoint));
}

Deno.test("workLeases() begins all endpoints in one call and works on each of them", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 12);
  await workLeases(lease(engine, endpoints), engine.deps);
  assert.ok(endpoints.every(({ status, files }) => status === "completed" && files.size === 3));
  assert.equal(engine.db.calls.filter((call) => call === "beginSlice").length, 1);
});

Deno.test("workLeases() works on ten endpoints at a time", async () => {
  const running = new Set<string>();
  let most = 0;
  const script: Script = {
    drives: new Map(),
    async onRead(_task, { config }) {
      running.add(config.source);
      most = Math.max(most, running.size);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      running.delete(config.source);
    },
  };
  const engine = createTestEngine(script);
  await workLeases(lease(engine, addDrives(engine, 20)), engine.deps);
  assert.equal(most, 10);
});

Deno.test("workLeases() lets small endpoints pass a big one", async () => {
  const release = Promise.withResolvers<void>();
  const script: Script = { drives: new Map() };
  const engine = createTestEngine(script);
  const endpoints = addDrives(engine, 20);
  const [big, ...small] = endpoints;
  script.onRead = (_task, { config }) =>
    config.source === big?.id ? release.promise : Promise.resolve();
  let finished = 0;
  engine.db.intercept = (method) => {
    // The big one is let go only when every small one is through.
    if (method === "finishSlice" && ++finished === small.length) release.resolve();
    return Promise.resolve();
  };
  await workLeases(lease(engine, endpoints), engine.deps);
  assert.equal(big?.status, "completed");
});

Deno.test("workLeases() drains many due endpoints in one invocation, a few claims at a time", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 100);
  await workLeases(lease(engine, endpoints.slice(0, 5)), engine.deps, { cpuBudgetMs: 1e9 });
  assert.ok(endpoints.every(({ status }) => status === "completed"));
  const claims = engine.db.calls.filter((call) => call === "claim").length;
  assert.ok(claims <= 50, `${claims} claims`);
  assert.equal(engine.wakes.count, 0);
});

Deno.test("workLeases() does not ask for more where it is told that nothing else is due", async () => {
  const engine = createTestEngine();
  await workLeases(lease(engine, addDrives(engine, 3)), engine.deps, { isMoreDue: false });
  assert.equal(engine.db.calls.includes("claim"), false);
  assert.equal(engine.wakes.count, 0);
});

Deno.test("workLeases() never holds more leases than may run at once", async () => {
  let most = 0;
  const script: Script = { drives: new Map() };
  const engine = createTestEngine(script, { maxConcurrentSyncs: 3 });
  const endpoints = addDrives(engine, 30);
  script.onRead = () => {
    const held = endpoints.filter(({ leaseToken }) => leaseToken !== null).length;
    most = Math.max(most, held);
    return Promise.resolve();
  };
  await workLeases(lease(engine, endpoints.slice(0, 1)), engine.deps, { cpuBudgetMs: 1e9 });
  assert.equal(most, 3);
  assert.ok(endpoints.every(({ status }) => status === "completed"));
});

Deno.test("workLeases() holds no lease that waits for a lane, and keeps every lane at work", async () => {
  let most = 0;
  let leasesAtReads = 0;
  let reads = 0;
  const script: Script = { drives: new Map() };
  const engine = createTestEngine(script, { maxConcurrentSyncs: 100 });
  const endpoints = addDrives(engine, 80);
  script.onRead = async () => {
    const held = endpoints.filter(({ leaseToken }) => leaseToken !== null).length;
    most = Math.max(most, held);
    leasesAtReads += held;
    // Lanes must not become idle together, for then they claim together.
    for (let turn = ++reads * 37 % 101; turn > 0; turn--) await Promise.resolve();
  };
  await workLeases(lease(engine, endpoints.slice(0, 10)), engine.deps, { cpuBudgetMs: 1e9 });
  assert.equal(most, 10);
  assert.ok(leasesAtReads / reads > 9, `${leasesAtReads / reads} leases on average`);
  assert.ok(endpoints.every(({ status }) => status === "completed"));
});

Deno.test("workLeases() claims only endpoints of its own provider", async () => {
  const engine = createTestEngine();
  const other = engine.db.add({ endpoint_type: "another" });
  await workLeases(lease(engine, addDrives(engine, 1)), engine.deps);
  assert.equal(other.status, "pending");
});

Deno.test("workLeases() stops claiming when the budget is spent, and wakes the dispatcher", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 40);
  await workLeases(lease(engine, endpoints.slice(0, 5)), engine.deps, { cpuBudgetMs: 30 });
  const done = endpoints.filter(({ status }) => status === "completed").length;
  assert.ok(done >= 5 && done < 40, `${done} done`);
  assert.equal(engine.wakes.count, 1);
  assert.ok(endpoints.every(({ leaseToken }) => leaseToken === null), "no lease is kept");
});

Deno.test("workLeases() hands back what it has no budget for", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 40);
  await workLeases(lease(engine, endpoints), engine.deps, { cpuBudgetMs: 15 });
  assert.ok(endpoints.every(({ leaseToken }) => leaseToken === null));
  const handedBack = endpoints.filter(({ outcomes }) => outcomes[0]?.type === "continue");
  assert.ok(handedBack.length > 20);
  assert.ok(handedBack.every(({ isDue }) => isDue));
  assert.equal(engine.wakes.count, 1);
});

Deno.test("one broken endpoint of five does not touch the others", async () => {
  const script: Script = { drives: new Map() };
  const engine = createTestEngine(script);
  const endpoints = addDrives(engine, 5);
  const broken = endpoints[2];
  script.onRead = (_task, { config }) =>
    config.source === broken?.id ? Promise.reject(new Error("broken")) : Promise.resolve();
  await workLeases(lease(engine, endpoints), engine.deps);
  assert.deepEqual(
    endpoints.map(({ status }) => status),
    ["completed", "completed", "failed", "completed", "completed"],
  );
});

Deno.test("an endpoint whose configuration is wrong needs attention; the others go on", async () => {
  const engine = createTestEngine();
  const wrong = engine.db.add({ endpoint_config: { sauce: "?" } });
  const missing = engine.db.add({ endpoint_config: { source: "nowhere" } });
  const [good] = addDrives(engine, 1);
  assert.ok(good);
  await workLeases(lease(engine, [wrong, missing, good]), engine.deps);
  const codes = [wrong, missing].map(({ outcomes: [outcome] }) =>
    outcome?.type === "failed" ? [outcome.code, outcome.remedy] : null
  );
  assert.deepEqual(codes, [
    ["config_invalid", "needs_attention"],
    ["scope_not_found", "needs_attention"],
  ]);
  assert.equal(good.status, "completed");
});

Deno.test("an endpoint of another type is not worked on", async () => {
  const engine = createTestEngine();
  const other = engine.db.add({ endpoint_type: "another" });
  await workLeases([engine.db.lease(other)], engine.deps);
  const [outcome] = other.outcomes;
  assert.equal(outcome?.type === "failed" && outcome.code, "internal");
});

Deno.test("workLeases() passes over leases that are gone", async () => {
  const engine = createTestEngine();
  const [gone, held] = addDrives(engine, 2);
  assert.ok(gone && held);
  const leases = lease(engine, [gone, held]);
  engine.db.takeOver(gone);
  await workLeases(leases, engine.deps);
  assert.equal(gone.files.size, 0);
  assert.equal(held.status, "completed");
});

Deno.test("workLeases() asks once more for what its owner had in hand", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 3);
  const leases = lease(engine, endpoints);
  const asked: number[] = [];
  const { beginSlice } = engine.db;
  engine.db.beginSlice = async (some) => {
    const contexts = await beginSlice(some);
    asked.push(some.length);
    return asked.length > 1 ? contexts : contexts.slice(1);
  };
  await workLeases(leases, engine.deps, { isMoreDue: false });
  assert.deepEqual(asked, [3, 1]);
  assert.ok(endpoints.every(({ status }) => status === "completed"));
});

Deno.test("workLeases() hands back what was begun when it is unloaded before it has asked once more", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 3);
  const leases = lease(engine, endpoints);
  const unload = new AbortController();
  const { beginSlice } = engine.db;
  engine.db.beginSlice = async (some) => {
    unload.abort();
    return (await beginSlice(some)).slice(1);
  };
  await workLeases(leases, { ...engine.deps, unloading: unload.signal });
  const [missing, ...begun] = endpoints;
  assert.deepEqual(missing?.outcomes, []);
  assert.deepEqual(begun.map(({ outcomes }) => outcomes.map(({ type }) => type)), [
    ["continue"],
    ["continue"],
  ]);
});

Deno.test("workLeases() gives the leases back when the slice cannot be begun", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 3);
  endpoints.forEach((endpoint) => endpoint.isDue = false);
  engine.db.intercept = (method) =>
    method === "beginSlice"
      ? Promise.reject(new SyncError("unavailable", "The database does not answer."))
      : Promise.resolve();
  await workLeases(lease(engine, endpoints), engine.deps);
  assert.deepEqual(endpoints.map(({ releases }) => releases), [
    ["unavailable"],
    ["unavailable"],
    ["unavailable"],
  ]);
});

Deno.test("workLeases() never throws, even when the database answers nothing at all", async () => {
  const engine = createTestEngine();
  const endpoints = addDrives(engine, 3);
  const leases = lease(engine, endpoints);
  engine.db.intercept = () => Promise.reject(new Error("gone"));
  await workLeases(leases, engine.deps);
  assert.ok(engine.log.entries.some(({ event }) => event === "release_failed"));
});

Deno.test("an outcome that cannot be recorded is logged; the lease is left to expire", async () => {
  const engine = createTestEngine();
  const [first, second] = addDrives(engine, 2);
  assert.ok(first && second);
  engine.db.intercept = (method, held) =>
    method === "finishSlice" && held?.endpoint_id === first.id
      ? Promise.reject(new SyncError("unavailable", "The database does not answer."))
      : Promise.resolve();
  await workLeases(lease(engine, [first, second]), engine.deps);
  assert.equal(first.files.size, 3);
  assert.equal(second.status, "completed");
  assert.ok(engine.log.entries.some(({ event }) => event === "outcome_unrecorded"));
});
