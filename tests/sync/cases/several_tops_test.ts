/** Scopes of several folders, one in a My Drive and one in a shared drive: two change logs. */
import assert from "node:assert/strict";
import { OWNER, stateOf } from "../../support/drive_sync.ts";
import { BASE, callsOf, checkDrive, type Stage, withStage } from "./stage.ts";

interface TwoTops extends Stage {
  /** A folder of a shared drive, with `/Team/there.txt`. */
  readonly other: string;
  readonly team: string;
  readonly there: string;
}

async function withTwoTops(test: (stage: TwoTops) => Promise<void>): Promise<void> {
  await withStage("folder in My Drive", {}, async (stage) => {
    const { world, model } = stage;
    const { sql } = world;
    const drive = model.createDrive({ name: "Team", members: [OWNER, world.account] });
    const other = model.createFolder({ name: "Other", parent: drive.id }).id;
    const team = model.createFolder({ name: "Team", parent: other }).id;
    const there = model.createFile({ name: "there.txt", parent: team }).id;
    const tops = [stage.top, other];
    const config = sql.json({ folder_ids: tops });
    await sql`update public.endpoints set endpoint_config = ${config} where id = ${stage.endpoint}`;
    await world.sync();
    const both = { ...stage, tops, other, team, there };
    await checkDrive(both, [...BASE, "/Team/there.txt"]);
    await test(both);
  });
}

interface Row {
  readonly what: string;
  readonly change: (stage: TwoTops) => void;
  readonly living: readonly string[];
  readonly gone?: readonly string[];
  readonly calls: number;
}

const TABLE: readonly Row[] = [
  {
    what: "nothing happens",
    change: () => {},
    living: [...BASE, "/Team/there.txt"],
    calls: 2,
  },
  {
    what: "a file moves from My Drive to the shared drive",
    change: ({ model, ids, team }) => model.move(ids.a, team),
    living: ["/Plans/Old/b.pdf", "/Team/a.pdf", "/Team/there.txt", "/top.txt"],
    calls: 2,
  },
  {
    what: "a file moves from the shared drive to My Drive",
    change: ({ model, ids, there }) => model.move(there, ids.old),
    living: [...BASE, "/Plans/Old/there.txt"],
    calls: 2,
  },
  {
    what: "a folder moves from My Drive to the shared drive",
    change: ({ model, ids, team }) => model.move(ids.plans, team),
    living: ["/Team/Plans/Old/b.pdf", "/Team/Plans/a.pdf", "/Team/there.txt", "/top.txt"],
    // What lies below it has other owners now: it is read again, level by level; then both logs are.
    calls: 6,
  },
  {
    what: "a folder moves from the shared drive to My Drive",
    change: ({ model, ids, team }) => model.move(team, ids.old),
    living: [...BASE, "/Plans/Old/Team/there.txt"],
    calls: 5,
  },
  {
    what: "a folder moves from My Drive to a part of the shared drive that is not in scope",
    change: ({ model, ids, other }) =>
      model.move(ids.plans, model.item(other).parents[0]?.id ?? ""),
    living: ["/Team/there.txt", "/top.txt"],
    gone: ["a.pdf out_of_scope", "b.pdf out_of_scope"],
    calls: 2,
  },
  {
    what: "a folder from elsewhere moves below the other top",
    change: ({ model, other, ids }) => model.move(ids.box, other),
    living: [...BASE, "/Box/Deep/deep.txt", "/Box/in.txt", "/Team/there.txt"],
    calls: 6,
  },
];

for (const { what, change, living, gone, calls } of TABLE) {
  Deno.test(`two folders of two drives: ${what}`, () =>
    withTwoTops(async (stage) => {
      const { world } = stage;
      change(stage);
      const made = await callsOf(stage, () => world.sync());
      await checkDrive(stage, living, gone);
      assert.equal((await stateOf(world.sql, stage.endpoint)).status, "completed");
      const total = Object.values(made).reduce((sum, n) => sum + n, 0);
      assert.equal(total, calls, JSON.stringify(made));
      // A full listing finds nothing to add.
      await world.sql`select public.request_sync(${stage.endpoint}, 'full')`;
      await world.sync();
      await checkDrive(stage, living, gone);
      assert.equal((await stateOf(world.sql, stage.endpoint)).files_updated, 0);
    }));
}

Deno.test("two folders of two drives: one is lost, and the other is followed on", () =>
  withTwoTops(async (stage) => {
    const { world, model, top } = stage;
    model.unshare(top, world.account);
    model.createFile({ name: "new.txt", parent: stage.other });
    await world.sync();
    const { status, message } = await stateOf(world.sql, stage.endpoint);
    assert.equal(status, "needs_attention");
    assert.match(message ?? "", /"?Scope/);
    await checkDrive(stage, ["/Team/there.txt", "/new.txt"], [
      "a.pdf removed",
      "b.pdf removed",
      "top.txt removed",
    ]);
    model.share(top, world.account);
    await world.sync();
    assert.equal((await stateOf(world.sql, stage.endpoint)).status, "completed");
    await checkDrive(stage, [...BASE, "/Team/there.txt", "/new.txt"]);
  }));

Deno.test("own corpus: a file shared by itself stays when the folder around it is no longer shared", () =>
  withStage("own corpus", {}, async (stage) => {
    const { world, model, ids, top } = stage;
    model.share(ids.a, world.account);
    await world.sync();
    await checkDrive(stage, BASE);
    model.unshare(top, world.account);
    await world.sync();
    await world.sql`select public.request_sync(${stage.endpoint}, 'full')`;
    await world.sync();
    // What is seen of it now stands at the top, since its folder is not seen.
    await checkDrive({ ...stage, prefix: "" }, ["/a.pdf"], ["b.pdf removed", "top.txt removed"]);
  }));
