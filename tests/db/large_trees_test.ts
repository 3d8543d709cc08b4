/**
 * What the machinery does to large trees takes time in proportion to what it touches, whatever the
 * planner knows. Each limit is far above what that takes, and far below what its square takes.
 */
import assert from "node:assert/strict";
import type postgres from "postgres";
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
  sweep,
} from "../support/database.ts";
import { analyzeAll, eachKnowing, knowing, type Knowledge } from "../support/statistics.ts";

const FOLDERS = 20_000;
const LIMIT = "15s";

/** Does `work` under the limit; the answer is the work's own. */
async function withinLimit<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  await sql`select set_config('statement_timeout', ${LIMIT}, false)`;
  try {
    return await work();
  } finally {
    await sql`set statement_timeout = 0`;
  }
}

/** An endpoint that was listed, whose next run has begun; the folders of `addTree` are in it. */
async function listed(
  sql: Sql,
  knowledge: Knowledge,
  start: postgres.JSONValue = {},
): Promise<Lease> {
  await addEndpoint(sql, { max_files_per_sync: null });
  const first = await beginSlice(sql);
  const [task] = await startListing(sql, first, start);
  await commitPage(sql, first, { task_id: task?.id ?? 0 });
  await finishSlice(sql, first, { type: "done" });
  if (knowledge === "statistics know of a single row") await analyzeAll(sql);
  await addTree(sql, first.endpoint_id);
  await sql`update connector.endpoint_states set next_run_at = now()
    where endpoint_id = ${first.endpoint_id}`;
  return await beginSlice(sql);
}

/** `top` below the root `R`, and in it folders F0, F1 … by twenties, each with one file. */
async function addTree(sql: Sql, endpointId: string): Promise<void> {
  await sql`
    insert into connector.folders
      (endpoint_id, external_folder_id, external_parent_id, folder_name, path)
    select ${endpointId}::uuid, 'top', 'R', 'top', '/top'
    union all
    select ${endpointId}::uuid, 'F' || n,
      case when n < 20 then 'top' else 'F' || n / 20 end, 'f' || n, '/top/f' || n
    from generate_series(0, ${FOLDERS - 1}::int) as n`;
  await sql`
    insert into public.files
      (endpoint_id, external_file_id, external_parent_id, file_name, file_path, file_link, file_metadata)
    select ${endpointId}::uuid, 'a' || n, 'F' || n, 'a.pdf', '/top/a.pdf', 'https://files.test/a',
      -- Every fourth lies in the root too.
      case when n % 4 = 0 then jsonb_build_object('parents', array['F' || n, 'R']) else '{}' end
    from generate_series(0, ${FOLDERS - 1}::int) as n`;
  await sql`update connector.endpoint_states set file_count = ${FOLDERS}`;
}

async function count(sql: Sql, query: postgres.PendingQuery<{ n: number }[]>): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from (${query}) as counted`;
  return row?.n ?? -1;
}

eachKnowing(
  "a top that goes takes 20,000 folders along in seconds, and what they were noted in",
  async (sql, knowledge) => {
    const lease = await listed(sql, knowledge);
    await sql`
      insert into connector.folder_errors
        (endpoint_id, external_folder_id, failure_code, message, next_attempt_at)
      select endpoint_id, external_folder_id, 'access_denied', 'no', now() + interval '1 day'
      from connector.folders where external_folder_id like 'F%'`;
    const { deleted } = await withinLimit(
      sql,
      () => commitChanges(sql, lease, { removed: [{ external_id: "top", reason: "trashed" }] }),
    );
    assert.equal(deleted, FOLDERS * 3 / 4);
    assert.equal(await count(sql, sql`select from connector.folders`), 1, "the root alone is left");
    assert.equal(await count(sql, sql`select from connector.folder_errors`), 0);
    const rehomed = sql<{ n: number }[]>`
      select from public.files
      where deleted_at is null and external_parent_id = 'R' and file_path = '/a.pdf'`;
    assert.equal(await count(sql, rehomed), FOLDERS / 4);
  },
);

eachKnowing(
  "20,000 folders that a feed showed outside the scope leave it in seconds",
  async (sql, knowledge) => {
    const lease = await listed(sql, knowledge, { is_tree: true });
    await sql`
      insert into connector.pending_items
        (endpoint_id, external_id, is_folder, external_parent_id, record)
      select endpoint_id, external_folder_id, true, 'elsewhere', '{}'
      from connector.folders where external_folder_id like 'F%'`;
    await withinLimit(sql, () => finishSlice(sql, lease, { type: "done" }));
    assert.equal(await count(sql, sql`select from connector.folders`), 2);
    const gone = sql<{ n: number }[]>`
      select from public.files where deletion_reason = 'out_of_scope'`;
    assert.equal(await count(sql, gone), FOLDERS * 3 / 4);
  },
);

eachKnowing(
  "a chain of 600 folders is placed in seconds beside 20,000 items that wait",
  async (sql, knowledge) => {
    const lease = await listed(sql, knowledge, { is_tree: true });
    await sql`
      insert into connector.pending_items
        (endpoint_id, external_id, is_folder, external_parent_id, record)
      select ${lease.endpoint_id}::uuid, 'P' || n, n % 2 = 0, 'nowhere' || n, '{}'
      from generate_series(1, 20000) as n`;
    const chain = Array.from(
      { length: 600 },
      (_, n) => folderRecord(`C${n}`, n === 0 ? "R" : `C${n - 1}`, "c"),
    );
    const { added } = await withinLimit(sql, () =>
      commitChanges(sql, lease, {
        folders: chain.toReversed(),
        files: [fileRecord("deep", { external_parent_id: "C599" })],
      }));
    assert.equal(added, 1);
    const [deep] = await sql`select file_path from public.files where external_file_id = 'deep'`;
    assert.equal(deep?.["file_path"], `${"/c".repeat(600)}/deep.pdf`);
    assert.equal(await count(sql, sql`select from connector.pending_items`), 20_000);
  },
);

/**
 * A full listing of the tree that has shown the file `first` so far, with an approval of whatever it
 * deletes; the tree stood there before it began. Answers the lease and the listing's task.
 */
async function listedAgain(
  sql: Sql,
  knowledge: Knowledge,
): Promise<{ readonly lease: Lease; readonly taskId: number }> {
  await addEndpoint(sql, { max_files_per_sync: null });
  const first = await beginSlice(sql);
  const [task] = await startListing(sql, first);
  await commitPage(sql, first, { task_id: task?.id ?? 0, files: [fileRecord("first")] });
  await finishSlice(sql, first, { type: "done" });
  await sql`update connector.endpoint_states
    set next_run_at = now(), requested_mode = 'full', are_deletions_approved = true`;
  const lease = await beginSlice(sql);
  const [again] = await startListing(sql, lease);
  const taskId = again?.id ?? 0;
  await commitPage(sql, lease, {
    task_id: taskId,
    files: [fileRecord("first")],
    next: { type: "more", cursor: { token: "2" } },
  });
  if (knowledge === "statistics know of a single row") await analyzeAll(sql);
  await addTree(sql, lease.endpoint_id);
  await sql`update connector.listings set started_at = now() + interval '1 second'`;
  return { lease, taskId };
}

eachKnowing(
  "20,000 files and folders that a listing no longer shows are swept in seconds",
  async (sql, knowledge) => {
    const { lease, taskId } = await listedAgain(sql, knowledge);
    await commitPage(sql, lease, { task_id: taskId, sequence: 1 });
    const swept = await withinLimit(sql, () => sweep(sql, lease, 5_000));
    assert.equal(swept.deleted, FOLDERS);
    await withinLimit(sql, () => finishSlice(sql, lease, { type: "done" }));
    assert.equal(await count(sql, sql`select from connector.folders`), 1);
  },
);

eachKnowing(
  "20,000 files and folders that a listing shows again are found in seconds",
  async (sql, knowledge) => {
    const { lease, taskId } = await listedAgain(sql, knowledge);
    await sql`
    insert into connector.seen_files (listing_id, external_file_id)
    select g.id, f.external_file_id
    from connector.listings as g
    join public.files as f on f.endpoint_id = g.endpoint_id and f.external_file_id like 'a%'`;
    await sql`update connector.folders as f set seen_listing_id = g.id from connector.listings as g`;
    await commitPage(sql, lease, { task_id: taskId, sequence: 1 });
    const swept = await withinLimit(sql, () => sweep(sql, lease));
    assert.equal(swept.deleted, 0);
    await withinLimit(sql, () => finishSlice(sql, lease, { type: "done" }));
    assert.equal(await count(sql, sql`select from connector.folders`), FOLDERS + 2);
  },
);

eachKnowing(
  "a run with 60,000 folders that cannot be read ends in seconds",
  async (sql, knowledge) => {
    const lease = await listed(sql, knowledge);
    // A third of them are known.
    await sql`
      insert into connector.folder_errors
        (endpoint_id, external_folder_id, failure_code, message, next_attempt_at)
      select ${lease.endpoint_id}::uuid, 'F' || n, 'access_denied', 'no', now() + interval '1 day'
      from generate_series(0, ${3 * FOLDERS - 1}::int) as n`;
    const { status } = await withinLimit(sql, () => finishSlice(sql, lease, { type: "done" }));
    assert.equal(status, "partial");
  },
);

eachKnowing(
  "20,000 files of folders that never appeared are placed in seconds",
  async (sql, knowledge) => {
    const lease = await listed(sql, knowledge);
    await sql`delete from connector.folders where external_folder_id like 'F%'`;
    await sql`update public.files set file_path = null`;
    await withinLimit(sql, () => finishSlice(sql, lease, { type: "done" }));
    const placed = sql<{ n: number }[]>`select from public.files where file_path = '/a.pdf'`;
    assert.equal(await count(sql, placed), FOLDERS);
  },
);

eachKnowing("a top of 20,000 folders is renamed in seconds", async (sql, knowledge) => {
  const lease = await listed(sql, knowledge);
  await withinLimit(
    sql,
    () => commitChanges(sql, lease, { folders: [folderRecord("top", "R", "peak")] }),
  );
  const renamed = sql<{ n: number }[]>`select from public.files where file_path like '/peak/%'`;
  assert.equal(await count(sql, renamed), FOLDERS);
});

/** Folders of the tree as they are, of which the provider names several parents. */
const TEN_FOLDERS = Array.from({ length: 10 }, (_, n) => ({
  ...folderRecord(`F${n}`, null, `f${n}`),
  candidate_parent_ids: ["nowhere", "top"],
}));

/** How many rows of a table, and entries of its indexes, `work` reads. */
async function rowsRead(sql: Sql, table: string, work: () => Promise<unknown>): Promise<number> {
  const readSoFar = async () => {
    const [row] = await sql<{ n: number }[]>`
      select sum(pg_stat_get_xact_tuples_returned(r.oid))::int as n
      from (select ${table}::regclass as oid
            union all select indexrelid from pg_index where indrelid = ${table}::regclass) as r`;
    return row?.n ?? 0;
  };
  // These counts are a transaction's.
  await sql`begin`;
  try {
    const before = await readSoFar();
    await work();
    return await readSoFar() - before;
  } finally {
    await sql`commit`;
  }
}

Deno.test("a page of a listing reads its own folders, not all 20,000", () =>
  knowing("nothing is known", async (sql) => {
    const lease = await listed(sql, "nothing is known");
    const [task] = await startListing(sql, lease, { walk: ["R"] });
    const read = await rowsRead(sql, "connector.folders", () =>
      commitPage(sql, lease, {
        task_id: task?.id ?? 0,
        folders: TEN_FOLDERS,
        files: TEN_FOLDERS.map(({ external_folder_id: id }) =>
          fileRecord(`new${id}`, { candidate_parent_ids: ["nowhere", id] })
        ),
        walk: TEN_FOLDERS.map(({ external_folder_id: id }) => id),
      }));
    assert.ok(read > 0 && read < FOLDERS / 10, `read ${read} rows`);
  }));

Deno.test("a page of changes reads its own folders, not all 20,000", () =>
  knowing("nothing is known", async (sql) => {
    const lease = await listed(sql, "nothing is known");
    const read = await rowsRead(sql, "connector.folders", () =>
      commitChanges(sql, lease, {
        folders: TEN_FOLDERS,
        files: TEN_FOLDERS.map(({ external_folder_id: id }) =>
          fileRecord(`new${id}`, { candidate_parent_ids: ["nowhere", id] })
        ),
      }));
    assert.ok(read > 0 && read < FOLDERS / 10, `read ${read} rows`);
  }));

Deno.test("a page, and the end of a listing, do not read the tasks of other endpoints", () =>
  knowing("nothing is known", async (sql) => {
    const other = await addEndpoint(sql, { schedule_type: "manual" });
    const lease = await listed(sql, "nothing is known");
    const [task] = await startListing(sql, lease);
    await sql`
      with listing as (
        insert into connector.listings (endpoint_id, sweep, is_full)
        values (${other}, 'everything', true) returning id)
      insert into connector.tasks (listing_id, kind, folder_ids)
      select listing.id, 'walk', array['f' || n] from listing, generate_series(1, 20000) as n`;
    const read = await rowsRead(sql, "connector.tasks", async () => {
      await commitPage(sql, lease, {
        task_id: task?.id ?? 0,
        seeds: [{ kind: "files", key: "more", cursor: null }],
        files: [fileRecord("one")],
      });
      await sql`delete from connector.listings where endpoint_id = ${lease.endpoint_id}`;
    });
    assert.ok(read > 0 && read < 1000, `read ${read} rows`);
  }));

/** What a plan reads by which index, with which conditions. */
async function indexUse(sql: Sql, query: string): Promise<string> {
  const rows = await sql.unsafe<{ "QUERY PLAN": string }[]>(`explain (costs off) ${query}`);
  return rows.map((row) => row["QUERY PLAN"].trim()).filter((line) => /Index/.test(line)).join(" ");
}

Deno.test("rows are looked up by their own index though statistics know of a single one", () =>
  knowing("nothing is known", async (sql) => {
    const relations = [
      ["public.files", "external_file_id", "file_name, file_path, file_link", "'n', '/n', 'l'"],
      ["connector.folders", "external_folder_id", "folder_name, path", "'n', '/n'"],
    ] as const;
    const id = await addEndpoint(sql);
    for (const [relation, key, columns, values] of relations) {
      await sql.unsafe(
        `insert into ${relation} (endpoint_id, external_parent_id, ${key}, ${columns})
        select id, 'P', 'first', ${values} from public.endpoints`,
      );
      await sql.unsafe(`analyze ${relation}`);
      await sql.unsafe(
        `insert into ${relation} (endpoint_id, external_parent_id, ${key}, ${columns})
        select '${id}', 'P' || n % 100, 'i' || n, ${values} from generate_series(1, 2000) as n`,
      );
      for (const column of [key, "external_parent_id"]) {
        const plan = await indexUse(
          sql,
          `select from ${relation} where endpoint_id = '${id}' and ${column} = 'i7'`,
        );
        const condition = /Index Cond: (.*)/.exec(plan)?.[1] ?? "";
        assert.ok(condition.includes(column) && condition.includes("endpoint_id"), plan);
      }
    }
  }));
