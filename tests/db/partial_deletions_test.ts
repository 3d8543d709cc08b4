/** What may be deleted while parts of a scope cannot be read: what is shown, or said, to be gone. */
import assert from "node:assert/strict";
import {
  addEndpoint,
  beginSlice,
  commitPage,
  fileRecord,
  finishSlice,
  folderRecord,
  type Lease,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";

/** Folders A and B with files in them, listed once. */
const FOLDERS = [folderRecord("A", "R"), folderRecord("B", "R"), folderRecord("B1", "B")];
const FILES = ["A", "B", "B1"].flatMap((parent) =>
  [1, 2, 3].map((n) => fileRecord(`${parent}-${n}`, { external_parent_id: parent }))
);
const LOST = [{ external_folder_id: "B", code: "access_denied", message: "No access to B" }];

async function begin(sql: Sql): Promise<{ lease: Lease; task: number }> {
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease, { confirms_absence: true });
  return { lease, task: task?.id ?? 0 };
}

async function again(sql: Sql): Promise<{ lease: Lease; task: number }> {
  await sql`update connector.endpoint_states set next_run_at = now(), requested_mode = 'full'`;
  return await begin(sql);
}

async function setUp(sql: Sql): Promise<void> {
  await addEndpoint(sql, { max_files_per_sync: null });
  const { lease, task } = await begin(sql);
  await commitPage(sql, lease, { task_id: task, folders: FOLDERS, files: FILES });
  await finishSlice(sql, lease, { type: "done" });
}

async function absent(sql: Sql, lease: Lease): Promise<string[]> {
  const [row] = await sql<{ absent: { items: { external_id: string }[] } }[]>`
    select public.connector_absent_items(${sql.json(lease)}, 50) as absent`;
  return row?.absent.items.map((item) => item.external_id).sort() ?? [];
}

async function sayGone(sql: Sql, lease: Lease, gone: string[]): Promise<void> {
  const said = { gone, present_files: [], present_folders: [], unknown: [], filtered: [] };
  await sql`select public.connector_note_absences(${sql.json(lease)}, ${sql.json(said)})`;
}

async function tombstones(sql: Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select external_file_id || ' ' || deletion_reason as line
    from public.files where deleted_at is not null order by 1`;
  const [counted] = await sql<{ isRight: boolean }[]>`
    select s.file_count = count(f.id) filter (where f.deleted_at is null)
      and s.total_bytes = coalesce(sum(f.file_size) filter (where f.deleted_at is null), 0) as "isRight"
    from connector.endpoint_states as s join public.files as f on f.endpoint_id = s.endpoint_id
    group by s.file_count, s.total_bytes`;
  assert.ok(counted?.isRight, "the endpoint's counts have drifted");
  return rows.map(({ line }) => line);
}

function removed(...ids: string[]) {
  return ids.map((external_id) => ({ external_id, reason: "removed" }));
}

Deno.test("a file that a page shows as deleted is gone with that page", () =>
  withDatabase(async (sql) => {
    await setUp(sql);
    const { lease, task } = await again(sql);
    const page = {
      task_id: task,
      folders: FOLDERS,
      removed: removed("A-1", "B1-2", "never seen"),
      next: { type: "more", cursor: 1 },
    };
    assert.equal((await commitPage(sql, lease, page)).deleted, 2);
    assert.deepEqual(await tombstones(sql), ["A-1 removed", "B1-2 removed"]);
    assert.equal((await commitPage(sql, lease, page)).repeated, true);
    const next = { ...page, sequence: 1, next: { type: "done" } };
    assert.equal((await commitPage(sql, lease, next)).deleted, 0, "a second look finds nothing");
    const [run] = await sql`select files_deleted::int as deleted from public.sync_logs
      order by started_at desc limit 1`;
    assert.equal(run?.deleted, 2);
  }));

Deno.test("a file that the listing showed is not deleted by another page of it", () =>
  withDatabase(async (sql) => {
    await setUp(sql);
    const { lease, task } = await again(sql);
    const files = [FILES[0], fileRecord("new", { external_parent_id: "A" })];
    await commitPage(sql, lease, {
      task_id: task,
      folders: FOLDERS,
      files: files.filter((file) => file !== undefined),
      next: { type: "more", cursor: 1 },
    });
    await commitPage(sql, lease, {
      task_id: task,
      sequence: 1,
      removed: removed("A-1", "new", "A-2"),
    });
    assert.deepEqual(await tombstones(sql), ["A-2 removed"]);
  }));

Deno.test("with a folder unreadable, the provider is asked about everything outside of it", () =>
  withDatabase(async (sql) => {
    await setUp(sql);
    const { lease, task } = await again(sql);
    await commitPage(sql, lease, {
      task_id: task,
      folders: FOLDERS.slice(0, 2),
      files: FILES.slice(0, 1),
      skipped: LOST,
    });
    assert.deepEqual(await absent(sql, lease), ["A-2", "A-3"]);
    await sayGone(sql, lease, ["A-2", "A-3"]);
    assert.deepEqual(await absent(sql, lease), []);
    const ended = await finishSlice(sql, lease, { type: "done" });
    assert.equal(ended.status, "partial");
    assert.deepEqual(await tombstones(sql), ["A-2 removed", "A-3 removed"]);
  }));

Deno.test("a folder that is gone then takes nothing along: each file in it is asked about", () =>
  withDatabase(async (sql) => {
    await setUp(sql);
    const { lease, task } = await again(sql);
    await commitPage(sql, lease, { task_id: task, folders: FOLDERS.slice(1, 2), skipped: LOST });
    assert.deepEqual(await absent(sql, lease), ["A"]);
    await sayGone(sql, lease, ["A"]);
    assert.deepEqual(await tombstones(sql), []);
    assert.deepEqual(await absent(sql, lease), ["A-1", "A-2", "A-3"]);
    await sayGone(sql, lease, ["A-1"]);
    assert.deepEqual(await tombstones(sql), ["A-1 removed"]);
    assert.deepEqual(await absent(sql, lease), ["A-2", "A-3"]);
  }));

Deno.test("while tasks are open nobody is asked, and an unreadable file is not asked about", () =>
  withDatabase(async (sql) => {
    await setUp(sql);
    const { lease, task } = await again(sql);
    const page = { task_id: task, folders: FOLDERS, skipped: LOST };
    await commitPage(sql, lease, { ...page, next: { type: "more", cursor: 1 } });
    assert.deepEqual(await absent(sql, lease), []);
    const unreadable = { external_folder_id: "A-2", code: "response_invalid", message: "?" };
    await commitPage(sql, lease, { task_id: task, sequence: 1, skipped: [unreadable] });
    assert.deepEqual(await absent(sql, lease), ["A-1", "A-3"]);
  }));

Deno.test("the fuse counts what may be asked about, and an approval is used up by a partial run", () =>
  withDatabase(async (sql) => {
    await setUp(sql);
    const many = (parent: string) =>
      Array.from(
        { length: 60 },
        (_, n) => fileRecord(`${parent}+${n}`, { external_parent_id: parent }),
      );
    const { lease, task } = await again(sql);
    const all = [...FILES, ...many("A"), ...many("B")];
    await commitPage(sql, lease, { task_id: task, folders: FOLDERS, files: all });
    await finishSlice(sql, lease, { type: "done" });

    const lost = await again(sql);
    const inA = all.filter(({ external_parent_id: parent }) => parent === "A");
    const page = { folders: FOLDERS.slice(0, 2), skipped: LOST };
    await commitPage(sql, lost.lease, { ...page, task_id: lost.task, files: inA });
    assert.deepEqual(await absent(sql, lost.lease), [], "what lies in B is not counted");
    const ended = await finishSlice(sql, lost.lease, { type: "done" });
    assert.equal(ended.status, "partial");

    const held = await again(sql);
    await commitPage(sql, held.lease, { ...page, task_id: held.task });
    assert.deepEqual(await absent(sql, held.lease), []);
    const told = await finishSlice(sql, held.lease, { type: "done" });
    assert.equal(told.status, "needs_attention");

    await sql`update connector.endpoint_states set are_deletions_approved = true`;
    const approved = await again(sql);
    await commitPage(sql, approved.lease, { ...page, task_id: approved.task });
    for (let ids = await absent(sql, approved.lease); ids.length > 0;) {
      await sayGone(sql, approved.lease, ids);
      ids = await absent(sql, approved.lease);
    }
    const done = await finishSlice(sql, approved.lease, { type: "done" });
    assert.equal(done.status, "partial");
    assert.equal((await tombstones(sql)).length, 63);
    const [state] = await sql`select are_deletions_approved from connector.endpoint_states`;
    assert.equal(state?.are_deletions_approved, false);
  }));

/** A run on the feed's terms: listed in full where it is to be, an item of it unreadable. */
async function runWithUnreadableItem(sql: Sql): Promise<string> {
  await sql`update connector.endpoint_states set next_run_at = now()`;
  const lease = await beginSlice(sql);
  const [run] = await sql<{ mode: string }[]>`
    select mode from public.sync_logs where status = 'running'`;
  if (run?.mode === "full") {
    const [task] = await startListing(sql, lease);
    await commitPage(sql, lease, {
      task_id: task?.id ?? 0,
      files: FILES,
      folders: FOLDERS,
      skipped: [{
        external_folder_id: "R",
        code: "response_invalid",
        message: "An item has no id",
      }],
    });
  }
  await finishSlice(sql, lease, { type: "done" });
  return run?.mode ?? "";
}

Deno.test("a listing that stays incomplete is owed at once, then ever less often, and a whole one ends that", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql, { max_files_per_sync: null });
    const modes: string[] = [];
    for (let run = 0; run < 5; run++) modes.push(await runWithUnreadableItem(sql));
    assert.deepEqual(modes, ["full", "full", "incremental", "incremental", "incremental"]);

    const waits: (number | null)[] = [];
    for (let listing = 0; listing < 3; listing++) {
      const [state] = await sql<{ minutes: number | null }[]>`
        select round(extract(epoch from next_listing_at - now()) / 60)::int as minutes
        from connector.endpoint_states`;
      waits.push(state?.minutes ?? null);
      await sql`update connector.endpoint_states set next_listing_at = now()`;
      assert.equal(await runWithUnreadableItem(sql), "full");
    }
    assert.deepEqual(waits, [15, 30, 60]);

    await sql`update connector.endpoint_states set next_listing_at = now(), next_run_at = now()`;
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    await commitPage(sql, lease, { task_id: task?.id ?? 0, files: FILES, folders: FOLDERS });
    await finishSlice(sql, lease, { type: "done" });
    const [state] = await sql`
      select incomplete_listings, next_listing_at, owes_sweep from connector.endpoint_states`;
    assert.deepEqual({ ...state }, {
      incomplete_listings: 0,
      next_listing_at: null,
      owes_sweep: false,
    });
  }));

Deno.test("a full sync that is asked for does not wait for the next listing that is owed", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql, { max_files_per_sync: null });
    for (let run = 0; run < 3; run++) await runWithUnreadableItem(sql);
    await sql`select public.request_sync(${id}, 'full')`;
    assert.equal(await runWithUnreadableItem(sql), "full");
  }));
