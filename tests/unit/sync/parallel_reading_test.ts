/** How many pages one endpoint, and one invocation, have under way at the same time. */
import assert from "node:assert/strict";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { createTestEngine, type TestEngine } from "../../support/engine.ts";
import type { FakeEndpoint } from "../../support/fake_connector_db.ts";
import { onePart, type Script, scriptedFiles } from "../../support/scripted_provider.ts";

/** An engine and an endpoint of `count` files in one part. */
function setUp(
  count: number,
  overrides: Partial<FakeEndpoint["endpoint"]> = {},
  script: Partial<Script> = {},
) {
  const engine = createTestEngine({ drives: new Map(), ...script });
  const endpoint = engine.db.add(overrides);
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(count, "f")));
  return { engine, endpoint };
}

async function sync({ db, deps }: TestEngine, endpoint: FakeEndpoint): Promise<void> {
  await workLeases([db.lease(endpoint)], deps);
}

Deno.test("a task is told how many lanes are idle, and is not asked to cut up twice", async () => {
  const idle: number[] = [];
  const { engine, endpoint } = setUp(60);
  engine.script.onPage = (page, task, context) => {
    idle.push(context.idleLanes);
    if (task.sequence > 0 || context.idleLanes === 0) return page;
    const seeds = Array.from({ length: context.idleLanes }, (_, n) => ({
      kind: "part",
      key: `window ${n}`,
      cursor: { part: "none", offset: 0 },
    }));
    return { ...page, seeds };
  };
  await sync(engine, endpoint);
  assert.equal(idle[0], 3);
  assert.equal(idle[1], 0, "the seeds of the first page are not tasks yet, but promised");
  assert.equal(endpoint.status, "completed");
});

Deno.test("a run with a small bound is not cut up: parallel pages would only be smaller", async () => {
  const idle: number[] = [];
  const { engine, endpoint } = setUp(60, { max_files_per_sync: 10 });
  engine.script.onPage = (page, _task, context) => {
    idle.push(context.idleLanes);
    return page;
  };
  await sync(engine, endpoint);
  assert.deepEqual(idle, [0]);
});

Deno.test("at most two pages of one endpoint are being committed at the same time", async () => {
  const { engine, endpoint } = setUp(0, {}, { limits: { maxParallelTasks: 8 } });
  const parts = Array.from({ length: 8 }, (_, n) => [`p${n}`, scriptedFiles(30, `p${n}`)] as const);
  engine.script.drives.set(endpoint.id, new Map(parts));
  let running = 0;
  let most = 0;
  engine.db.intercept = async (method) => {
    if (method !== "commitPage") return;
    most = Math.max(most, ++running);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    running -= 1;
  };
  await sync(engine, endpoint);
  assert.equal(endpoint.files.size, 240);
  assert.equal(most, 2);
});

Deno.test("heavy endpoints of one invocation ask for a bounded number of pages together", async () => {
  const script: Script = { drives: new Map(), limits: { maxParallelTasks: 8 } };
  const engine = createTestEngine(script);
  const endpoints = Array.from({ length: 5 }, () => engine.db.add());
  for (const { id } of endpoints) {
    const parts = Array.from(
      { length: 8 },
      (_, n) => [`p${n}`, scriptedFiles(30, `${id}-${n}`)] as const,
    );
    script.drives.set(id, new Map(parts));
  }
  let held = 0;
  let most = 0;
  script.onPage = (page) => {
    most = Math.max(most, ++held);
    return page;
  };
  const commitPage = engine.db.commitPage.bind(engine.db);
  const db = {
    ...engine.db,
    commitPage: async (...args: Parameters<typeof commitPage>) => {
      for (let turn = 0; turn < 30; turn++) await Promise.resolve();
      held -= 1;
      return await commitPage(...args);
    },
  };
  const leases = endpoints.map((endpoint) => engine.db.lease(endpoint));
  await workLeases(leases, { ...engine.deps, db }, { cpuBudgetMs: 1e9 });
  assert.ok(endpoints.every(({ files }) => files.size === 240));
  assert.ok(most <= 24 && most >= 20, `${most} pages`);
});
