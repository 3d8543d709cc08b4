import assert from "node:assert/strict";
import type {
  AbsenceVerdicts,
  AbsentItem,
  ListingMode,
} from "../../../supabase/functions/_shared/providers/types.ts";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { createTestEngine } from "../../support/engine.ts";
import { onePart, scriptedFiles } from "../../support/scripted_provider.ts";

type Answer = (items: readonly AbsentItem[]) => Partial<AbsenceVerdicts>;

/** An endpoint of a provider without change logs, listed once; then all but `kept` files vanish. */
async function setUp(count: number, kept: number, answer: Answer, fileTypes?: string[]) {
  const asked: (readonly string[])[] = [];
  const starts: { readonly mode: ListingMode; readonly memory: unknown }[] = [];
  const engine = createTestEngine({
    drives: new Map(),
    onAbsent: (items) => {
      asked.push(items.map(({ external_id }) => external_id));
      return Promise.resolve(answer(items));
    },
    onStart: ({ mode, memory }) => starts.push({ mode, memory }),
  });
  const endpoint = engine.db.add({ file_types: fileTypes ?? null });
  endpoint.isWalked = true;
  const sync = async () => {
    await workLeases([engine.db.lease(endpoint)], engine.deps);
    return engine.db.calls;
  };
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(count, "f")));
  await sync();
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(kept, "f")));
  engine.db.calls.length = 0;
  return { engine, endpoint, asked, starts, sync };
}

const idsOf = (items: readonly AbsentItem[]) => items.map(({ external_id }) => external_id);

Deno.test("a run of a provider without change logs is a listing, and says so and what is remembered", async () => {
  const { starts, sync, endpoint } = await setUp(5, 5, () => ({}));
  const calls = await sync();
  assert.deepEqual(starts, [
    { mode: "full", memory: null },
    { mode: "incremental", memory: { listed: "full" } },
  ]);
  assert.deepEqual(calls.filter((call) => call !== "claim"), [
    "beginSlice",
    "startListing",
    "commitPage",
    "absentItems",
    "sweep",
    "finishSlice",
  ]);
  assert.equal(endpoint.status, "completed");
});

Deno.test("absent items are asked about fifty at a time, and what is gone is deleted", async () => {
  const { asked, sync, endpoint } = await setUp(130, 10, (items) => ({ gone: idsOf(items) }));
  await sync();
  assert.deepEqual(asked.map(({ length }) => length), [50, 50, 20]);
  assert.equal(endpoint.files.size, 10);
  assert.equal(endpoint.deleted.size, 120);
});

Deno.test("an item of which nothing is said is asked about once more, and then left alone", async () => {
  const { asked, sync, endpoint } = await setUp(3, 1, () => ({}));
  await sync();
  assert.deepEqual(asked, [["f-1", "f-2"], ["f-1", "f-2"]]);
  assert.equal(endpoint.files.size, 3);
  assert.equal(endpoint.status, "completed");
});

Deno.test("an item that stays absent whatever is said of it is left alone in the end", async () => {
  const { asked, engine, sync, endpoint } = await setUp(2, 1, (items) => ({ gone: idsOf(items) }));
  const { noteAbsences } = engine.db;
  engine.deps.db.noteAbsences = (lease, verdicts) => noteAbsences(lease, { ...verdicts, gone: [] });
  await sync();
  assert.equal(asked.length, 2);
  assert.equal(endpoint.files.size, 2);
});

Deno.test("a file that is elsewhere is kept, unless it is of a type the endpoint excludes", async () => {
  const moved = scriptedFiles(3, "f").map((file) => ({ ...file, external_parent_id: "elsewhere" }));
  const { sync, endpoint } = await setUp(3, 1, () => ({
    present_files: moved.slice(1).map((file, index) => (
      index === 0 ? file : { ...file, file_name: "f 2.pdf", file_type: "pdf" }
    )),
  }), ["txt"]);
  await sync();
  assert.deepEqual([...endpoint.files.keys()], ["f-0", "f-1"]);
  assert.equal(endpoint.files.get("f-1")?.external_parent_id, "elsewhere");
});

Deno.test("a slice out of time goes on asking in the next one", async () => {
  const { engine, asked, sync, endpoint } = await setUp(130, 10, (items) => {
    engine.clock.advance(40_000);
    return { gone: idsOf(items) };
  });
  await sync();
  assert.equal(asked.length, 2);
  assert.equal(endpoint.outcomes.at(-1)?.type, "continue");
  await sync();
  assert.equal(asked.length, 3);
  assert.equal(endpoint.outcomes.at(-1)?.type, "done");
  assert.equal(endpoint.files.size, 10);
});

Deno.test("what the fuse withholds is asked about no more", async () => {
  const { engine, asked, sync, endpoint } = await setUp(5, 1, (items) => ({ gone: idsOf(items) }));
  engine.db.sweeping.fuse = 2;
  await sync();
  assert.equal(asked.length, 0);
  assert.equal(endpoint.files.size, 5);
  assert.ok(engine.log.entries.some(({ event }) => event === "deletions_held"));
});
