/** Which folders a listing reads, where the provider shows of a folder whether it has changed. */
import assert from "node:assert/strict";
import {
  addEndpoint,
  beginSlice,
  commitPage,
  finishSlice,
  folderRecord,
  startListing,
  withDatabase,
} from "../support/database.ts";

Deno.test("a folder is read again only when what the provider shows of it has changed", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql, { max_files_per_sync: null });
    const shown = (state: string) => ({
      ...folderRecord("A", "R"),
      provider_state: { rollup: state },
    });
    /** Lists the root, whose page shows A; returns how many tasks that made, and works them. */
    const visit = async (state: string): Promise<number> => {
      await sql`update connector.endpoint_states set next_run_at = now()`;
      const lease = await beginSlice(sql);
      const [task] = await startListing(sql, lease, { sweep: "walked_folders", is_tree: true });
      const page = await commitPage(sql, lease, {
        task_id: task?.id ?? 0,
        folders: [shown(state)],
        walk_changed: ["A"],
      });
      for (const each of page.tasks) await commitPage(sql, lease, { task_id: each.id });
      await finishSlice(sql, lease, { type: "done" });
      return page.tasks.length;
    };
    assert.deepEqual(
      [await visit("1"), await visit("1"), await visit("2"), await visit("2"), await visit("1")],
      [1, 0, 1, 0, 1],
    );
  }));

Deno.test("a folder whose reading was broken off is read again, though nothing changed", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql, { max_files_per_sync: null });
    const folders = [{ ...folderRecord("A", "R"), provider_state: 1 }];
    const begin = async () => {
      await sql`update connector.endpoint_states set next_run_at = now(), requested_mode = 'full'`;
      const lease = await beginSlice(sql);
      const [task] = await startListing(sql, lease, { is_tree: true });
      return await commitPage(sql, lease, { task_id: task?.id ?? 0, folders, walk_changed: ["A"] })
        .finally(() => finishSlice(sql, lease, { type: "limit_reached" }));
    };
    assert.equal((await begin()).tasks.length, 1);
    assert.equal((await begin()).tasks.length, 1);
  }));
