import assert from "node:assert/strict";
import { generateTree } from "../../../local/google/generated_tree.ts";
import { stateOf } from "../../support/drive_sync.ts";
import {
  BASE,
  callsOf,
  checkDrive,
  FOLDER_SCOPES,
  pagesOf,
  type Scope,
  SCOPES,
  type Stage,
  withStage,
} from "./stage.ts";

type Deps = Stage["world"]["deps"];

/** What one invocation left behind. */
interface Handover {
  readonly status: string;
  readonly wakes: number;
  /** Whether the endpoint is due, that is, whether another invocation can take it up at once. */
  readonly isDue: boolean;
}

/** Runs one invocation on what is due, as the dispatcher starts it. */
async function invoke(
  stage: Stage,
  deps: Partial<Deps>,
  options: Parameters<Stage["world"]["slice"]>[1] = {},
): Promise<Handover> {
  const { world, endpoint } = stage;
  let wakes = 0;
  const wakeDispatcher = () => {
    wakes += 1;
    return Promise.resolve();
  };
  await world.slice({ ...deps, wakeDispatcher }, options);
  const [state] = await world.sql`
    select next_run_at <= now() as is_due from connector.endpoint_states
    where endpoint_id = ${endpoint}`;
  const { status } = await stateOf(world.sql, endpoint);
  return { status, wakes, isDue: state?.["is_due"] === true };
}

/** Invocation after invocation, as long as each wakes the dispatcher; returns how many it took. */
async function untilDone(next: () => Promise<Handover>): Promise<number> {
  for (let slices = 1; slices <= 100; slices++) {
    const { status, wakes, isDue } = await next();
    if (status !== "running") {
      assert.deepEqual([status, wakes], ["completed", 0]);
      return slices;
    }
    assert.equal(wakes, 1, "a slice that hands over wakes the dispatcher");
    assert.ok(isDue, "a slice that hands over leaves no idle minute");
  }
  throw new Error("The run does not end");
}

function grow({ model, top }: Stage, files = 60): void {
  generateTree(model, { parent: top, files, filesPerFolder: 6 });
}

/** A clock that moves ten seconds with every call of the provider. */
function slowCalls(stage: Stage): Pick<Deps, "fetch" | "now"> {
  let calls = 0;
  return {
    now: () => new Date(Date.now() + calls * 10_000),
    fetch: (input, init) => {
      calls += 1;
      return stage.world.drive.fetch(input, init);
    },
  };
}

/** The ways in which an invocation may run out of something. */
const BUDGETS: readonly (readonly [what: string, (stage: Stage) => Promise<Handover>])[] = [
  ["CPU time", (stage) => invoke(stage, pagesOf(5, stage), { cpuBudgetMs: 12 })],
  ["time", (stage) => invoke(stage, { ...pagesOf(5, stage), ...slowCalls(stage) })],
  ["its worker", async (stage) => {
    const unload = new AbortController();
    let pages = 0;
    const fetch: Deps["fetch"] = async (input, init) => {
      const answer = await stage.world.drive.fetch(input, init);
      if (++pages === 6) unload.abort();
      return answer;
    };
    return await invoke(stage, { ...pagesOf(5, stage), fetch, unloading: unload.signal });
  }],
];

for (const scope of SCOPES) {
  for (const [what, next] of BUDGETS) {
    Deno.test(`${scope}: a first sync that runs out of ${what} again and again loses nothing`, () =>
      withStage(scope, {}, async (stage) => {
        grow(stage);
        const slices = await untilDone(() => next(stage));
        assert.ok(slices >= 3, `${slices} slices`);
        await checkDrive(stage);
        assert.equal((await stateOf(stage.world.sql, stage.endpoint)).slices, slices);
        assert.equal((await stateOf(stage.world.sql, stage.endpoint)).files_added, 63);
      }));

    Deno.test(`${scope}: an incremental sync that runs out of ${what} again and again loses nothing`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, model, ids, top } = stage;
        await world.sync();
        for (let n = 0; n < 60; n++) model.createFile({ name: `${n}.txt`, parent: ids.old });
        model.rename(ids.plans, "Drawings");
        model.trash(ids.a);
        grow({ ...stage, top: ids.deep });
        model.move(ids.box, top);
        await world.sql`update connector.endpoint_states set next_run_at = now()`;
        const slices = await untilDone(() => next(stage));
        assert.ok(slices >= 3, `${slices} slices`);
        await checkDrive(stage, undefined, ["a.pdf trashed"]);
      }));
  }
}

for (const scope of SCOPES) {
  Deno.test(`${scope}: max_files_per_sync bounds each incremental run, and nothing is lost`, () =>
    withStage(scope, { max_files_per_sync: 10 }, async (stage) => {
      const { world, model, ids } = stage;
      await world.sync();
      for (let n = 0; n < 25; n++) model.createFile({ name: `${n}.txt`, parent: ids.old });
      const runs: (readonly [status: string, files: number])[] = [];
      for (let run = 0; run < 3; run++) {
        await world.sync();
        const { status, files_seen, slices } = await stateOf(world.sql, stage.endpoint);
        assert.equal(slices, 1, "a bounded run is not gone on with at once");
        runs.push([status, files_seen]);
      }
      assert.deepEqual(runs, [["partial", 10], ["partial", 10], ["completed", 5]]);
      await checkDrive(stage);
    }));

  Deno.test(`${scope}: a bounded run is due again at the next minute`, () =>
    withStage(scope, { max_files_per_sync: 2, interval_minutes: 60 }, async (stage) => {
      const { world } = stage;
      await world.sync();
      const [state] = await world.sql`
        select next_run_at = date_trunc('minute', next_run_at) as is_whole,
          -- The minute may have turned since.
          next_run_at >= date_trunc('minute', now())
            and next_run_at <= now() + interval '1 minute' as is_next
        from connector.endpoint_states where endpoint_id = ${stage.endpoint}`;
      assert.deepEqual({ ...state }, { is_whole: true, is_next: true });
      await world.sync();
      await checkDrive(stage, BASE);
    }));
}

for (const scope of FOLDER_SCOPES) {
  Deno.test(`${scope}: max_files_per_sync bounds the reading of a folder that came into scope`, () =>
    withStage(scope, { max_files_per_sync: 10 }, async (stage) => {
      const { world, model, ids, top } = stage;
      await world.sync();
      for (let n = 0; n < 25; n++) model.createFile({ name: `${n}.txt`, parent: ids.deep });
      await world.sync();
      model.move(ids.box, top);
      let last = await stateOf(world.sql, stage.endpoint);
      for (let run = 0; run < 8 && (run === 0 || last.status === "partial"); run++) {
        await world.sync();
        last = await stateOf(world.sql, stage.endpoint);
        assert.ok(last.files_seen <= 10);
      }
      assert.equal(last.status, "completed");
      await checkDrive(stage);
    }));
}

const BIG: readonly Scope[] = ["whole shared drive", "folder in a shared drive"];
for (const scope of BIG) {
  Deno.test(`${scope}: small endpoints do not wait for the slices of a big first sync`, () =>
    withStage(scope, { name: "big" }, async (stage) => {
      const { world, model } = stage;
      grow(stage, 1_500);
      const owner = model.createFolder({
        name: "Small",
        parent: model.account("owner@example.com").root.id,
      }).id;
      model.createFile({ name: "small.txt", parent: owner });
      model.share(owner, world.account);
      const budget = { cpuBudgetMs: 150 };
      assert.equal((await invoke(stage, pagesOf(5, stage), budget)).status, "running");
      const small: string[] = [];
      for (let n = 0; n < 6; n++) small.push(await world.add({ folder_id: owner }));
      assert.equal((await invoke(stage, pagesOf(5, stage), budget)).status, "running");
      for (const id of small) {
        assert.equal((await stateOf(world.sql, id)).status, "completed");
      }
    }));
}

Deno.test("whole shared drive: a run cut into slices costs no more pages than an uncut one", () =>
  withStage("whole shared drive", {}, async (stage) => {
    grow(stage);
    const uncut = await callsOf(stage, () => stage.world.sync(pagesOf(5, stage)));
    await stage.world.sql`select public.request_sync(${stage.endpoint}, 'full')`;
    const cut = await callsOf(
      stage,
      async () => void await untilDone(() => invoke(stage, pagesOf(5, stage), { cpuBudgetMs: 12 })),
    );
    assert.deepEqual(cut, uncut);
  }));
