/** A folder that Drive never lists properly, however it fails, holds up no other. */
import assert from "node:assert/strict";
import { stateOf } from "../../support/drive_sync.ts";
import { answering, silencing } from "../../support/silence.ts";
import { createTestClock } from "../../support/test_clock.ts";
import {
  BASE,
  callsOf,
  checkDrive,
  FOLDER_SCOPES,
  type Stage,
  tableOf,
  withStage,
} from "./stage.ts";

/** How many slices a sync may take that passes over one silent folder: for its group, then for it alone. */
const MOST_SLICES = 3;

const asksFor = (id: string) => (url: URL) =>
  (url.searchParams.get("q") ?? "").includes(`'${id}' in parents`);

async function ledgerOf({ world: { sql } }: Stage) {
  const rows =
    await sql`select external_folder_id as id, failure_code as code from connector.folder_errors`;
  return rows.map(({ id, code }) => [id, code]);
}

async function readAgain(stage: Stage): Promise<void> {
  const { world } = stage;
  await world.sql`update connector.folder_errors set next_attempt_at = now()`;
  await world.sync();
  assert.equal((await stateOf(world.sql, stage.endpoint)).status, "completed");
  assert.deepEqual(await ledgerOf(stage), []);
  await checkDrive(stage);
}

/** Checks that all but the folder `old` was read, and that the run says so. */
async function checkPassedOver(stage: Stage): Promise<void> {
  const { status, message } = await stateOf(stage.world.sql, stage.endpoint);
  assert.equal(status, "partial", message ?? "");
  assert.match(message ?? "", /"\/Plans\/Old"/);
  assert.deepEqual(await ledgerOf(stage), [[stage.ids.old, "unavailable"]]);
  const { living, gone } = await tableOf(stage);
  assert.deepEqual(living, ["/Plans/New/c.pdf", "/Plans/a.pdf", "/top.txt"]);
  assert.deepEqual(gone, []);
}

function addSibling({ model, ids }: Stage): void {
  const parent = model.createFolder({ name: "New", parent: ids.plans }).id;
  model.createFile({ name: "c.pdf", parent });
}

for (const scope of FOLDER_SCOPES) {
  Deno.test(`${scope}: a folder that is silent for half a minute each time is passed over and named`, () =>
    withStage(scope, {}, async (stage) => {
      addSibling(stage);
      const { world } = stage;
      const clock = createTestClock();
      const { fetch } = world.drive;
      await world.sync({
        now: clock.now,
        sleep: clock.sleep,
        fetch: silencing(fetch, clock, asksFor(stage.ids.old)),
      });
      const slices = world.log.entries.filter(({ event }) => event === "slice_started").length;
      assert.ok(slices <= MOST_SLICES, `${slices} slices`);
      await checkPassedOver(stage);
      await readAgain(stage);
    }));

  const garbled: readonly (readonly [what: string, answer: () => Response])[] = [
    ["answered with a web page", () => new Response("<html>Sign in</html>")],
    ["answered with another shape", () => Response.json({ files: "none" })],
    [
      "answered with a list that goes on and on",
      () => Response.json({ files: [], nextPageToken: "again" }),
    ],
  ];
  for (const [what, answer] of garbled) {
    Deno.test(`${scope}: a folder that is always ${what} is passed over and named`, () =>
      withStage(scope, {}, async (stage) => {
        addSibling(stage);
        const { world } = stage;
        const isHit = asksFor(stage.ids.old);
        const fetch = answering(world.drive.fetch, (url) => isHit(url) ? answer() : null);
        await world.sync({ fetch });
        await checkPassedOver(stage);
        await readAgain(stage);
      }));
  }

  Deno.test(`${scope}: a list that is broken once is asked for once more, and nothing is missing`, () =>
    withStage(scope, {}, async (stage) => {
      const { world } = stage;
      const isHit = asksFor(stage.ids.old);
      let broken = 0;
      const fetch = answering(
        world.drive.fetch,
        (url) => isHit(url) && broken++ === 0 ? new Response('{"files":[') : null,
      );
      await world.sync({ fetch });
      assert.equal((await stateOf(world.sql, stage.endpoint)).status, "completed");
      await checkDrive(stage, BASE);
      assert.deepEqual(await callsOf(stage, () => world.sync()), { "changes.list": 1 });
    }));
}
