/** What the database holds of one endpoint, and what it must never hold. */
import assert from "node:assert/strict";
import type { Sql } from "../../support/database.ts";
import type { ExpectedFile, History } from "./history.ts";

/** A row of `public.files`. */
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly path: string | null;
  readonly size: string | null;
  readonly mime_type: string | null;
  readonly drive_id: string | null;
  readonly reason: string | null;
}

/** What the machinery holds of an endpoint. */
export interface Machinery {
  readonly file_count: number;
  readonly total_bytes: string;
  readonly is_leased: boolean;
  readonly is_running: boolean;
  readonly held_deletions: number | null;
  /** Of what a listing could not read all was read since; what is gone is known by the next one. */
  readonly owes_sweep: boolean;
  readonly status: string;
  readonly code: string | null;
  readonly running_runs: number;
  readonly completed_runs: number;
  readonly listings: number;
  readonly tasks: number;
  readonly pending_items: number;
  readonly folder_errors: number;
}

/** Reads the rows of an endpoint, by id. */
export async function readRows(sql: Sql, endpoint: string): Promise<readonly Row[]> {
  return await sql<Row[]>`
    select external_file_id as id, file_name as name, file_path as path, file_size::text as size,
      mime_type, file_metadata ->> 'drive_id' as drive_id, deletion_reason as reason
    from public.files where endpoint_id = ${endpoint} order by external_file_id collate "C"`;
}

/** Reads what the machinery holds of an endpoint. */
export async function readMachinery(sql: Sql, endpoint: string): Promise<Machinery> {
  const [row] = await sql<Machinery[]>`
    select s.file_count::int, s.total_bytes::text, s.lease_token is not null as is_leased,
      s.run_id is not null as is_running, s.held_deletions::int, s.owes_sweep,
      e.last_sync_status as status, e.last_error_code as code,
      (select count(*)::int from public.sync_logs as r
        where r.endpoint_id = e.id and r.status = 'running') as running_runs,
      (select count(*)::int from public.sync_logs as r
        where r.endpoint_id = e.id and r.status = 'completed') as completed_runs,
      (select count(*)::int from connector.listings as g where g.endpoint_id = e.id) as listings,
      (select count(*)::int from connector.tasks as t
        join connector.listings as g on g.id = t.listing_id
        where g.endpoint_id = e.id) as tasks,
      (select count(*)::int from connector.pending_items as p
        where p.endpoint_id = e.id) as pending_items,
      (select count(*)::int from connector.folder_errors as x
        where x.endpoint_id = e.id) as folder_errors
    from public.endpoints as e join connector.endpoint_states as s on s.endpoint_id = e.id
    where e.id = ${endpoint}`;
  assert.ok(row);
  return row;
}

/** The rows are those of the Drive, exactly; what is a tombstone is not there. */
export function checkExact(rows: readonly Row[], expected: readonly ExpectedFile[]): void {
  const living = rows.filter(({ reason }) => reason === null);
  const byId = (files: readonly { id: string }[]) =>
    Object.fromEntries(files.map(({ id, ...rest }) => [id, rest]));
  const shown = living.map(({ id, name, path, size, mime_type, drive_id }) => ({
    id,
    name,
    path,
    size,
    mimeType: mime_type,
    driveId: drive_id,
  }));
  assert.deepEqual(byId(shown), byId(expected), "the table is not what the Drive is");
}

/** As {@linkcode checkExact}, but for rows of what is gone: nothing has been deleted yet. */
export function checkUnswept(rows: readonly Row[], expected: readonly ExpectedFile[]): void {
  const ids = new Set(expected.map(({ id }) => id));
  checkExact(rows.filter(({ id }) => ids.has(id)), expected);
}

/**
 * What holds after every sync, however it ended: no row was made up; nothing was deleted that was
 * there, without a break, ever since the table was last known to be exact; the counters are true.
 */
export function checkAlways(
  rows: readonly Row[],
  { file_count, total_bytes }: Machinery,
  before: ReadonlySet<string>,
  { history, exactAt }: { readonly history: History; readonly exactAt: number },
): void {
  for (const { id, name, reason } of rows) {
    assert.ok(history.mayHaveRow(id), `"${name}" (${id}) was never in the scope`);
    if (reason === null || !before.has(id)) continue;
    assert.ok(
      history.mayBeGone(id, exactAt),
      `"${name}" (${id}) is deleted (${reason}) though it was there all the time`,
    );
  }
  const living = rows.filter(({ reason }) => reason === null);
  assert.equal(file_count, living.length, "file_count");
  const bytes = living.reduce((sum, { size }) => sum + BigInt(size ?? 0), 0n);
  assert.equal(total_bytes, String(bytes), "total_bytes");
}

/** What has a row keeps it, though it be deleted; notes the rows that are there now. */
export function checkKept(rows: readonly Row[], before: Set<string>): void {
  const ids = new Set(rows.map(({ id }) => id));
  for (const id of before) assert.ok(ids.has(id), `the row of ${id} is no longer there`);
  for (const id of ids) before.add(id);
}

/** Nothing is left of a run that is over. */
export function checkAtRest(machinery: Machinery): void {
  const { is_leased, is_running, running_runs } = machinery;
  assert.deepEqual({ is_leased, is_running, running_runs }, {
    is_leased: false,
    is_running: false,
    running_runs: 0,
  }, "a run is over");
}

/** Nothing is left to be done. */
export function checkNothingLeft({ listings, tasks, pending_items, ...rest }: Machinery): void {
  const { folder_errors, held_deletions, status, code } = rest;
  assert.deepEqual(
    { listings, tasks, pending_items, folder_errors, held_deletions, status, code },
    {
      listings: 0,
      tasks: 0,
      pending_items: 0,
      folder_errors: 0,
      held_deletions: null,
      status: "completed",
      code: null,
    },
    "all is done",
  );
}
