import assert from "node:assert/strict";
import { stateOf } from "../../support/drive_sync.ts";
import { checkDrive, pagesOf, SCOPES, type Stage, withStage } from "./stage.ts";

/** What happens to the drive between two pages of a listing, and how it is undone. */
interface Event {
  readonly what: string;
  readonly happens: (stage: Stage) => void;
  readonly undo: (stage: Stage) => void;
}

const EVENTS: readonly Event[] = [
  {
    what: "a file is renamed and edited",
    happens: ({ model, ids }) => {
      model.rename(ids.a, "renamed.pdf");
      model.edit(ids.a, { size: 5 });
    },
    undo: ({ model, ids }) => model.rename(ids.a, "a.pdf"),
  },
  {
    what: "a file is moved up",
    happens: ({ model, ids, top }) => model.move(ids.b, top),
    undo: ({ model, ids }) => model.move(ids.b, ids.old),
  },
  {
    what: "a file is moved down",
    happens: ({ model, ids }) => model.move(ids.topFile, ids.old),
    undo: ({ model, ids, top }) => model.move(ids.topFile, top),
  },
  {
    what: "a file is trashed",
    happens: ({ model, ids }) => model.trash(ids.a),
    undo: ({ model, ids }) => model.untrash(ids.a),
  },
  {
    what: "a file leaves the scope",
    happens: ({ model, ids, outside }) => model.move(ids.a, outside),
    undo: ({ model, ids }) => model.move(ids.a, ids.plans),
  },
  {
    what: "a folder is renamed",
    happens: ({ model, ids }) => model.rename(ids.plans, "Drawings"),
    undo: ({ model, ids }) => model.rename(ids.plans, "Plans"),
  },
  {
    what: "a folder is moved",
    happens: ({ model, ids, top }) => model.move(ids.old, top),
    undo: ({ model, ids }) => model.move(ids.old, ids.plans),
  },
  {
    what: "a folder is trashed",
    happens: ({ model, ids }) => model.trash(ids.plans),
    undo: ({ model, ids }) => model.untrash(ids.plans),
  },
  {
    what: "a folder comes into scope",
    happens: ({ model, ids }) => model.move(ids.box, ids.old),
    undo: ({ model, ids, outside }) => model.move(ids.box, outside),
  },
  {
    what: "a folder leaves the scope",
    happens: ({ model, ids, outside }) => model.move(ids.plans, outside),
    undo: ({ model, ids, top }) => model.move(ids.plans, top),
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
