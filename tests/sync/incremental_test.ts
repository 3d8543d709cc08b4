import assert from "node:assert/strict";
import { arrangeDrive } from "../../local/google/arrangement.ts";
import {
  type DriveSync,
  filesOf,
  OWNER,
  pathsOf,
  stateOf,
  withDriveSync,
} from "../support/drive_sync.ts";

const LAYOUTS = ["shared_folder", "shared_drive"] as const;
type Layout = typeof LAYOUTS[number];

/** A scope with `/Plans/a.pdf`, `/Plans/Old/b.pdf` and `/top.txt`, synced once. */
async function setUp(world: DriveSync, layout: Layout) {
  const { drive, account } = world;
  const { model, control } = drive;
  const scope = arrangeDrive(model, { layout, name: "Scope", owner: OWNER, reader: account })
    .folderId;
  const top = model.createFile({ name: "top.txt", parent: scope });
  const plans = model.createFolder({ name: "Plans", parent: scope });
  const a = model.createFile({ name: "a.pdf", parent: plans.id });
  const old = model.createFolder({ name: "Old", parent: plans.id });
  const b = model.createFile({ name: "b.pdf", parent: old.id });
  const config = layout === "shared_drive" ? { drive_id: scope } : { folder_id: scope };
  const endpoint = await world.add(config);
  await world.sync();
  assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  const callsOf = async (work: () => Promise<void>) => {
    const before = control.counters().calls;
    await work();
    const after = control.counters().calls;
    const made = Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)] as const);
    return Object.fromEntries(made.filter(([, n]) => n > 0));
  };
  return { model, control, scope, top, plans, a, old, b, endpoint, callsOf };
}

async function goneOf({ sql }: DriveSync, endpoint: string) {
  const rows = await sql`
    select file_name, deletion_reason from public.files
    where endpoint_id = ${endpoint} and deleted_at is not null order by file_name`;
  return rows.map((row) => `${row.file_name} ${row.deletion_reason}`);
}

/** Paths of the files that are there now. */
async function living({ sql }: DriveSync, endpoint: string): Promise<string[]> {
  const files = await filesOf(sql, endpoint);
  return files.filter(({ sync_status }) => sync_status === "completed")
    .map(({ file_path }) => file_path);
}

for (const layout of LAYOUTS) {
  Deno.test(`${layout}: a sync with nothing changed costs one call and commits nothing`, () =>
    withDriveSync(async (world) => {
      const { endpoint, callsOf } = await setUp(world, layout);
      const calls: string[] = [];
      const db = new Proxy(world.deps.db, {
        get(target, name, receiver) {
          if (typeof name === "string") calls.push(name);
          return Reflect.get(target, name, receiver);
        },
      });
      const provider = await callsOf(() => world.sync({ db }));
      assert.deepEqual(provider, { "changes.list": 1 });
      assert.deepEqual(calls.filter((name) => !["claim", "takeCalls"].includes(name)), [
        "beginSlice",
        "finishSlice",
      ]);
      assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
    }));

  Deno.test(`${layout}: what happens to files comes by the change log alone`, () =>
    withDriveSync(async (world) => {
      const { model, scope, top, plans, a, old, b, endpoint, callsOf } = await setUp(world, layout);
      model.createFile({ name: "new.txt", parent: old.id });
      model.rename(top.id, "renamed.txt");
      model.move(a.id, scope);
      model.trash(b.id);
      const provider = await callsOf(() => world.sync());
      assert.deepEqual(Object.keys(provider), ["changes.list"]);
      assert.deepEqual(await living(world, endpoint), [
        "/Plans/Old/new.txt",
        "/a.pdf",
        "/renamed.txt",
      ]);
      assert.deepEqual(await goneOf(world, endpoint), ["b.pdf trashed"]);
      model.untrash(b.id);
      model.rename(plans.id, "Drawings");
      await world.sync();
      assert.deepEqual(await living(world, endpoint), [
        "/Drawings/Old/b.pdf",
        "/Drawings/Old/new.txt",
        "/a.pdf",
        "/renamed.txt",
      ]);
      model.trash(b.id);
      model.delete(b.id);
      await world.sync();
      assert.equal((await living(world, endpoint)).length, 3);
    }));

  Deno.test(`${layout}: a trashed folder takes its content along and brings it back`, () =>
    withDriveSync(async (world) => {
      const { model, plans, endpoint } = await setUp(world, layout);
      model.trash(plans.id);
      await world.sync();
      assert.deepEqual(await living(world, endpoint), ["/top.txt"]);
      model.untrash(plans.id);
      await world.sync();
      assert.deepEqual(await living(world, endpoint), [
        "/Plans/Old/b.pdf",
        "/Plans/a.pdf",
        "/top.txt",
      ]);
    }));

  Deno.test(`${layout}: a dead position in the log leads to a full listing that sweeps`, () =>
    withDriveSync(async (world) => {
      const { model, control, a, endpoint } = await setUp(world, layout);
      model.trash(a.id);
      model.delete(a.id);
      control.expireChangeTokens();
      await world.sync();
      assert.deepEqual(await living(world, endpoint), ["/Plans/Old/b.pdf", "/top.txt"]);
      assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
    }));

  Deno.test(`${layout}: what changes while it is being listed is right after the same run`, () =>
    withDriveSync(async (world) => {
      const { model, scope, top, a, endpoint } = await setUp(world, layout);
      await world.sql`select public.request_sync(${endpoint}, 'full')`;
      let commits = 0;
      const { db } = world.deps;
      const commitPage: typeof db.commitPage = async (lease, page) => {
        const committed = await db.commitPage(lease, page);
        if (commits++ === 0) {
          model.createFile({ name: "late.txt", parent: scope });
          model.rename(top.id, "later.txt");
          model.trash(a.id);
        }
        return committed;
      };
      await world.sync({ db: { ...db, commitPage } });
      assert.deepEqual(await living(world, endpoint), [
        "/Plans/Old/b.pdf",
        "/late.txt",
        "/later.txt",
      ]);
    }));

  Deno.test(`${layout}: quota errors make all wait and lose nothing`, () =>
    withDriveSync(async (world) => {
      const { model, control, scope, endpoint } = await setUp(world, layout);
      model.createFile({ name: "new.txt", parent: scope });
      control.faults.add({ fault: { type: "status", status: 429, retryAfterSeconds: 1 } });
      control.faults.add({
        fault: { type: "status", status: 403, reason: "userRateLimitExceeded" },
        skip: 1,
      });
      await world.sync();
      assert.ok((await pathsOf(world.sql, endpoint)).includes("/new.txt"));
      const [limit] = await world.sql`
        select count(*)::int as n from connector.rate_limits where blocked_until is not null`;
      assert.equal(limit?.n, 1);
    }));
}

Deno.test("a folder that moves into scope is walked; one that moves out takes its content along", () =>
  withDriveSync(async (world) => {
    const { model, scope, plans, endpoint } = await setUp(world, "shared_folder");
    const outside = arrangeDrive(model, {
      layout: "shared_folder",
      name: "Outside",
      owner: OWNER,
      reader: world.account,
    }).folderId;
    const box = model.createFolder({ name: "Box", parent: outside });
    model.createFile({
      name: "in.txt",
      parent: model.createFolder({ name: "Deep", parent: box.id }).id,
    });
    await world.sync();
    assert.ok(!(await living(world, endpoint)).includes("/Box/Deep/in.txt"));
    model.move(box.id, scope);
    model.move(plans.id, outside);
    await world.sync();
    assert.deepEqual(await living(world, endpoint), ["/Box/Deep/in.txt", "/top.txt"]);
    assert.deepEqual(await goneOf(world, endpoint), ["a.pdf out_of_scope", "b.pdf out_of_scope"]);
  }));

Deno.test("a folder of a thousand files is renamed by one call and one commit", () =>
  withDriveSync(async (world) => {
    const { model, old, plans, endpoint, callsOf } = await setUp(world, "shared_folder");
    for (let n = 0; n < 1_000; n++) model.createFile({ name: `${n}.txt`, parent: old.id });
    await world.sync();
    model.rename(plans.id, "Drawings");
    assert.deepEqual(await callsOf(() => world.sync()), { "changes.list": 1 });
    const [row] = await world.sql`
      select count(*)::int as n from public.files
      where endpoint_id = ${endpoint} and file_path like '/Drawings/Old/%'`;
    assert.equal(row?.n, 1_001);
  }));

Deno.test("a big flat listing is cut into windows that are read side by side", () =>
  withDriveSync(async (world) => {
    const { drive, account } = world;
    const scope = arrangeDrive(drive.model, {
      layout: "shared_drive",
      name: "Big",
      owner: OWNER,
      reader: account,
    }).folderId;
    for (let n = 0; n < 4_000; n++) {
      const createdTime = new Date(Date.UTC(2020, 0, 1) + n * 3_600_000).toISOString();
      drive.model.createFile({ name: `${n}.txt`, parent: scope, createdTime });
    }
    const endpoint = await world.add({ drive_id: scope });
    await world.sync();
    const { status, files_added } = await stateOf(world.sql, endpoint);
    assert.deepEqual({ status, files_added }, { status: "completed", files_added: 4_000 });
    const windows = new Set(
      world.log.entries.filter(({ event }) => event === "page_committed")
        .map(({ fields }) => fields.task_id),
    );
    assert.ok(windows.size > 4, `${windows.size} tasks`);
  }));
