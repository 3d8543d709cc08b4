import assert from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { addDrive, createTestEngine } from "../../support/engine.ts";
import { type Script, scriptedFiles } from "../../support/scripted_provider.ts";
import { waitFor } from "../../support/wait_for.ts";

function newScript(): Script {
  return { drives: new Map() };
}

Deno.test("a run lists a drive page by page and ends as done", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 35);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.files.size, 35);
  assert.equal(endpoint.status, "completed");
  assert.deepEqual(engine.asked.map(({ offset }) => offset), [0, 10, 20, 30]);
  assert.equal(endpoint.leaseToken, null);
  assert.equal(engine.wakes.count, 0);
});

Deno.test("a run on an empty drive is done", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 0);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.status, "completed");
});

Deno.test("a second run of an unchanged drive writes no file", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 35);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  const written = endpoint.filesWritten;
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.filesWritten, written);
  assert.equal(endpoint.outcomes.length, 2);
});

Deno.test("the next page is fetched while the last one is being committed, and commits stay in order", async () => {
  const script = newScript();
  const events: string[] = [];
  script.onRead = (task) => {
    events.push(`read ${task.sequence}`);
    return Promise.resolve();
  };
  const engine = createTestEngine(script);
  engine.db.intercept = async (method, _lease, page) => {
    if (method !== "commitPage" || page === undefined) return;
    events.push(`commit ${page.sequence}`);
    // A slow commit: whatever can run beside it does.
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    events.push(`committed ${page.sequence}`);
  };
  const endpoint = addDrive(engine, 30);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.status, "completed");
  for (const sequence of [0, 1]) {
    const read = events.indexOf(`read ${sequence + 1}`);
    assert.ok(read < events.indexOf(`committed ${sequence}`), events.join(", "));
  }
  const commits = events.filter((event) => event.startsWith("commit"));
  assert.deepEqual(commits, [0, 1, 2].flatMap((n) => [`commit ${n}`, `committed ${n}`]));
  assert.ok(events.indexOf("read 2") > events.indexOf("committed 0"), "one page ahead, no more");
});

Deno.test("tasks of one endpoint are read in parallel, never more than the provider allows", async () => {
  const script = newScript();
  let running = 0;
  let most = 0;
  script.onRead = async () => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    running -= 1;
  };
  const engine = createTestEngine(script);
  const endpoint = engine.db.add();
  const parts = Array.from({ length: 12 }, (_, n) => [`p${n}`, scriptedFiles(5, `p${n}`)] as const);
  script.drives.set(endpoint.id, new Map(parts));
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.files.size, 60);
  assert.equal(most, 4);
});

Deno.test("a listing of thousands of tasks is worked through with a bounded few in memory", async () => {
  const script = newScript();
  const engine = createTestEngine(script);
  const endpoint = engine.db.add();
  const parts = Array.from(
    { length: 3_000 },
    (_, n) => [`p${n}`, scriptedFiles(1, `p${n}`)] as const,
  );
  script.drives.set(endpoint.id, new Map(parts));
  const options = { cpuBudgetMs: 1_000_000 };
  await workLeases([engine.db.lease(endpoint)], engine.deps, options);
  assert.equal(endpoint.files.size, 3_000);
  assert.equal(engine.asked.length, 3_000);
  const refills = engine.db.calls.filter((call) => call === "openTasks").length;
  assert.ok(refills >= 29 && refills <= 40, `${refills} refills`);
});

Deno.test("a page committed twice changes nothing, and the task goes on from what is stored", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 30);
  let isLost = false;
  const commitPage = engine.db.commitPage.bind(engine.db);
  const deps = {
    ...engine.deps,
    db: {
      ...engine.db,
      commitPage: async (...args: Parameters<typeof commitPage>) => {
        const answer = await commitPage(...args);
        if (isLost || args[1].sequence !== 1) return answer;
        isLost = true;
        throw new SyncError("unavailable", "The answer was lost after the commit.");
      },
    },
  };
  await workLeases([engine.db.lease(endpoint)], deps);
  assert.equal(endpoint.status, "completed");
  assert.equal(endpoint.files.size, 30);
  assert.equal(endpoint.filesWritten, 30);
});

Deno.test("a commit that keeps failing ends the run and writes nothing after it", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 50);
  engine.db.intercept = (method, _lease, page) =>
    method === "commitPage" && page?.sequence === 2
      ? Promise.reject(new SyncError("unavailable", "The database does not answer."))
      : Promise.resolve();
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.files.size, 20);
  const outcome = endpoint.outcomes[0];
  assert.equal(outcome?.type === "failed" && outcome.code, "unavailable");
  assert.equal(endpoint.status, "failed");
  engine.db.intercept = () => Promise.resolve();
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.files.size, 50);
  assert.equal(endpoint.filesWritten, 50);
});

Deno.test("a lost lease ends the work in silence and nothing more is written", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 50);
  engine.db.intercept = (method, _lease, page) => {
    if (method === "commitPage" && page?.sequence === 2) engine.db.takeOver(endpoint);
    return Promise.resolve();
  };
  const lease = engine.db.lease(endpoint);
  await workLeases([lease], engine.deps);
  assert.equal(endpoint.files.size, 20);
  assert.deepEqual(endpoint.outcomes, []);
  assert.notEqual(endpoint.leaseToken, null, "the other worker keeps its lease");
  assert.ok(engine.log.entries.some(({ event }) => event === "lease_lost"));
});

Deno.test("a lease is renewed while no commit extends it, and its loss breaks off a read", async () => {
  const script = newScript();
  const hung = Promise.withResolvers<AbortSignal>();
  script.onRead = (_task, { signal }) => {
    hung.resolve(signal);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
  };
  const engine = createTestEngine(script);
  const endpoint = addDrive(engine, 5);
  const work = workLeases([engine.db.lease(endpoint)], engine.deps);
  await hung.promise;
  const renewals = () => engine.db.calls.filter((call) => call === "renewLease").length;
  engine.clock.advance(39_000);
  assert.equal(renewals(), 0);
  engine.clock.advance(1_000);
  await waitFor("the first renewal", () => renewals() === 1, { everyMs: 0 });
  engine.db.takeOver(endpoint);
  engine.clock.advance(40_000);
  await work;
  assert.equal(renewals(), 2);
  assert.equal(endpoint.files.size, 0);
  assert.deepEqual(endpoint.outcomes, []);
});

Deno.test("a renewal that fails is tried again before the lease runs out", async () => {
  const script = newScript();
  const go = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  script.onRead = () => {
    reading.resolve();
    return go.promise;
  };
  const engine = createTestEngine(script);
  const endpoint = addDrive(engine, 5);
  let renewals = 0;
  engine.db.intercept = (method) =>
    method === "renewLease" && ++renewals === 1
      ? Promise.reject(new SyncError("unavailable", "The database does not answer."))
      : Promise.resolve();
  const work = workLeases([engine.db.lease(endpoint)], engine.deps);
  await reading.promise;
  engine.clock.advance(40_000);
  await waitFor("the second renewal", () => renewals === 2, { everyMs: 0 });
  assert.deepEqual(engine.clock.waits, [20_000]);
  go.resolve();
  await work;
  assert.equal(endpoint.files.size, 5);
});

Deno.test("a spent budget stops the run between pages; the next slice goes on from there", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 100);
  let commits = 0;
  engine.db.intercept = (method) => {
    if (method === "commitPage" && ++commits === 3) engine.clock.advance(60_000);
    return Promise.resolve();
  };
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.outcomes[0]?.type, "continue");
  assert.ok(endpoint.files.size >= 30 && endpoint.files.size <= 40, `${endpoint.files.size}`);
  assert.equal(engine.wakes.count, 1);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.files.size, 100);
  assert.equal(endpoint.filesWritten, 100);
  assert.equal(endpoint.status, "completed");
  assert.deepEqual(
    engine.asked.map(({ offset }) => offset).toSorted((a, b) => a - b),
    [0, 10, 20, 30, 40, 50, 60, 70, 80, 90],
    "no page was read twice",
  );
});

Deno.test("the estimated CPU time of an invocation is bounded", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 1_000);
  await workLeases([engine.db.lease(endpoint)], engine.deps, { cpuBudgetMs: 20 });
  assert.equal(endpoint.outcomes[0]?.type, "continue");
  assert.ok(endpoint.files.size > 0 && endpoint.files.size < 200, `${endpoint.files.size}`);
});

Deno.test("beforeunload breaks off reading, lets the commit end and hands the run over", async () => {
  const script = newScript();
  const engine = createTestEngine(script);
  script.onRead = (task, { signal: _ }) => {
    if (task.sequence !== 2) return Promise.resolve();
    engine.unload.abort();
    return Promise.reject(new DOMException("unloading", "AbortError"));
  };
  const endpoint = addDrive(engine, 100);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.deepEqual(endpoint.outcomes.map(({ type }) => type), ["continue"]);
  assert.equal(endpoint.files.size, 20);
  assert.equal(engine.wakes.count, 1);
});

Deno.test("a page token that has died begins the listing again, once a slice", async () => {
  const script = newScript();
  let deaths = 0;
  script.onRead = (task) =>
    task.sequence === 1 && deaths++ === 0
      ? Promise.reject(new SyncError("cursor_expired", "The page token is not known any more."))
      : Promise.resolve();
  const engine = createTestEngine(script);
  const endpoint = addDrive(engine, 30);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.status, "completed");
  assert.equal(endpoint.files.size, 30);
  assert.equal(engine.db.calls.filter((call) => call === "startListing").length, 2);

  script.onRead = (task) =>
    task.sequence === 1
      ? Promise.reject(new SyncError("cursor_expired", "The page token is not known any more."))
      : Promise.resolve();
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  const outcome = endpoint.outcomes[1];
  assert.equal(outcome?.type === "failed" && outcome.code, "cursor_expired");
});

Deno.test("a failure carries its code, sentence, remedy and the provider's wait", async () => {
  const script = newScript();
  script.onRead = () =>
    Promise.reject(new SyncError("rate_limited", "Too many calls.", { retryAfterMs: 90_500 }));
  const engine = createTestEngine(script);
  const endpoint = addDrive(engine, 5);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.deepEqual(endpoint.outcomes, [{
    type: "failed",
    code: "rate_limited",
    message: "Too many calls.",
    remedy: "retry",
    retry_after_seconds: 91,
    provider_calls: 0,
    next_cron_at: null,
  }]);
});

Deno.test("an unexpected error ends the run as internal and keeps its text for the log", async () => {
  const script = newScript();
  script.onRead = () => Promise.reject(new RangeError("a secret detail"));
  const engine = createTestEngine(script);
  const endpoint = addDrive(engine, 5);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  const [outcome] = endpoint.outcomes;
  assert.ok(outcome?.type === "failed" && outcome.code === "internal");
  assert.ok(!outcome.message.includes("a secret detail"));
  assert.ok(engine.log.entries.some(({ event }) => event === "run_failed"));
});

Deno.test("a finished run of a cron schedule says when it is due next", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 5, {
    schedule_type: "cron",
    schedule_cron: "30 6 * * *",
    timezone: "Europe/Berlin",
  });
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  assert.equal(endpoint.outcomes[0]?.next_cron_at, "2026-11-23T05:30:00.000Z");
});

Deno.test("a run is told in three events with its counts", async () => {
  const engine = createTestEngine();
  const endpoint = addDrive(engine, 15);
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  const events = engine.log.entries.filter(({ level }) => level === "info");
  assert.deepEqual(events.map(({ event }) => event), [
    "slice_started",
    "page_committed",
    "page_committed",
    "run_finished",
  ]);
  assert.equal(events[1]?.fields.files, 10);
  assert.equal(events[3]?.fields.files, 15);
  assert.equal(events[3]?.fields.added, 15);
  assert.equal(events[3]?.fields.outcome, "done");
  assert.equal(typeof events[3]?.fields.files_per_second, "number");
  assert.ok(events.every(({ fields }) => fields.endpoint_id === endpoint.id));
});
