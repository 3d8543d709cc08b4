/** Entries of a change log that cannot be read are left out, and never in silence. */
import assert from "node:assert/strict";
import {
  beginSlice,
  commitChanges,
  commitPage,
  folderRecord,
  type Lease,
  type Sql,
  startListing,
  sweep,
  withDatabase,
} from "../support/database.ts";
import { file, finish, listed } from "../support/feed_runs.ts";

/** An entry that could not be read. */
const ODD = { external_folder_id: "odd", code: "response_invalid", message: "Cannot read odd" };

/** Begins the run that is due, after `minutes`; of a full one everything is listed. Returns its mode. */
async function nextRun(sql: Sql, minutes = 0): Promise<{ lease: Lease; mode: string }> {
  await sql`
    update connector.endpoint_states
    set next_run_at = now(),
      last_listing_completed_at = last_listing_completed_at - make_interval(mins => ${minutes})`;
  const lease = await beginSlice(sql);
  const [run] = await sql`select mode from public.sync_logs where status = 'running'`;
  if (run?.["mode"] === "full") {
    const [task] = await startListing(sql, lease, { is_tree: true });
    await commitPage(sql, lease, {
      task_id: task?.id ?? 0,
      folders: [folderRecord("A", "R"), folderRecord("B", "A")],
      files: [file("r", "R"), file("a", "A"), file("b", "B")],
    });
  }
  return { lease, mode: run?.["mode"] };
}

Deno.test("an entry that could not be read makes its run partial, and is owed a listing, ever less often", () =>
  withDatabase(async (sql) => {
    let lease = await listed(sql, true);
    for (const minutes of [0, 15, 30]) {
      const [feed] = await sql`select sequence from connector.feeds`;
      const page = { sequence: feed?.["sequence"], skipped: [ODD, { ...ODD, code: "internal" }] };
      await commitChanges(sql, lease, page);
      // A repeat counts nothing twice.
      assert.equal((await commitChanges(sql, lease, page)).repeated, true);
      assert.equal(await finish(sql, lease), "partial");
      const [endpoint] =
        await sql`select last_error_code, last_error_message from public.endpoints`;
      assert.equal(endpoint?.["last_error_code"], "listing_incomplete");
      assert.match(endpoint?.["last_error_message"], /^2 change.* a full listing follows/);
      if (minutes > 0) {
        // Before its time the listing does not come, and the endpoint says that it is owed.
        const early = await nextRun(sql, minutes - 1);
        assert.equal(early.mode, "incremental");
        assert.equal(await finish(sql, early.lease), "partial");
      }
      const next = await nextRun(sql, 1);
      assert.equal(next.mode, "full");
      await sweep(sql, next.lease);
      assert.equal(await finish(sql, next.lease), "completed");
      ({ lease } = await nextRun(sql));
    }
    await finish(sql, lease);
    await sql`update connector.endpoint_states set requested_mode = 'full'`;
    const last = await nextRun(sql);
    await sweep(sql, last.lease);
    assert.equal(await finish(sql, last.lease), "completed");
    const [state] = await sql`
      select unread_changes::int, listings_for_unread from connector.endpoint_states`;
    assert.deepEqual({ ...state }, { unread_changes: 0, listings_for_unread: 0 });
  }));

Deno.test("while a listing is open an entry that could not be read keeps it from deleting", () =>
  withDatabase(async (sql) => {
    await finish(sql, await listed(sql, true));
    await sql`
      insert into public.files (endpoint_id, external_file_id, external_parent_id, file_name, file_link)
      select id, 'moving', 'A', 'moving', 'l' from public.endpoints`;
    await sql`update connector.endpoint_states set requested_mode = 'full', file_count = 4`;
    const { lease } = await nextRun(sql);
    await commitChanges(sql, lease, { skipped: [{ ...ODD, external_folder_id: "moving" }] });
    assert.equal((await sweep(sql, lease)).deleted, 0);
    assert.equal(await finish(sql, lease), "partial");
    const next = await nextRun(sql);
    assert.equal(next.mode, "full");
    assert.equal((await sweep(sql, next.lease)).deleted, 1);
    assert.equal(await finish(sql, next.lease), "completed");
  }));
