import assert from "node:assert/strict";
import {
  ADA,
  addEndpoint,
  asUser,
  beginSlice,
  commitChanges,
  commitPage,
  failureOf,
  fileRecord,
  finishSlice,
  folderRecord,
  GRACE,
  type Lease,
  type Sql,
  startListing,
  sweep,
  withDatabase,
} from "../support/database.ts";

function files(from: number, to: number, parent = "R") {
  return Array.from(
    { length: to - from },
    (_, n) => fileRecord(`f${String(from + n).padStart(4, "0")}`, { external_parent_id: parent }),
  );
}

type Page = { files?: ReturnType<typeof fileRecord>[]; [field: string]: unknown };

/** Begins a full listing that shows the given files, and stops before the sweep. */
async function list(sql: Sql, page: Page): Promise<Lease> {
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease);
  assert.ok(task);
  await commitPage(sql, lease, { ...JSON.parse(JSON.stringify(page)), task_id: task.id });
  return lease;
}

async function listAgain(sql: Sql, page: Page): Promise<Lease> {
  await sql`update connector.endpoint_states set next_run_at = now(), requested_mode = 'full'`;
  return await list(sql, page);
}

/** An endpoint whose first listing showed `count` files. */
async function synced(sql: Sql, count: number): Promise<string> {
  const id = await addEndpoint(sql, { max_files_per_sync: null });
  await finishSlice(sql, await list(sql, { files: files(0, count) }), { type: "done" });
  return id;
}

async function alive(sql: Sql): Promise<number> {
  const [row] = await sql`
    select count(*)::int as files, (select file_count::int from connector.endpoint_states) as counted
    from public.files where deleted_at is null`;
  assert.equal(row?.files, row?.counted, "the endpoint's count has drifted");
  return row?.files;
}

Deno.test("a complete listing sweeps what it has not shown, with the reason removed", () =>
  withDatabase(async (sql) => {
    await synced(sql, 40);
    const lease = await listAgain(sql, { files: files(10, 45) });
    assert.deepEqual(await sweep(sql, lease), { deleted: 10, held: null, calls: 1 });
    await finishSlice(sql, lease, { type: "done" });
    assert.equal(await alive(sql), 35);
    const [row] = await sql`
      select count(*)::int as gone, min(deletion_reason) as reason,
        (select files_deleted::int from public.sync_logs order by started_at desc limit 1) as counted
      from public.files where deleted_at is not null`;
    assert.deepEqual({ ...row }, { gone: 10, reason: "removed", counted: 10 });
  }));

Deno.test("listing an unchanged drive again writes no row of files, and deletes none", () =>
  withDatabase(async (sql) => {
    await synced(sql, 60);
    const before = await sql`select ctid, xmin, xmax from public.files order by id`;
    const lease = await listAgain(sql, { files: files(0, 60) });
    assert.equal((await sweep(sql, lease)).deleted, 0);
    assert.deepEqual(await sql`select ctid, xmin, xmax from public.files order by id`, before);
  }));

for (
  const [title, page] of Object.entries({
    "a skipped folder": {
      skipped: [{ external_folder_id: "X", code: "access_denied", message: "no" }],
    },
    "an incomplete search": { receipt: { incomplete_searches: 1 } },
    "an open task": { next: { type: "more", cursor: 1 } },
  })
) {
  Deno.test(`a listing with ${title} deletes nothing`, () =>
    withDatabase(async (sql) => {
      await synced(sql, 40);
      const lease = await listAgain(sql, { files: files(0, 30), ...page });
      assert.equal((await sweep(sql, lease)).deleted, 0);
      assert.equal(await alive(sql), 40);
    }));
}

Deno.test("a file that the change log showed while it was being listed is not swept", () =>
  withDatabase(async (sql) => {
    await synced(sql, 40);
    const lease = await listAgain(sql, { files: files(0, 39) });
    // It was moved while being listed: only the log, replayed from before, shows it.
    await commitChanges(sql, lease, { files: files(39, 40) });
    assert.equal((await sweep(sql, lease)).deleted, 0);
    assert.equal(await alive(sql), 40);
  }));

Deno.test("a file that was created while the listing ran is not swept", () =>
  withDatabase(async (sql) => {
    await synced(sql, 40);
    const lease = await listAgain(sql, { files: files(0, 40) });
    await commitChanges(sql, lease, { files: files(40, 41) });
    assert.equal((await sweep(sql, lease)).deleted, 0);
  }));

Deno.test("the sweep works in batches, and decides about the fuse once for all of them", () =>
  withDatabase(async (sql) => {
    await synced(sql, 400);
    const lease = await listAgain(sql, { files: files(60, 400) });
    assert.deepEqual(await sweep(sql, lease, 7), { deleted: 60, held: null, calls: 9 });
    await finishSlice(sql, lease, { type: "done" });
    assert.equal(await alive(sql), 340);
  }));

Deno.test("a run cannot be done before it is swept", () =>
  withDatabase(async (sql) => {
    await synced(sql, 3);
    const lease = await listAgain(sql, { files: files(0, 3) });
    const failure = await failureOf(
      sql`select public.connector_finish_slice(${sql.json(lease)}, ${sql.json({ type: "done" })})`,
    );
    assert.equal(failure.code, "FC002");
  }));

Deno.test("the fuse withholds the deletion of more than a fifth and more than fifty files", () =>
  withDatabase(async (sql) => {
    const id = await synced(sql, 200);
    const lease = await listAgain(sql, { files: files(51, 200) });
    assert.deepEqual(await sweep(sql, lease), { deleted: 0, held: 51, calls: 1 });
    assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "needs_attention");
    assert.equal(await alive(sql), 200);
    const [endpoint] = await sql`
      select last_sync_status, last_error_code, last_error_message from public.endpoints`;
    assert.equal(endpoint?.last_sync_status, "needs_attention");
    assert.equal(endpoint?.last_error_code, "deletions_held");
    assert.ok(endpoint?.last_error_message.includes(`approve_deletions('${id}')`));
  }));

Deno.test("fifty of sixty files may go, and so may fifty-one of three hundred", () =>
  withDatabase(async (sql) => {
    await synced(sql, 60);
    assert.equal((await sweep(sql, await listAgain(sql, { files: files(50, 60) }))).deleted, 50);
    await sql`truncate public.endpoints cascade`;
    await synced(sql, 300);
    assert.equal((await sweep(sql, await listAgain(sql, { files: files(51, 300) }))).deleted, 51);
  }));

Deno.test("a run between the fuse and the approval goes on syncing, and still needs attention", () =>
  withDatabase(async (sql) => {
    await synced(sql, 200);
    await finishSlice(sql, await listAgain(sql, { files: files(100, 200) }), { type: "done" });
    await sql`update connector.endpoint_states set next_run_at = now()`;
    const lease = await beginSlice(sql);
    await commitChanges(sql, lease, { files: files(200, 201) });
    assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "needs_attention");
    assert.equal(await alive(sql), 201);
  }));

Deno.test("approve_deletions() lets the next listing delete what is gone then, and only then", () =>
  withDatabase(async (sql) => {
    const id = await synced(sql, 200);
    await finishSlice(sql, await listAgain(sql, { files: files(100, 200) }), { type: "done" });
    const stranger = await failureOf(
      asUser(sql, GRACE, (as) => as`select public.approve_deletions(${id})`),
    );
    assert.equal(stranger.code, "PT404");
    await asUser(sql, ADA, (as) => as`select public.approve_deletions(${id})`);
    const [state] = await sql`
      select next_run_at <= now() as is_due, requested_mode from connector.endpoint_states`;
    assert.deepEqual({ ...state }, { is_due: true, requested_mode: "full" });

    // Ten have come back meanwhile.
    const lease = await list(sql, { files: files(90, 200) });
    assert.deepEqual(await sweep(sql, lease), { deleted: 90, held: null, calls: 1 });
    assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "completed");

    // The approval was for that listing alone.
    const next = await listAgain(sql, { files: files(170, 200) });
    assert.equal((await sweep(sql, next)).held, 80);
    await finishSlice(sql, next, { type: "done" });
    const again = await failureOf(sql`
      select public.approve_deletions(${await addEndpoint(sql)})`);
    assert.equal(again.code, "PT409", "nothing is held back for a new endpoint");
  }));

Deno.test("an approval is not used up by a run that fails before it lists", () =>
  withDatabase(async (sql) => {
    const id = await synced(sql, 200);
    await finishSlice(sql, await listAgain(sql, { files: files(100, 200) }), { type: "done" });
    await asUser(sql, ADA, (as) => as`select public.approve_deletions(${id})`);
    await finishSlice(sql, await beginSlice(sql), {
      type: "failed",
      code: "unavailable",
      message: "no answer",
      remedy: "retry",
      retry_after_seconds: null,
    });
    await sql`update connector.endpoint_states set next_run_at = now()`;
    const lease = await list(sql, { files: files(100, 200) });
    const [run] = await sql`select mode from public.sync_logs where status = 'running'`;
    assert.equal(run?.mode, "full");
    assert.equal((await sweep(sql, lease)).deleted, 100);
  }));

Deno.test("a later listing that shows the files again ends the withholding by itself", () =>
  withDatabase(async (sql) => {
    await synced(sql, 200);
    await finishSlice(sql, await listAgain(sql, { files: files(100, 200) }), { type: "done" });
    const lease = await listAgain(sql, { files: files(0, 200) });
    assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "completed");
    const [state] = await sql`select held_deletions from connector.endpoint_states`;
    assert.equal(state?.held_deletions, null);
  }));

Deno.test("what a changed scope no longer holds goes out of scope, without the fuse", () =>
  withDatabase(async (sql) => {
    await synced(sql, 200);
    await sql`update public.endpoints set endpoint_config = '{"folder_id": "other"}'`;
    const lease = await list(sql, { files: files(190, 200) });
    assert.equal((await sweep(sql, lease)).deleted, 190);
    await finishSlice(sql, lease, { type: "done" });
    const [row] = await sql`
      select min(deletion_reason) as reason, max(deletion_reason) as also
      from public.files where deleted_at is not null`;
    assert.deepEqual({ ...row }, { reason: "out_of_scope", also: "out_of_scope" });
    const [state] = await sql`select is_scope_changed from connector.endpoint_states`;
    assert.equal(state?.is_scope_changed, false, "the next listing has its fuse again");
  }));

Deno.test("folders that a complete listing has not met are forgotten", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql, { max_files_per_sync: null });
    const folders = [folderRecord("A", "R"), folderRecord("B", "R")];
    await finishSlice(sql, await list(sql, { folders }), { type: "done" });
    const lease = await listAgain(sql, { folders: folders.slice(0, 1) });
    await finishSlice(sql, lease, { type: "done" });
    const left = await sql`select external_folder_id as id from connector.folders order by 1`;
    assert.deepEqual(left.map((row) => row.id), ["A", "R"]);
  }));

Deno.test("a listing of walked folders deletes only in folders that it read to the end", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql, { max_files_per_sync: null });
    const tree = {
      folders: [folderRecord("A", "R"), folderRecord("B", "R")],
      files: [...files(0, 5, "A"), ...files(5, 10, "B")],
    };
    await finishSlice(sql, await list(sql, tree), { type: "done" });
    await sql`update connector.endpoint_states set next_run_at = now()`;
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease, {
      sweep: "walked_folders",
      seeds: [],
      walk: ["A"],
      is_tree: true,
    });
    assert.deepEqual(task?.folder_ids, ["A"]);
    await commitPage(sql, lease, { task_id: task?.id ?? 0, files: files(0, 2, "A") });
    assert.equal((await sweep(sql, lease)).deleted, 3);
    assert.equal(await alive(sql), 7);
  }));

/** What the provider says of absent items. */
async function note(sql: Sql, lease: Lease, verdicts: { [kind: string]: unknown }) {
  const nothing = {
    gone: [],
    present_files: [],
    present_folders: [],
    unknown: [],
    provider_calls: 1,
  };
  const said = JSON.parse(JSON.stringify({ ...nothing, ...verdicts }));
  await sql`select public.connector_note_absences(${sql.json(lease)}, ${sql.json(said)})`;
}

async function absent(sql: Sql, lease: Lease): Promise<{ held: number | null; ids: string[] }> {
  const [row] = await sql<{ absent: { held: number | null; items: { external_id: string }[] } }[]>`
    select public.connector_absent_items(${sql.json(lease)}, 50) as absent`;
  assert.ok(row);
  return { held: row.absent.held, ids: row.absent.items.map((item) => item.external_id).sort() };
}

Deno.test("an absent item is deleted only when the provider, asked, says that it is gone", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql, { max_files_per_sync: null });
    const folders = [folderRecord("A", "R"), folderRecord("L", "R")];
    await finishSlice(
      sql,
      await list(sql, {
        folders,
        files: [...files(0, 10), fileRecord("in L", { external_parent_id: "L" })],
      }),
      { type: "done" },
    );
    await sql`update connector.endpoint_states set next_run_at = now(), requested_mode = 'full'`;
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease, { confirms_absence: true });
    await commitPage(sql, lease, {
      task_id: task?.id ?? 0,
      folders: folders.slice(0, 1),
      files: files(0, 7),
    });
    assert.deepEqual(
      await absent(sql, lease),
      { held: null, ids: ["L"] },
      "folders come first",
    );
    const early = await failureOf(sql`select public.connector_sweep(${sql.json(lease)})`);
    assert.equal(early.code, "FC002", "nothing is swept unasked");
    await note(sql, lease, {
      unknown: [{
        external_id: "L",
        is_folder: true,
        code: "access_denied",
        message: "No access to L",
      }],
    });
    assert.deepEqual(
      (await absent(sql, lease)).ids,
      ["f0007", "f0008", "f0009"],
      "what lies in a lost folder stays",
    );
    await note(sql, lease, {
      gone: ["f0007"],
      present_files: [fileRecord("f0008", { external_parent_id: "A" })],
    });
    assert.deepEqual((await absent(sql, lease)).ids, ["f0009"]);
    await note(sql, lease, { gone: ["f0009"] });
    assert.deepEqual((await absent(sql, lease)).ids, []);
    assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "partial");
    const rows = await sql<{ line: string }[]>`
      select concat_ws(' ', external_file_id, file_path, deletion_reason) as line
      from public.files where external_file_id in ('f0007', 'f0008', 'f0009', 'in L') order by 1`;
    assert.deepEqual(rows.map((row) => row.line), [
      "f0007 /f0007.pdf removed",
      "f0008 /A/f0008.pdf",
      "f0009 /f0009.pdf removed",
      "in L /L/in L.pdf",
    ]);
    assert.equal(await alive(sql), 9);
  }));

Deno.test("the fuse looks at absent items before the provider is asked about any", () =>
  withDatabase(async (sql) => {
    await synced(sql, 200);
    await sql`update connector.endpoint_states set next_run_at = now(), requested_mode = 'full'`;
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease, { confirms_absence: true });
    await commitPage(sql, lease, { task_id: task?.id ?? 0, files: files(100, 200) });
    assert.deepEqual(await absent(sql, lease), { held: 100, ids: [] });
  }));
