/**
 * The database of the test run, for tests that speak SQL. `deno task test` boots it, migrates it and
 * names it in the environment; nothing here starts a server.
 */
import postgres from "postgres";
import { noteFiles } from "../../local/leaks/database_watch.ts";
import { readTestStack } from "./test_stack.ts";

/** Two people who exist in the seed. */
export const ADA = "11111111-1111-4111-8111-111111111111";
export const GRACE = "22222222-2222-4222-8222-222222222222";

/** A pool of connections. */
export type Sql = postgres.Sql;

/** A lease as the machinery's functions take it. */
export type Lease = { readonly endpoint_id: string; readonly lease_token: string };

/** Opens a pool as superuser; the caller ends it. */
export function connect(max = 4): Sql {
  return postgres(readTestStack().superuser_url, { max, onnotice: () => {} });
}

/** Runs a test with a clean database and a pool of its own. */
export async function withDatabase(test: (sql: Sql) => Promise<void>): Promise<void> {
  const sql = connect();
  try {
    await resetDatabase(sql);
    await test(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Removes every endpoint and all that hangs on one, what is queued for pg_net, and used-up quotas. */
export async function resetDatabase(sql: Sql): Promise<void> {
  await sql`truncate public.endpoints cascade`;
  await noteFiles(sql);
  await sql`delete from net.http_request_queue`;
  await sql`delete from connector.rate_limits`;
  await sql`update connector.scheduler set last_tick_at = null, last_dispatch_at = null`;
}

/** Runs `work` in a transaction as a signed-in user, or as anon when `userId` is null. */
export async function asUser<T>(
  sql: Sql,
  userId: string | null,
  work: (transaction: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const role = userId === null ? "anon" : "authenticated";
  const claims = userId === null ? { role } : { role, sub: userId };
  const result = await sql.begin(async (transaction) => {
    await transaction`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
    await transaction.unsafe(`set local role ${role}`);
    return [await work(transaction)] as const;
  });
  return result[0];
}

/** Columns of an endpoint that a test cares about. */
export interface EndpointOverrides {
  readonly [column: string]: postgres.SerializableParameter | postgres.JSONValue;
}

/** Inserts an endpoint and returns its id. */
export async function addEndpoint(sql: Sql, overrides: EndpointOverrides = {}): Promise<string> {
  const row = {
    name: "an endpoint",
    endpoint_type: "google_drive",
    project_id: "a project",
    user_id: ADA,
    ...overrides,
  };
  const [inserted] = await sql<{ id: string }[]>`
    insert into public.endpoints ${sql(row)} returning id`;
  if (inserted === undefined) throw new Error("Cannot add an endpoint: no row came back");
  return inserted.id;
}

/** Claims up to `batch` endpoints and returns their leases. */
export async function claim(sql: Sql, maxConcurrent: number, batch: number): Promise<Lease[]> {
  const [row] = await sql<{ claimed: { claims: Lease[] } }[]>`
    select public.connector_claim(${maxConcurrent}, ${batch}) as claimed`;
  return (row?.claimed.claims ?? []).map(({ endpoint_id, lease_token }) => ({
    endpoint_id,
    lease_token,
  }));
}

/** Claims the one due endpoint and begins a slice; returns its lease. */
export async function beginSlice(sql: Sql): Promise<Lease> {
  const [lease] = await claim(sql, 1000, 1);
  if (lease === undefined) throw new Error("Cannot begin a slice: nothing is due");
  await sql`select public.connector_begin_slice(${sql.json([lease])})`;
  return lease;
}

/** The first task of a listing that was begun. */
export type StartedTask = {
  readonly id: number;
  readonly folder_ids: string[];
  readonly sequence: number;
};

/** Begins a listing with one root folder `R` and one seed; returns its tasks. */
export async function startListing(
  sql: Sql,
  lease: Lease,
  start: postgres.JSONValue = {},
): Promise<StartedTask[]> {
  const defaults = {
    roots: [{
      external_folder_id: "R",
      external_parent_id: null,
      folder_name: "root",
      is_root: true,
    }],
    seeds: [{ kind: "files", key: "files", cursor: null }],
    walk: [],
    feeds: [{ key: "user", cursor: { token: "1" } }],
    is_tree: false,
    sweep: "everything",
    folders_per_task: 50,
    provider_calls: 0,
  };
  const [row] = await sql<{ started: { tasks: StartedTask[] } }[]>`
    select public.connector_start_listing(
      ${sql.json(lease)}, ${sql.json(defaults)}::jsonb || ${sql.json(start)}::jsonb) as started`;
  return row?.started.tasks ?? [];
}

/** What a committed page answers. */
export interface Committed {
  readonly repeated: boolean;
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  readonly files_seen: number;
  readonly open_tasks: number;
  readonly tasks: StartedTask[];
}

/** A page that says nothing and ends its task. */
export const EMPTY_PAGE = {
  sequence: 0,
  files: [],
  filtered: [],
  folders: [],
  walk: [],
  folders_per_task: 50,
  seeds: [],
  skipped: [],
  receipt: {},
  next: { type: "done" },
  provider_calls: 1,
};

/** Commits a page; what `page` leaves out is taken from {@linkcode EMPTY_PAGE}. */
export async function commitPage(
  sql: Sql,
  lease: Lease,
  page: postgres.JSONValue,
): Promise<Committed> {
  const [row] = await sql<{ committed: Committed }[]>`
    select public.connector_commit_page(
      ${sql.json(lease)}, ${sql.json(EMPTY_PAGE)}::jsonb || ${sql.json(page)}::jsonb) as committed`;
  if (row === undefined) throw new Error("Cannot commit a page: no answer came back");
  return row.committed;
}

/** A change page that says nothing and drains its feed. */
export const EMPTY_CHANGES = {
  feed_key: "user",
  sequence: 0,
  files: [],
  filtered: [],
  folders: [],
  removed: [],
  skipped: [],
  folders_per_task: 50,
  receipt: {},
  next: { type: "drained", cursor: { token: "2" } },
  provider_calls: 1,
};

/** Commits a page of a change feed; what `page` leaves out is taken from {@linkcode EMPTY_CHANGES}. */
export async function commitChanges(
  sql: Sql,
  lease: Lease,
  page: postgres.JSONValue,
): Promise<Committed> {
  const [row] = await sql<{ committed: Committed }[]>`
    select public.connector_commit_changes(
      ${sql.json(lease)}, ${sql.json(EMPTY_CHANGES)}::jsonb || ${
    sql.json(page)
  }::jsonb) as committed`;
  if (row === undefined) throw new Error("Cannot commit changes: no answer came back");
  return row.committed;
}

/** Sweeps until nothing is left to be swept; returns what it deleted and what the fuse withheld. */
export async function sweep(
  sql: Sql,
  lease: Lease,
  limit = 20_000,
): Promise<{ deleted: number; held: number | null; calls: number }> {
  let deleted = 0;
  for (let calls = 1;; calls++) {
    const [row] = await sql<{ swept: { deleted: number; held: number | null; more: boolean } }[]>`
      select public.connector_sweep(${sql.json(lease)}, ${limit}) as swept`;
    if (row === undefined) throw new Error("Cannot sweep: no answer came back");
    deleted += row.swept.deleted;
    if (!row.swept.more) return { deleted, held: row.swept.held, calls };
  }
}

/** Ends a slice. A run that is `done` is swept first, as a worker does it. */
export async function finishSlice(
  sql: Sql,
  lease: Lease,
  outcome: postgres.JSONValue,
): Promise<{ status: string; next_run_at: string | null }> {
  if (isDone(outcome)) await sweep(sql, lease);
  const [row] = await sql<{ finished: { status: string; next_run_at: string | null } }[]>`
    select public.connector_finish_slice(${sql.json(lease)}, ${sql.json(outcome)}) as finished`;
  if (row === undefined) throw new Error("Cannot finish a slice: no answer came back");
  return row.finished;
}

function isDone(outcome: postgres.JSONValue): boolean {
  return typeof outcome === "object" && outcome !== null && "type" in outcome &&
    outcome.type === "done";
}

/** A file as a page carries it. */
export function fileRecord(id: string, overrides: { [field: string]: postgres.JSONValue } = {}) {
  return {
    external_file_id: id,
    external_parent_id: "R",
    file_name: `${id}.pdf`,
    file_link: `https://drive.example/${id}`,
    file_size: "10",
    file_type: "pdf",
    mime_type: "application/pdf",
    external_created_at: "2026-01-02T03:04:05.678Z",
    external_updated_at: "2026-01-03T03:04:05.678Z",
    file_metadata: {},
    ...overrides,
  };
}

/** A folder as a page carries it. */
export function folderRecord(id: string, parent: string | null, name = id) {
  return { external_folder_id: id, external_parent_id: parent, folder_name: name, is_root: false };
}

/** The SQLSTATE, constraint, message and hint of a query that must fail. */
export async function failureOf(query: Promise<unknown>): Promise<{
  code: string;
  constraint: string;
  message: string;
  hint: string;
}> {
  try {
    await query;
  } catch (thrown) {
    if (!(thrown instanceof postgres.PostgresError)) throw thrown;
    return {
      code: thrown.code,
      constraint: thrown.constraint_name ?? "",
      message: thrown.message,
      hint: thrown.hint ?? "",
    };
  }
  throw new Error("Expected the query to fail, but it succeeded");
}
