/** What Autodesk gives no proper answer about, however it fails, holds up nothing else. */
import assert from "node:assert/strict";
import { stateOf } from "../../support/autodesk_sync.ts";
import { answering, silencing } from "../../support/silence.ts";
import { createTestClock } from "../../support/test_clock.ts";
import { checkProject, ONE_TOP, type Stage, syncFully, tableOf, withStage } from "./stage.ts";

const isContentOf = (id: string) => ({ pathname }: URL) =>
  decodeURIComponent(pathname).endsWith(`/folders/${id}/contents`);

async function ledgerOf({ world: { sql } }: Stage) {
  const rows = await sql`
    select external_folder_id as id, failure_code as code from connector.folder_errors`;
  return rows.map(({ id, code }) => [id, code]);
}

function addSibling({ model, ids }: Stage): void {
  const parent = model.createFolder({ name: "New", parent: ids.plans }).id;
  model.createItem({ name: "c.pdf", parent });
}

/** Checks that all but the folder `Old` was read, and that the run says so; then that it recovers. */
async function checkPassedOver(stage: Stage): Promise<void> {
  const { world, endpoint, ids, prefix } = stage;
  const { status, message } = await stateOf(world.sql, endpoint);
  assert.equal(status, "partial", message ?? "");
  assert.ok(message?.includes(`"${prefix}/Plans/Old"`), message ?? "");
  assert.deepEqual(await ledgerOf(stage), [[ids.old, "unavailable"]]);
  assert.deepEqual(await tableOf(stage), {
    living: ["/Plans/New/c.pdf", "/Plans/a.pdf", "/top.txt"],
    gone: [],
  });
  await world.sql`update connector.folder_errors set next_attempt_at = now()`;
  await world.sync();
  assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  assert.deepEqual(await ledgerOf(stage), []);
  await checkProject(stage);
}

for (const scope of ONE_TOP) {
  Deno.test(`${scope}: a folder that is silent for half a minute each time is passed over and named`, () =>
    withStage(scope, {}, async (stage) => {
      addSibling(stage);
      const { world } = stage;
      const clock = createTestClock();
      const fetch = silencing(world.aps.fetch, clock, isContentOf(stage.ids.old));
      await world.sync({ now: clock.now, sleep: clock.sleep, fetch });
      const slices = world.log.entries.filter(({ event }) => event === "slice_started").length;
      assert.ok(slices <= 2, `${slices} slices`);
      await checkPassedOver(stage);
    }));

  const garbled: readonly (readonly [what: string, answer: (url: URL) => Response])[] = [
    ["answered with a web page", () => new Response("<html>Sign in</html>")],
    ["answered with another shape", () => Response.json({ data: "none" })],
    [
      "answered with a page that leads back to itself",
      ({ href }) => Response.json({ data: [], links: { next: { href } } }),
    ],
  ];
  for (const [what, answer] of garbled) {
    Deno.test(`${scope}: a folder that is always ${what} is passed over and named`, () =>
      withStage(scope, {}, async (stage) => {
        addSibling(stage);
        const { world } = stage;
        const isHit = isContentOf(stage.ids.old);
        const fetch = answering(world.aps.fetch, (url) => isHit(url) ? answer(url) : null);
        await world.sync({ fetch });
        await checkPassedOver(stage);
      }));
  }

  Deno.test(`${scope}: a project of which nothing is answered fails as a whole, and names no folder`, () =>
    withStage(scope, {}, async (stage) => {
      const { world } = stage;
      await world.sync();
      world.aps.control.addFault({ fault: { type: "html" }, times: null });
      await syncFully(stage);
      const { status, code } = await stateOf(world.sql, stage.endpoint);
      assert.deepEqual([status, code], ["failed", "response_invalid"]);
      assert.deepEqual(await ledgerOf(stage), []);
      world.aps.control.faults.clear();
      await syncFully(stage);
      await checkProject(stage);
    }));
}

async function tombstonesOf({ world: { sql } }: Stage): Promise<number> {
  const rows = await sql`select from public.files where deleted_at is not null`;
  return rows.length;
}

Deno.test("what another scope does not hold is kept while Autodesk says nothing of its folder", () =>
  withStage("given folder", {}, async (stage) => {
    const { world, ids, top } = stage;
    await world.sync();
    world.aps.control.addFault({
      fault: { type: "status", status: 500 },
      method: "folders.get",
      path: encodeURIComponent(top),
      times: null,
    });
    const config = { project_id: world.place.projectId, folder_ids: [ids.plans] };
    await world.sql`
      update public.endpoints set endpoint_config = ${world.sql.json(config)}
      where id = ${stage.endpoint}`;
    await world.sync();
    assert.equal((await stateOf(world.sql, stage.endpoint)).status, "partial");
    assert.equal(await tombstonesOf(stage), 0);

    world.aps.control.faults.clear();
    await syncFully(stage);
    assert.equal((await stateOf(world.sql, stage.endpoint)).status, "completed");
    const narrowed = { ...stage, folderIds: [ids.plans], prefix: "" };
    await checkProject(narrowed, ["/Old/b.pdf", "/a.pdf"], ["top.txt out_of_scope"]);
  }));
