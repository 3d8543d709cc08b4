/** Runs that follow the change log of a small scope, in SQL. */
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
} from "./database.ts";

/** A file with its id as its name. */
export function file(id: string, parent: string | null, overrides = {}) {
  return fileRecord(id, { external_parent_id: parent, file_name: id, ...overrides });
}

/** Lists R/A/B with a file in each, finishes, and begins the next, incremental run. */
export async function listed(sql: Sql, isTree: boolean): Promise<Lease> {
  await addEndpoint(sql, { max_files_per_sync: null });
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease, { is_tree: isTree });
  assert.ok(task);
  await commitPage(sql, lease, {
    task_id: task.id,
    folders: [folderRecord("A", "R"), folderRecord("B", "A")],
    files: [file("r", "R"), file("a", "A"), file("b", "B")],
  });
  await finishSlice(sql, lease, { type: "done" });
  await sql`update connector.endpoint_states set next_run_at = now()`;
  return await beginSlice(sql);
}

/** Ends the run and checks that the endpoint's own count is what stands in the table. */
export async function finish(sql: Sql, lease: Lease): Promise<string> {
  const { status } = await finishSlice(sql, lease, { type: "done" });
  const [row] = await sql`
    select s.file_count = count(f.id) and s.total_bytes = coalesce(sum(f.file_size), 0) as is_right
    from connector.endpoint_states s
    left join public.files f on f.endpoint_id = s.endpoint_id and f.deleted_at is null
    group by s.endpoint_id`;
  assert.equal(row?.is_right, true, "the count of files has drifted");
  return status;
}
