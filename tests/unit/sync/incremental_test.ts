import assert from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { SliceOver } from "../../../supabase/functions/_shared/sync/slice_over.ts";
import { createTestEngine, type TestEngine } from "../../support/engine.ts";
import type { FakeEndpoint } from "../../support/fake_connector_db.ts";
import {
  onePart,
  type Script,
  type ScriptedChange,
  scriptedFiles,
} from "../../support/scripted_provider.ts";

type Overrides = Partial<FakeEndpoint["endpoint"]>;

/** An engine and an endpoint of `count` files in one part, whose drive keeps one change log. */
function setUp(count: number, overrides: Overrides = {}, script: Partial<Script> = {}) {
  const log: ScriptedChange[] = [];
  const engine = createTestEngine({ drives: new Map(), logs: new Map(), ...script });
  const endpoint = engine.db.add(overrides);
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(count, "f")));
  engine.script.logs?.set(endpoint.id, new Map([["user", log]]));
  return { engine, endpoint, log };
}

async function sync(engine: TestEngine, endpoint: FakeEndpoint): Promise<readonly string[]> {
  const before = engine.db.calls.length;
  await workLeases([engine.db.lease(endpoint)], engine.deps);
  return engine.db.calls.slice(before);
}

function changesOf(count: number, prefix: string): ScriptedChange[] {
  return scriptedFiles(count, prefix).map((file) => ({ file }));
}

Deno.test("the first run lists, reads the log from where it stood before, sweeps and is done", async () => {
  const { engine, endpoint, log } = setUp(15);
  engine.script.onRead = (task) => {
    // Added while the listing is under way: the log alone shows it.
    if (task.sequence === 1) log.push(...changesOf(1, "late"));
    return Promise.resolve();
  };
  const calls = await sync(engine, endpoint);
  assert.equal(endpoint.files.size, 16);
  assert.equal(endpoint.status, "completed");
  assert.deepEqual(calls.filter((call) => call !== "claim"), [
    "beginSlice",
    "startListing",
    "commitPage",
    "commitPage",
    "commitChanges",
    "sweep",
    "finishSlice",
  ]);
});

Deno.test("a run in which nothing has changed begins and finishes, and commits nothing", async () => {
  const { engine, endpoint } = setUp(15);
  await sync(engine, endpoint);
  let reads = 0;
  engine.script.onChanges = () => {
    reads += 1;
    return Promise.resolve();
  };
  const calls = await sync(engine, endpoint);
  assert.deepEqual(calls.filter((call) => call !== "claim"), ["beginSlice", "finishSlice"]);
  assert.equal(reads, 1);
  assert.equal(endpoint.outcomes[1]?.type, "done");
});

Deno.test("a log is read to its end, the next page while the last one is committed", async () => {
  const { engine, endpoint, log } = setUp(5);
  await sync(engine, endpoint);
  log.push(...changesOf(25, "new"), { removed: "f-1", reason: "trashed" });
  const events: string[] = [];
  engine.script.onChanges = (feed) => {
    events.push(`read ${feed.sequence}`);
    return Promise.resolve();
  };
  engine.db.intercept = async (method, _lease, page) => {
    if (method !== "commitChanges" || page === undefined) return;
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    events.push(`committed ${page.sequence}`);
  };
  await sync(engine, endpoint);
  assert.equal(endpoint.files.size, 29);
  assert.deepEqual([...endpoint.deleted], [["f-1", "trashed"]]);
  assert.deepEqual(events, [
    "read 0",
    "read 1",
    "committed 0",
    "read 2",
    "committed 1",
    "committed 2",
  ]);
});

Deno.test("several logs are read one after the other", async () => {
  const { engine, endpoint, log } = setUp(0);
  const other: ScriptedChange[] = [];
  engine.script.logs?.set(endpoint.id, new Map([["user", log], ["drive", other]]));
  await sync(engine, endpoint);
  log.push(...changesOf(1, "a"));
  other.push(...changesOf(1, "b"));
  const order: string[] = [];
  engine.db.intercept = (method, _lease, page) => {
    if (method === "commitChanges" && page && "feed_key" in page) order.push(page.feed_key);
    return Promise.resolve();
  };
  engine.script.onChanges = (feed) => {
    order.push(`read ${feed.key}`);
    return Promise.resolve();
  };
  await sync(engine, endpoint);
  assert.deepEqual(order, ["read user", "user", "read drive", "drive"]);
});

Deno.test("folders that come into scope are walked after the logs, in the same run", async () => {
  const { engine, endpoint, log } = setUp(3);
  await sync(engine, endpoint);
  log.push({
    folder: {
      external_folder_id: "folder",
      external_parent_id: null,
      folder_name: "folder",
      is_root: false,
    },
  }, ...changesOf(12, "n"));
  const parts = engine.script.drives.get(endpoint.id) ?? new Map();
  engine.script.drives.set(endpoint.id, new Map([...parts, ["folder", scriptedFiles(4, "in")]]));
  const calls = await sync(engine, endpoint);
  assert.equal(endpoint.files.size, 19);
  assert.equal(endpoint.status, "completed");
  assert.ok(calls.lastIndexOf("commitChanges") < calls.indexOf("commitPage"), calls.join());
  assert.ok(!calls.includes("sweep"), "only a full listing shows what is gone");
});

/** A log that brings a folder with files in it, and what happens while that is walked. */
function setUpWalk(onWalk: (log: ScriptedChange[], engine: TestEngine) => void) {
  const { engine, endpoint, log } = setUp(3);
  const parts = engine.script.drives.get(endpoint.id) ?? new Map();
  const bring = async () => {
    await sync(engine, endpoint);
    log.push({
      folder: {
        external_folder_id: "folder",
        external_parent_id: null,
        folder_name: "folder",
        is_root: false,
      },
    });
    engine.script.drives.set(endpoint.id, new Map([...parts, ["folder", scriptedFiles(4, "in")]]));
    let walks = 0;
    engine.script.onRead = () => {
      if (walks++ === 0) onWalk(log, engine);
      return Promise.resolve();
    };
  };
  return { engine, endpoint, bring };
}

Deno.test("after a walk the logs are read once more, and what came meanwhile is of the same run", async () => {
  const { engine, endpoint, bring } = setUpWalk((log) => log.push(...changesOf(2, "late")));
  await bring();
  let reads = 0;
  engine.script.onChanges = () => Promise.resolve(void (reads += 1));
  const calls = await sync(engine, endpoint);
  assert.equal(endpoint.files.size, 9);
  assert.equal(endpoint.status, "completed");
  assert.equal(reads, 2, "one more, as the second reading brought nothing to be walked");
  assert.deepEqual(
    calls.filter((call) => call.startsWith("commit")),
    ["commitChanges", "commitPage", "commitChanges"],
  );
});

Deno.test("a walk that uses up the slice leaves the second look at the logs to the next one", async () => {
  const { engine, endpoint, bring } = setUpWalk((log, { clock }) => {
    log.push(...changesOf(2, "late"));
    clock.advance(60_000);
  });
  await bring();
  await sync(engine, endpoint);
  assert.equal(endpoint.outcomes.at(-1)?.type, "continue");
  assert.equal(endpoint.files.size, 7);
  const calls = await sync(engine, endpoint);
  assert.equal(endpoint.outcomes.at(-1)?.type, "done");
  assert.equal(endpoint.files.size, 9);
  assert.ok(!calls.includes("commitPage"));
});

Deno.test("tasks left open by the last slice come before the logs", async () => {
  const { engine, endpoint, log } = setUp(30);
  let commits = 0;
  engine.db.intercept = (method) => {
    if (method === "commitPage" && ++commits === 2) engine.clock.advance(60_000);
    return Promise.resolve();
  };
  const first = await sync(engine, endpoint);
  log.push(...changesOf(1, "late"));
  assert.ok(!first.includes("commitChanges"));
  const second = await sync(engine, endpoint);
  assert.ok(second.lastIndexOf("commitPage") < second.indexOf("commitChanges"), second.join());
  assert.equal(endpoint.files.size, 31);
  assert.equal(endpoint.status, "completed");
});

Deno.test("a run out of budget after its listing goes on with the log in the next slice", async () => {
  const { engine, endpoint, log } = setUp(5);
  engine.db.intercept = (method) => {
    if (method === "commitPage") {
      log.push(...changesOf(1, "late"));
      engine.clock.advance(60_000);
    }
    return Promise.resolve();
  };
  await sync(engine, endpoint);
  assert.equal(endpoint.outcomes[0]?.type, "continue");
  engine.db.intercept = () => Promise.resolve();
  const calls = await sync(engine, endpoint);
  assert.ok(!calls.includes("startListing"));
  assert.ok(calls.includes("sweep"));
  assert.equal(endpoint.files.size, 6);
  assert.equal(endpoint.outcomes[1]?.type, "done");
});

Deno.test("a log position that has died leads to a full listing in the same slice, once", async () => {
  const { engine, endpoint, log } = setUp(5);
  await sync(engine, endpoint);
  let deaths = 1;
  engine.script.onChanges = () =>
    deaths-- > 0
      ? Promise.reject(new SyncError("cursor_expired", "The log no longer goes back so far."))
      : Promise.resolve();
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(3, "f")));
  log.push(...changesOf(1, "unseen"));
  const calls = await sync(engine, endpoint);
  assert.equal(calls.filter((call) => call === "startListing").length, 1);
  assert.equal(endpoint.status, "completed");
  assert.deepEqual([...endpoint.files.keys()], ["f-0", "f-1", "f-2"]);
  assert.deepEqual([...endpoint.deleted.keys()], ["f-3", "f-4"]);

  deaths = 2;
  log.push(...changesOf(1, "unseen"));
  await sync(engine, endpoint);
  const outcome = endpoint.outcomes.at(-1);
  assert.equal(outcome?.type === "failed" && outcome.code, "cursor_expired");
});

Deno.test("a sweep is repeated until nothing is left to be deleted", async () => {
  const { engine, endpoint } = setUp(30);
  await sync(engine, endpoint);
  engine.db.sweeping.limit = 8;
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(9, "f")));
  endpoint.isListed = false;
  const calls = await sync(engine, endpoint);
  assert.equal(calls.filter((call) => call === "sweep").length, 3);
  assert.equal(endpoint.files.size, 9);
  const report = engine.log.entries.findLast(({ event }) => event === "run_finished");
  assert.equal(report?.fields.deleted, 21);
});

Deno.test("deletions that the fuse withholds are told and end the sweep", async () => {
  const { engine, endpoint } = setUp(30);
  await sync(engine, endpoint);
  engine.db.sweeping.fuse = 5;
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(9, "f")));
  endpoint.isListed = false;
  await sync(engine, endpoint);
  assert.equal(endpoint.files.size, 30);
  const held = engine.log.entries.find(({ event }) => event === "deletions_held");
  assert.equal(held?.fields.held, 21);
});

Deno.test("file_types is asked about changes too", async () => {
  const { engine, endpoint, log } = setUp(0, { file_types: ["pdf"] });
  await sync(engine, endpoint);
  const [pdf, txt] = scriptedFiles(2, "c");
  assert.ok(pdf && txt);
  log.push({ file: { ...pdf, file_name: "a.pdf", file_type: "pdf" } }, { file: txt });
  await sync(engine, endpoint);
  assert.deepEqual([...endpoint.files.keys()], ["c-0"]);
  assert.deepEqual([...endpoint.filtered], ["c-1"]);
});

Deno.test("max_files_per_sync counts changes, and nothing is lost by it", async () => {
  const { engine, endpoint, log } = setUp(0, { max_files_per_sync: 20 });
  await sync(engine, endpoint);
  log.push(...changesOf(50, "c"));
  const sizes: number[] = [];
  for (let run = 0; run < 3; run++) {
    await sync(engine, endpoint);
    sizes.push(endpoint.files.size);
  }
  assert.deepEqual(sizes, [20, 40, 50]);
  const ends = endpoint.outcomes.map(({ type }) => type);
  assert.deepEqual(ends, ["done", "limit_reached", "limit_reached", "done"]);
});

Deno.test("a drive that fits its bound exactly is done when its log shows no file", async () => {
  const { engine, endpoint, log } = setUp(20, { max_files_per_sync: 20 });
  engine.db.intercept = (method) => {
    if (method === "commitPage") log.splice(0, Infinity, { removed: "f-0", reason: "removed" });
    return Promise.resolve();
  };
  await sync(engine, endpoint);
  assert.equal(endpoint.status, "completed");
  assert.equal(endpoint.files.size, 19);
});

Deno.test("a change page whose commit was answered too late is not committed twice", async () => {
  const { engine, endpoint, log } = setUp(0);
  await sync(engine, endpoint);
  log.push(...changesOf(25, "c"));
  const commitChanges = engine.db.commitChanges.bind(engine.db);
  let isLost = false;
  const db = {
    ...engine.db,
    commitChanges: async (...args: Parameters<typeof commitChanges>) => {
      const answer = await commitChanges(...args);
      if (isLost) return answer;
      isLost = true;
      throw new SyncError("unavailable", "The answer was lost after the commit.");
    },
  };
  await workLeases([engine.db.lease(endpoint)], { ...engine.deps, db });
  assert.equal(endpoint.files.size, 25);
  assert.equal(endpoint.filesWritten, 25);
  assert.equal(endpoint.status, "completed");
});

Deno.test("a log that stands elsewhere than was told is read again by the next slice", async () => {
  const { engine, endpoint, log } = setUp(0);
  await sync(engine, endpoint);
  log.push(...changesOf(5, "c"));
  engine.db.intercept = (method) => {
    const feed = endpoint.feeds.get("user");
    if (method === "commitChanges" && feed) {
      endpoint.feeds.set("user", { ...feed, sequence: feed.sequence + 7 });
      engine.db.intercept = () => Promise.resolve();
    }
    return Promise.resolve();
  };
  await sync(engine, endpoint);
  assert.equal(endpoint.outcomes[1]?.type, "continue");
  await sync(engine, endpoint);
  assert.equal(endpoint.files.size, 5);
  assert.equal(endpoint.outcomes[2]?.type, "done");
});

Deno.test("a wait that is the next slice's ends this one as continue, not as failed", async () => {
  const { engine, endpoint } = setUp(5);
  engine.script.onRead = () => Promise.reject(new SliceOver("The wait is the next slice's"));
  await sync(engine, endpoint);
  assert.equal(endpoint.outcomes[0]?.type, "continue");
  assert.equal(engine.wakes.count, 1);
});
