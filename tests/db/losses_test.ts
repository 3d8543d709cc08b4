/** What is done when a log calls something removed, and what lay below it was never shown to be there. */
import assert from "node:assert/strict";
import {
  addEndpoint,
  beginSlice,
  commitChanges,
  commitPage,
  fileRecord,
  finishSlice,
  folderRecord,
  type Lease,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";

type Page = Parameters<typeof commitPage>[2];

function file(id: string, parent: string) {
  return fileRecord(id, { external_parent_id: parent, file_name: id });
}

const ORPHAN = file("n", "unseen");

/** Lists R/A with a file, and what the page says besides. */
async function list(
  sql: Sql,
  lease: Lease,
  page: { readonly [field: string]: Page } = {},
  isTree = false,
): Promise<void> {
  const [task] = await startListing(sql, lease, { is_tree: isTree });
  assert.ok(task);
  const files = [file("a", "A")];
  await commitPage(sql, lease, {
    task_id: task.id,
    folders: [folderRecord("A", "R")],
    files,
    ...page,
  });
}

async function begin(sql: Sql): Promise<Lease> {
  await addEndpoint(sql, { max_files_per_sync: null });
  return await beginSlice(sql);
}

function removed(...ids: string[]) {
  return ids.map((external_id) => ({ external_id, reason: "removed" }));
}

async function finish(sql: Sql, lease: Lease): Promise<string> {
  return (await finishSlice(sql, lease, { type: "done" })).status;
}

/** Every living file as `id path`, by id. */
async function files(sql: Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select concat_ws(' ', external_file_id, file_path) as line
    from public.files where deleted_at is null order by external_file_id`;
  return rows.map((row) => row.line);
}

Deno.test("files of a folder that never appeared are listed again once something vanished, in the same run", () =>
  withDatabase(async (sql) => {
    const first = await begin(sql);
    await list(sql, first, { files: [file("a", "A"), ORPHAN, file("m", "unseen too")] });
    await commitChanges(sql, first, { removed: removed("above") });
    assert.equal(await finish(sql, first), "running");

    const again = await beginSlice(sql);
    const [context] = await sql`
      select public.connector_begin_slice(${sql.json([again])}) -> 0 as slice`;
    assert.deepEqual([context?.slice.run.mode, context?.slice.listing], ["full", null]);
    // One of them is shown still: its folder is one that the account cannot see.
    await list(sql, again, { files: [file("a", "A"), ORPHAN] });
    await commitChanges(sql, again, { removed: removed("another") });
    assert.equal(await finish(sql, again), "completed");
    assert.deepEqual(await files(sql), ["a /A/a", "n /n"]);
    const [runs] = await sql`select count(*)::int as runs from public.sync_logs`;
    assert.equal(runs?.runs, 1);
  }));

/** An incremental run that finds a file in a folder that never appeared, and that something vanished. */
async function beginAgain(sql: Sql): Promise<string> {
  const first = await begin(sql);
  await list(sql, first);
  assert.equal(await finish(sql, first), "completed");
  await sql`update connector.endpoint_states set next_run_at = now()`;
  const next = await beginSlice(sql);
  assert.equal(await runningMode(sql), "incremental");
  await commitChanges(sql, next, { files: [ORPHAN], removed: removed("A") });
  return await finish(sql, next);
}

async function runningMode(sql: Sql): Promise<string | undefined> {
  const [run] = await sql<{ mode: string }[]>`
    select mode from public.sync_logs where status = 'running'`;
  return run?.mode;
}

Deno.test("what an incremental run finds in a folder that never appeared is listed again too", () =>
  withDatabase(async (sql) => {
    assert.equal(await beginAgain(sql), "running");
    assert.equal(await runningMode(sql), "full");
  }));

Deno.test("a run that fails before it lists everything again leaves that to the next one", () =>
  withDatabase(async (sql) => {
    await beginAgain(sql);
    const failed = { type: "failed", code: "unavailable", message: "No answer", remedy: "retry" };
    await finishSlice(sql, await beginSlice(sql), failed);
    await sql`update connector.endpoint_states set next_run_at = now()`;
    await beginSlice(sql);
    assert.equal(await runningMode(sql), "full");
  }));

const ENOUGH: readonly {
  readonly name: string;
  readonly page?: { readonly [field: string]: Page };
  readonly changes?: readonly { readonly [field: string]: Page }[];
  readonly isTree?: boolean;
}[] = [
  { name: "nothing vanished", page: { files: [ORPHAN] } },
  { name: "everything lies in a folder that is known", changes: [{ removed: removed("above") }] },
  {
    name: "nothing but a file vanished",
    page: { files: [file("a", "A"), ORPHAN] },
    changes: [{ removed: removed("a") }],
  },
  {
    name: "what vanished is back",
    page: { files: [ORPHAN] },
    changes: [{ removed: removed("above") }, { folders: [folderRecord("above", "R")] }],
  },
  {
    name: "the folder is shown later",
    page: { files: [ORPHAN] },
    changes: [{ removed: removed("above"), folders: [folderRecord("unseen", "R")] }],
  },
  {
    name: "what lay in the folder went with it",
    page: { files: [ORPHAN] },
    changes: [{ removed: removed("unseen") }],
  },
  {
    name: "the listing was incomplete, and the next run lists again",
    page: { files: [ORPHAN], receipt: { incomplete_searches: 1 } },
    changes: [{ removed: removed("above") }],
  },
  {
    name: "the scope is a tree",
    changes: [{ files: [ORPHAN], removed: removed("above") }],
    isTree: true,
  },
];

for (const { name, page, changes = [], isTree } of ENOUGH) {
  Deno.test(`nothing is listed again in the same run where ${name}`, () =>
    withDatabase(async (sql) => {
      const lease = await begin(sql);
      await list(sql, lease, page, isTree);
      for (const [sequence, change] of changes.entries()) {
        const { tasks } = await commitChanges(sql, lease, { sequence, ...change });
        for (const { id } of tasks) await commitPage(sql, lease, { task_id: id });
      }
      assert.equal(await finish(sql, lease), "completed");
    }));
}
