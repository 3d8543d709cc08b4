import assert from "node:assert/strict";
import { stateOf } from "../../support/drive_sync.ts";
import {
  callsOf,
  checkDrive,
  FOLDER_SCOPES,
  listingCalls,
  LOG_CALLS,
  pagesOf,
  type Scope,
  SCOPES,
  type Stage,
  withStage,
} from "./stage.ts";

/** Lists, and pages of the log. */
type Cost = readonly [lists: number, logs: number];

/** What a run costs in which something happens, and one in which it is undone. */
type Costs = readonly [Cost, Cost];

/** What happens to the drive between two pages of a listing, and how it is undone. */
interface Event {
  readonly what: string;
  readonly happens: (stage: Stage) => void;
  readonly undo: (stage: Stage) => void;
  /**
   * Where folders are walked, in a whole shared drive, and in a corpus of one's own; two items to a
   * page. A list may show what happened, or not any more. What the log tells of a folder that came, was
   * moved or renamed is walked again, page by page, for what may have been out of sight with it; after
   * a walk the log is asked once more.
   */
  readonly costs: readonly [walked: Costs, drive: Costs, corpus: Costs];
}

function costsOf({ costs: [walked, drive, corpus] }: Event, scope: Scope): Costs {
  if (FOLDER_SCOPES.includes(scope)) return walked;
  return scope === "own corpus" ? corpus : drive;
}

const EVENTS: readonly Event[] = [
  {
    what: "a file is renamed and edited",
    happens: ({ model, ids }) => {
      model.rename(ids.a, "renamed.pdf");
      model.edit(ids.a, { size: 5 });
    },
    undo: ({ model, ids }) => model.rename(ids.a, "a.pdf"),
    costs: [[[8, 1], [8, 1]], [[8, 1], [8, 1]], [[9, 1], [9, 1]]],
  },
  {
    what: "a file is moved up",
    happens: ({ model, ids, top }) => model.move(ids.b, top),
    undo: ({ model, ids }) => model.move(ids.b, ids.old),
    costs: [[[8, 1], [9, 1]], [[8, 1], [8, 1]], [[9, 1], [9, 1]]],
  },
  {
    what: "a file is moved down",
    happens: ({ model, ids }) => model.move(ids.topFile, ids.old),
    undo: ({ model, ids, top }) => model.move(ids.topFile, top),
    costs: [[[8, 1], [8, 1]], [[8, 1], [8, 1]], [[9, 1], [9, 1]]],
  },
  {
    what: "a file is trashed",
    happens: ({ model, ids }) => model.trash(ids.a),
    undo: ({ model, ids }) => model.untrash(ids.a),
    costs: [[[8, 1], [8, 1]], [[7, 1], [8, 1]], [[8, 1], [9, 1]]],
  },
  {
    what: "a file leaves the scope",
    happens: ({ model, ids, outside }) => model.move(ids.a, outside),
    undo: ({ model, ids }) => model.move(ids.a, ids.plans),
    costs: [[[8, 1], [8, 1]], [[7, 1], [8, 1]], [[8, 1], [9, 1]]],
  },
  {
    what: "a folder is renamed",
    happens: ({ model, ids }) => model.rename(ids.plans, "Drawings"),
    undo: ({ model, ids }) => model.rename(ids.plans, "Plans"),
    costs: [[[8, 2], [10, 2]], [[10, 2], [10, 2]], [[11, 2], [11, 2]]],
  },
  {
    what: "a folder is moved",
    happens: ({ model, ids, top }) => model.move(ids.old, top),
    undo: ({ model, ids }) => model.move(ids.old, ids.plans),
    costs: [[[8, 2], [10, 2]], [[9, 2], [9, 2]], [[10, 2], [10, 2]]],
  },
  {
    what: "a folder is trashed",
    happens: ({ model, ids }) => model.trash(ids.plans),
    undo: ({ model, ids }) => model.untrash(ids.plans),
    costs: [[[6, 1], [8, 2]], [[7, 1], [10, 2]], [[8, 1], [10, 2]]],
  },
  {
    what: "a folder comes into scope",
    happens: ({ model, ids }) => model.move(ids.box, ids.old),
    undo: ({ model, ids, outside }) => model.move(ids.box, outside),
    costs: [[[12, 2], [8, 1]], [[11, 2], [9, 1]], [[12, 2], [10, 2]]],
  },
  {
    what: "a folder leaves the scope",
    happens: ({ model, ids, outside }) => model.move(ids.plans, outside),
    undo: ({ model, ids, top }) => model.move(ids.plans, top),
    costs: [[[6, 1], [8, 2]], [[7, 1], [10, 2]], [[9, 2], [10, 2]]],
  },
  {
    what: "files come, in a folder that is new, and others go for ever",
    happens: ({ model, top, made }) => {
      for (const id of made.splice(0)) model.delete(id);
      const parent = model.createFolder({ name: "New", parent: top }).id;
      for (let n = 0; n < 3; n++) made.push(model.createFile({ name: `${n}`, parent }).id);
    },
    undo: ({ model, made }) => {
      for (const id of made.splice(0, 1)) model.delete(id);
    },
    costs: [[[10, 3], [10, 1]], [[11, 3], [10, 1]], [[12, 3], [10, 1]]],
  },
];

/** A fetch that lets something happen before the `nth` page of a listing is answered. */
function interrupting(stage: Stage, nth: number, happens: () => void): typeof fetch {
  let page = 0;
  return (input, init) => {
    const { pathname } = new URL(new Request(input).url);
    if (pathname.endsWith("/files") && ++page === nth) happens();
    return stage.world.drive.fetch(input, init);
  };
}

for (const scope of SCOPES) {
  for (const event of EVENTS) {
    Deno.test(`${scope}: ${event.what} while it is being listed: right after the same run`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, model, endpoint } = stage;
        // Enough for six pages, whatever is moved away.
        for (let n = 0; n < 10; n++) model.createFile({ name: `${n}.txt`, parent: stage.top });
        for (const nth of [2, 4]) {
          for (const happens of [event.happens, event.undo]) {
            let count = 0;
            await world.sql`select public.request_sync(${endpoint}, 'full')`;
            await world.sync({
              ...pagesOf(2, stage),
              fetch: interrupting(stage, nth, () => {
                count += 1;
                happens(stage);
              }),
            });
            assert.equal(count, 1, `the listing has ${nth} pages`);
            assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
            await checkLiving(stage, `page ${nth}`);
          }
        }
      }));
  }
}

/** The engine with pages of two items, which are read one after the other. */
function inOneLane(stage: Stage): Stage["world"]["deps"] {
  const { provider, ...deps } = pagesOf(2, stage);
  return {
    ...deps,
    provider: { ...provider, limits: { ...provider.limits, maxParallelTasks: 1 } },
  };
}

for (const scope of SCOPES) {
  for (const event of EVENTS) {
    Deno.test(`${scope}: ${event.what} while it is being listed: for so many calls, and none later`, () =>
      withStage(scope, {}, async (stage) => {
        const { world, model, endpoint } = stage;
        for (let n = 0; n < 10; n++) model.createFile({ name: `${n}.txt`, parent: stage.top });
        const [happening, undoing] = costsOf(event, scope);
        for (
          const [happens, cost] of [[event.happens, happening], [event.undo, undoing]] as const
        ) {
          await world.sql`select public.request_sync(${endpoint}, 'full')`;
          const fetch = interrupting(stage, 2, () => happens(stage));
          const calls = await callsOf(stage, () => world.sync({ ...inOneLane(stage), fetch }));
          const [lists, logs] = cost;
          const expected = { ...listingCalls(scope), "files.list": lists, "changes.list": logs };
          assert.deepEqual(calls, expected);
          assert.deepEqual(await callsOf(stage, () => world.sync()), LOG_CALLS);
        }
        await checkLiving(stage, "in the end");
      }));
  }
}

async function checkLiving(stage: Stage, when: string): Promise<void> {
  try {
    const { gone } = await goneOf(stage);
    await checkDrive(stage, undefined, gone);
  } catch (cause) {
    throw new Error(`${when}: the table is not what the drive holds`, { cause });
  }
}

/** Which tombstones there are is no matter here. */
async function goneOf({ world: { sql }, endpoint }: Stage) {
  const rows = await sql`
    select file_name || ' ' || deletion_reason as tomb from public.files
    where endpoint_id = ${endpoint} and deleted_at is not null`;
  return { gone: rows.map(({ tomb }) => String(tomb)) };
}
