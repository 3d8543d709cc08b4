import assert from "node:assert/strict";
import {
  beginSlice,
  commitChanges,
  commitPage,
  failureOf,
  finishSlice,
  folderRecord,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";
import { file, finish, listed } from "../support/feed_runs.ts";

function trashed(...ids: string[]) {
  return ids.map((external_id) => ({ external_id, reason: "trashed" }));
}

/** Every file as `id path reason`, by id. */
async function files(sql: Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select concat_ws(' ', external_file_id, file_path, deletion_reason) as line
    from public.files order by external_file_id`;
  return rows.map((row) => row.line);
}

for (const isTree of [false, true]) {
  const scope = isTree ? "tree scope" : "whole corpus";

  Deno.test(`${scope}: a run after a complete listing is incremental, from where the log stood`, () =>
    withDatabase(async (sql) => {
      const lease = await listed(sql, isTree);
      const [row] = await sql`
        select public.connector_begin_slice(${sql.json([lease])}) -> 0 as context`;
      assert.equal(row?.context.run.mode, "incremental");
      assert.deepEqual(row?.context.feeds, [{ key: "user", cursor: { token: "1" }, sequence: 0 }]);
      assert.equal(row?.context.listing, null);
    }));

  Deno.test(`${scope}: changes and the log's position are one transaction, and a repeat changes nothing`, () =>
    withDatabase(async (sql) => {
      const lease = await listed(sql, isTree);
      const bad = await failureOf(
        commitChanges(sql, lease, { files: [file("n", "A", { file_size: "-1" })] }),
      );
      assert.equal(bad.constraint, "files_file_size_check");
      const [before] = await sql`select cursor, sequence from connector.feeds`;
      assert.deepEqual({ ...before }, { cursor: { token: "1" }, sequence: 0 });
      const page = { files: [file("n", "A")], next: { type: "drained", cursor: { token: "9" } } };
      const first = await commitChanges(sql, lease, page);
      const second = await commitChanges(sql, lease, page);
      assert.deepEqual([first.added, first.repeated], [1, false]);
      assert.deepEqual([second.added, second.repeated], [0, true]);
      const [after] = await sql`select cursor, sequence from connector.feeds`;
      assert.deepEqual({ ...after }, { cursor: { token: "9" }, sequence: 1 });
      await finish(sql, lease);
    }));

  Deno.test(`${scope}: a trashed folder takes its subtree with it, and comes back by being walked`, () =>
    withDatabase(async (sql) => {
      const lease = await listed(sql, isTree);
      const gone = await commitChanges(sql, lease, { removed: trashed("A") });
      assert.equal(gone.deleted, 2);
      assert.deepEqual(await files(sql), ["a /A/a trashed", "b /A/B/b trashed", "r /r"]);
      const back = await commitChanges(sql, lease, {
        sequence: 1,
        folders: [folderRecord("A", "R")],
      });
      assert.deepEqual(back.tasks.map((task) => task.folder_ids), [["A"]]);
      const walked = await commitPage(sql, lease, {
        task_id: back.tasks[0]?.id ?? 0,
        folders: [folderRecord("B", "A")],
        walk: ["B"],
        files: [file("a", "A")],
      });
      assert.deepEqual(walked.tasks.map((task) => task.folder_ids), [["B"]]);
      await commitPage(sql, lease, { task_id: walked.tasks[0]?.id ?? 0, files: [file("b", "B")] });
      assert.equal(await finish(sql, lease), "completed");
      assert.deepEqual(await files(sql), ["a /A/a", "b /A/B/b", "r /r"]);
    }));

  Deno.test(`${scope}: a trashed file is a tombstone with its reason, and comes back`, () =>
    withDatabase(async (sql) => {
      const lease = await listed(sql, isTree);
      await commitChanges(sql, lease, {
        removed: [{ external_id: "a", reason: "trashed" }, { external_id: "b", reason: "removed" }],
      });
      assert.deepEqual(await files(sql), ["a /A/a trashed", "b /A/B/b removed", "r /r"]);
      await commitChanges(sql, lease, { sequence: 1, files: [file("a", "A")] });
      await finish(sql, lease);
      assert.deepEqual(await files(sql), ["a /A/a", "b /A/B/b removed", "r /r"]);
    }));

  Deno.test(`${scope}: a folder moved within the scope rewrites paths and is not walked`, () =>
    withDatabase(async (sql) => {
      const lease = await listed(sql, isTree);
      const moved = await commitChanges(sql, lease, { folders: [folderRecord("B", "R", "B2")] });
      assert.deepEqual(moved.tasks, []);
      await finish(sql, lease);
      assert.deepEqual(await files(sql), ["a /A/a", "b /B2/b", "r /r"]);
    }));

  Deno.test(`${scope}: a removal of something unknown changes nothing`, () =>
    withDatabase(async (sql) => {
      const lease = await listed(sql, isTree);
      const before = await sql`select ctid, xmin, * from public.files order by id`;
      await commitChanges(sql, lease, { removed: trashed("who", "knows") });
      assert.deepEqual(await sql`select ctid, xmin, * from public.files order by id`, before);
    }));

  Deno.test(`${scope}: a trashed root needs attention, and is walked again when it comes back`, () =>
    withDatabase(async (sql) => {
      const lease = await listed(sql, isTree);
      await commitChanges(sql, lease, { removed: trashed("R") });
      assert.equal(await finish(sql, lease), "needs_attention");
      const [endpoint] =
        await sql`select last_error_code, last_error_message from public.endpoints`;
      assert.equal(endpoint?.last_error_code, "scope_not_found");
      assert.match(endpoint?.last_error_message, /Restore or share it/);
      assert.deepEqual(await files(sql), ["a /A/a trashed", "b /A/B/b trashed", "r /r trashed"]);
      await sql`update connector.endpoint_states set next_run_at = now()`;
      const next = await beginSlice(sql);
      const back = await commitChanges(sql, next, {
        sequence: 1,
        folders: [folderRecord("R", null)],
      });
      assert.deepEqual(back.tasks.map((task) => task.folder_ids), [["R"]]);
      await commitPage(sql, next, { task_id: back.tasks[0]?.id ?? 0, files: [file("r", "R")] });
      assert.equal(await finish(sql, next), "completed");
      assert.equal((await files(sql))[2], "r /r");
    }));
}

Deno.test("tree scope: what the log shows outside the scope is not stored", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    await commitChanges(sql, lease, {
      files: [file("stranger", "X"), file("loose", null)],
      folders: [folderRecord("Y", "X")],
    });
    await finish(sql, lease);
    assert.deepEqual(await files(sql), ["a /A/a", "b /A/B/b", "r /r"]);
    const [left] = await sql`select count(*)::int as pending from connector.pending_items`;
    assert.equal(left?.pending, 0);
  }));

Deno.test("tree scope: an item whose folder comes later in the log is placed when it comes", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    const more = { type: "more", cursor: { token: "1b" } };
    await commitChanges(sql, lease, { files: [file("n", "D")], next: more });
    await commitChanges(sql, lease, { sequence: 1, folders: [folderRecord("D", "C")], next: more });
    const last = await commitChanges(sql, lease, {
      sequence: 2,
      folders: [folderRecord("C", "A")],
    });
    assert.equal(last.added, 1);
    assert.deepEqual(last.tasks.flatMap((task) => task.folder_ids).sort(), ["C", "D"]);
    assert.ok((await files(sql)).includes("n /A/C/D/n"));
  }));

Deno.test("tree scope: a folder moved out takes its subtree out of scope, a file its own row", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    await commitChanges(sql, lease, { folders: [folderRecord("B", "X")], files: [file("r", "X")] });
    await finish(sql, lease);
    assert.deepEqual(await files(sql), ["a /A/a", "b /A/B/b out_of_scope", "r /r out_of_scope"]);
    const folders = await sql`select external_folder_id as id from connector.folders order by 1`;
    assert.deepEqual(folders.map((row) => row.id), ["A", "R"]);
  }));

Deno.test("tree scope: moved out and in again within one reading of the log is no change", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    const more = { type: "more", cursor: { token: "1b" } };
    await commitChanges(sql, lease, { files: [file("a", "X")], next: more });
    await commitChanges(sql, lease, { sequence: 1, files: [file("a", "A")] });
    await finish(sql, lease);
    assert.deepEqual(await files(sql), ["a /A/a", "b /A/B/b", "r /r"]);
  }));

Deno.test("tree scope: a folder moved in is walked, and so is what the walk finds", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    const moved = await commitChanges(sql, lease, { folders: [folderRecord("N", "A")] });
    assert.equal(moved.open_tasks, 1);
    const failure = await failureOf(finishSlice(sql, lease, { type: "done" }));
    assert.equal(failure.code, "FC002", "the run is not over while the walk is");
    await commitPage(sql, lease, { task_id: moved.tasks[0]?.id ?? 0, files: [file("n", "N")] });
    assert.equal(await finish(sql, lease), "completed");
    assert.ok((await files(sql)).includes("n /A/N/n"));
  }));

Deno.test("tree scope: of several parents the first in scope counts, in walks and in the log alike", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    const twice = (first: string) => file("t", first, { candidate_parent_ids: ["X", "B", "A"] });
    await commitChanges(sql, lease, { files: [twice("X")] });
    assert.ok((await files(sql)).includes("t /A/B/t"));
    const [before] = await sql`select ctid from public.files where external_file_id = 't'`;
    await commitChanges(sql, lease, { sequence: 1, files: [twice("A")] });
    const [after] = await sql`select ctid from public.files where external_file_id = 't'`;
    assert.deepEqual(after, before, "not written again");
  }));

Deno.test("whole corpus: an item whose folder is unknown stands at the top when the run ends", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, false);
    await commitChanges(sql, lease, { files: [file("n", "unseen")] });
    await finish(sql, lease);
    assert.ok((await files(sql)).includes("n /n"));
  }));

Deno.test("a file that file_types exclude leaves a tombstone when the log shows it", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    await commitChanges(sql, lease, { filtered: ["a", "new"] });
    await finish(sql, lease);
    assert.deepEqual(await files(sql), ["a /A/a filtered", "b /A/B/b", "r /r"]);
  }));

Deno.test("a folder that could not be read is tried again by itself, and then forgotten", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    const moved = await commitChanges(sql, lease, { folders: [folderRecord("N", "A")] });
    const [task] = moved.tasks;
    assert.ok(task);
    await commitPage(sql, lease, {
      task_id: task.id,
      skipped: [{ external_folder_id: "N", code: "access_denied", message: "Cannot read N" }],
    });
    assert.equal(await finish(sql, lease), "partial");

    await sql`update connector.endpoint_states set next_run_at = now()`;
    const early = await beginSlice(sql);
    assert.equal(await finish(sql, early), "partial", "still unread, and not yet tried again");

    await sql`update connector.endpoint_states set next_run_at = now()`;
    await sql`update connector.folder_errors set next_attempt_at = now()`;
    const retry = await beginSlice(sql);
    const [row] = await sql`select public.connector_open_tasks(${sql.json(retry)}, 0, 9) as tasks`;
    assert.deepEqual(row?.tasks[0].folder_ids, ["N"]);
    await commitPage(sql, retry, { task_id: row?.tasks[0].id, files: [file("n", "N")] });
    assert.equal(await finish(sql, retry), "completed");
    const [left] = await sql`select count(*)::int as errors from connector.folder_errors`;
    assert.equal(left?.errors, 0);
  }));

Deno.test("an unreadable folder that goes takes its entry in the ledger with it", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    const moved = await commitChanges(sql, lease, { folders: [folderRecord("N", "A")] });
    await commitPage(sql, lease, {
      task_id: moved.tasks[0]?.id ?? 0,
      skipped: [{ external_folder_id: "N", code: "scope_not_found", message: "No N" }],
    });
    assert.equal(await finish(sql, lease), "partial");
    await sql`update connector.endpoint_states set next_run_at = now()`;
    const next = await beginSlice(sql);
    await commitChanges(sql, next, { sequence: 1, removed: trashed("N") });
    assert.equal(await finish(sql, next), "completed");
  }));

Deno.test("a full sync that was asked for is not used up by a run that fails before it lists", () =>
  withDatabase(async (sql) => {
    await finish(sql, await listed(sql, true));
    const modeOfNextRun = async () => {
      await sql`update connector.endpoint_states set next_run_at = now()`;
      const lease = await beginSlice(sql);
      const [run] = await sql`select mode from public.sync_logs where status = 'running'`;
      return { lease, mode: run?.mode };
    };
    await sql`update connector.endpoint_states set requested_at = now(), requested_mode = 'full'`;
    const first = await modeOfNextRun();
    await finishSlice(sql, first.lease, {
      type: "failed",
      code: "unavailable",
      message: "no answer",
      remedy: "retry",
      retry_after_seconds: null,
    });
    const second = await modeOfNextRun();
    await startListing(sql, second.lease, { seeds: [] });
    await finishSlice(sql, second.lease, { type: "done" });
    const third = await modeOfNextRun();
    assert.deepEqual([first.mode, second.mode, third.mode], ["full", "full", "incremental"]);
  }));

Deno.test("an item that could not be understood makes its run partial, and asks for no more listings", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    await finish(sql, lease);
    await sql`update connector.endpoint_states set next_run_at = now(), requested_mode = 'full'`;
    const again = await beginSlice(sql);
    const [task] = await startListing(sql, again, { is_tree: true });
    await commitPage(sql, again, {
      task_id: task?.id ?? 0,
      skipped: [{
        external_folder_id: "odd",
        code: "response_invalid",
        message: "Cannot read odd",
      }],
    });
    assert.equal(await finish(sql, again), "partial");
    const [row] = await sql`
      select e.last_error_message, (select count(*)::int from connector.folder_errors) as errors
      from public.endpoints e`;
    assert.match(row?.last_error_message, /Cannot read odd/);
    assert.equal(row?.errors, 0);
  }));

Deno.test("an audit lists everything again after its interval, and asks no more until then", () =>
  withDatabase(async (sql) => {
    const lease = await listed(sql, true);
    await finish(sql, lease);
    await sql`
      update connector.endpoint_states
      set next_run_at = now(), last_listing_completed_at = now() - interval '8 days'`;
    await beginSlice(sql);
    const [run] = await sql`select mode from public.sync_logs where status = 'running'`;
    assert.equal(run?.mode, "full");
  }));
