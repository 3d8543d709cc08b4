/**
 * Who may do what to each object of the schemas `public` and `connector`, tried by each kind of
 * caller. The objects come from the catalog: one that is not expected here fails.
 */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { ADA, addEndpoint, GRACE, type Sql, withDatabase } from "../support/database.ts";

const CALLERS = ["anon", "stranger", "owner", "service"] as const;
const VERBS = ["select", "insert", "update", "delete"] as const;

type Caller = typeof CALLERS[number];
type Verb = typeof VERBS[number];
type Outcome =
  | "refused"
  /** Allowed, and reaches no row of another's. */
  | "nothing"
  /** Reaches the owner's rows, and no other's. */
  | "theirs"
  /** Reaches everybody's rows. */
  | "all"
  /** Not stopped at the door; what a row must be is another test's business. */
  | "let in";
/** Outcomes of select, insert, update, delete. */
type Doors = readonly [Outcome, Outcome, Outcome, Outcome];
type Expectation = Readonly<Record<Caller, Doors>>;

const NO: Doors = ["refused", "refused", "refused", "refused"];
const ALL: Doors = ["all", "let in", "all", "all"];
const SEEN: Doors = ["all", "refused", "refused", "refused"];

/** The machinery's own. */
const PRIVATE: Expectation = { anon: NO, stranger: NO, owner: NO, service: ALL };
/** Lists that migrations fill, and settings that the operator edits. */
const FIXED: Expectation = { anon: NO, stranger: NO, owner: NO, service: SEEN };
const readBy = (owner: Outcome, stranger: Outcome): Expectation => ({
  anon: NO,
  stranger: [stranger, "refused", "refused", "refused"],
  owner: [owner, "refused", "refused", "refused"],
  service: ALL,
});

const RELATIONS: Readonly<Record<string, Expectation>> = {
  "connector.absences": PRIVATE,
  "connector.consents": PRIVATE,
  "connector.endpoint_states": readBy("theirs", "nothing"),
  "connector.endpoint_types": FIXED,
  "connector.failure_codes": FIXED,
  "connector.feeds": PRIVATE,
  "connector.folder_errors": PRIVATE,
  "connector.folders": PRIVATE,
  "connector.listings": PRIVATE,
  "connector.losses": PRIVATE,
  "connector.pending_items": PRIVATE,
  "connector.rate_limits": PRIVATE,
  // The heartbeat is nobody's: any signed-in user may see that the scheduler lives.
  "connector.scheduler": readBy("all", "all"),
  "connector.seen_files": PRIVATE,
  "connector.settings": FIXED,
  "connector.skipped_subtrees": PRIVATE,
  "connector.stale_paths": PRIVATE,
  "connector.tasks": PRIVATE,
  "connector.token_refreshes": PRIVATE,
  "public.endpoint_overview": { ...readBy("theirs", "nothing"), service: SEEN },
  "public.endpoints": {
    anon: NO,
    stranger: ["nothing", "let in", "nothing", "nothing"],
    owner: ["theirs", "let in", "theirs", "theirs"],
    service: ALL,
  },
  "public.files": readBy("theirs", "nothing"),
  "public.oauth_tokens": readBy("theirs", "nothing"),
  "public.sync_logs": readBy("theirs", "nothing"),
};

/** What signed-in users may touch where not all columns are theirs; all others are refused. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  "select connector.endpoint_states": [
    ...["consecutive_failures", "endpoint_id", "file_count", "held_deletions", "lease_expires_at"],
    ...["next_run_at", "total_bytes", "user_id"],
  ],
  "select connector.scheduler": ["last_tick_at"],
  "select public.oauth_tokens": [
    ...["created_at", "endpoint_id", "expires_at", "grant_type", "id", "is_active"],
    ...["needs_reauthorization_at", "refresh_by", "scope", "token_type", "updated_at"],
  ],
  "insert public.endpoints": [
    ...["description", "enabled", "endpoint_config", "endpoint_type", "file_types", "id"],
    ...["interval_minutes", "max_files_per_sync", "name", "project_id", "schedule_cron"],
    ...["schedule_type", "tags", "timezone", "user_id"],
  ],
  "update public.endpoints": [
    ...["deletions_approved_at", "description", "enabled", "endpoint_config", "endpoint_type"],
    ...["file_types", "interval_minutes", "max_files_per_sync", "name", "project_id"],
    ...["schedule_cron", "schedule_type", "sync_requested_at", "sync_requested_mode", "tags"],
    ...["timezone"],
  ],
};

const CLAIMS: Readonly<Record<Caller, { readonly role: string; readonly sub?: string }>> = {
  anon: { role: "anon" },
  stranger: { role: "authenticated", sub: GRACE },
  owner: { role: "authenticated", sub: ADA },
  service: { role: "service_role" },
};

/** Insufficient privilege; and a view that cannot be written to. */
const REFUSALS = ["42501", "55000"];

class Undo extends Error {}

/** Runs `work` as a caller, in a transaction that is undone. */
async function tryAs<T>(
  sql: Sql,
  caller: Caller,
  work: (transaction: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const results: T[] = [];
  await sql.begin(async (transaction) => {
    const claims = CLAIMS[caller];
    await transaction`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
    await transaction.unsafe(`set local role ${claims.role}`);
    results.push(await work(transaction));
    throw new Undo();
  }).catch((error) => {
    if (!(error instanceof Undo)) throw error;
  });
  const [result] = results;
  if (result === undefined) throw new Error("Cannot try: nothing came back");
  return result;
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) throw error;
  return String(error.code);
}

/** A column that tells whose a row is, and what stands in it for Ada. */
interface Ownership {
  readonly column: string;
  readonly ids: ReadonlySet<string>;
}

/** One endpoint with a file, a run and a token for each of two people. */
async function fill(sql: Sql): Promise<ReadonlySet<string>> {
  const own = await addEndpoint(sql, { name: "Ada's" });
  for (const id of [own, await addEndpoint(sql, { name: "Grace's", user_id: GRACE })]) {
    await sql`
      insert into public.files (endpoint_id, external_file_id, file_name, file_link)
      values (${id}, 'f', 'f', 'l')`;
    await sql`
      insert into public.sync_logs (endpoint_id, status, trigger, mode, finished_at)
      values (${id}, 'completed', 'schedule', 'full', now())`;
    await sql`
      insert into public.oauth_tokens (endpoint_id, access_token, expires_at)
      values (${id}, 'sealed', now())`;
  }
  return new Set([own, ADA]);
}

/** The columns of a relation; those that nobody can set come last. */
async function columnsOf(sql: Sql, relation: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select a.attname as name from pg_attribute as a
    where a.attrelid = ${relation}::regclass and a.attnum > 0 and not a.attisdropped
    order by a.attidentity <> '', a.attnum`;
  return rows.map((row) => row.name);
}

/** Columns on which a signed-in user has a privilege. */
async function openColumns(sql: Sql, verb: Verb, relation: string): Promise<string[]> {
  const columns = await columnsOf(sql, relation);
  const rows = await sql<{ name: string }[]>`
    select name from unnest(${columns}::text[]) as name
    where has_column_privilege('authenticated', ${relation}, name, ${verb})`;
  return rows.map((row) => row.name).sort();
}

/** The statement that tries a verb; it returns the column that tells whose the rows are. */
function statement(verb: Verb, relation: string, column: string | null, probe: string): string {
  const returned = column ?? "1";
  switch (verb) {
    case "select":
      return `select ${column ?? probe} as owner from ${relation}`;
    case "insert":
      return `insert into ${relation} default values`;
    case "update":
      return `update ${relation} set ${probe} = ${probe} returning ${returned} as owner`;
    case "delete":
      return `delete from ${relation} returning ${returned} as owner`;
  }
}

function toOutcome(
  rows: readonly postgres.Row[],
  verb: Verb,
  ownership: Ownership | null,
): Outcome {
  if (verb === "insert") return "let in";
  if (ownership === null) return "all";
  if (rows.length === 0) return "nothing";
  const isOwn = (row: postgres.Row) => ownership.ids.has(String(row.owner));
  return rows.every(isOwn) ? "theirs" : "all";
}

async function tryVerb(
  sql: Sql,
  caller: Caller,
  text: string,
  verb: Verb,
  ownership: Ownership | null,
): Promise<Outcome> {
  try {
    return toOutcome(await tryAs(sql, caller, (as) => as.unsafe(text)), verb, ownership);
  } catch (error) {
    if (REFUSALS.includes(codeOf(error))) return "refused";
    // The row of defaults is not one that the table takes.
    if (verb === "insert") return "let in";
    throw error;
  }
}

/** Tries every verb on a relation as a caller. */
async function doorsOf(
  sql: Sql,
  relation: string,
  caller: Caller,
  ids: ReadonlySet<string>,
): Promise<Doors> {
  const columns = await columnsOf(sql, relation);
  const isEndpoint = /\.endpoint(s|_overview)$/.test(relation);
  const column = isEndpoint ? "id" : columns.includes("endpoint_id") ? "endpoint_id" : null;
  const ownership = column === null ? null : { column, ids };
  const open = await openColumns(sql, "select", relation);
  const tried = async (verb: Verb) => {
    const updatable = verb === "update" ? await openColumns(sql, verb, relation) : open;
    const probe = updatable[0] ?? columns[0] ?? "";
    // A stranger has an endpoint of their own: only the owner's rows count.
    const text = statement(verb, relation, column, probe);
    const outcome = await tryVerb(sql, caller, text, verb, ownership);
    if (caller !== "stranger" || outcome !== "all" || ownership === null) return outcome;
    const rows = await tryAs(sql, caller, (as) => as.unsafe(text));
    return rows.some((row) => ids.has(String(row.owner))) ? "all" : "nothing";
  };
  return [
    await tried("select"),
    await tried("insert"),
    await tried("update"),
    await tried("delete"),
  ];
}

Deno.test("every table and view is expected, and lets each caller do what is expected and no more", () =>
  withDatabase(async (sql) => {
    const ids = await fill(sql);
    const relations = await sql<{ name: string }[]>`
      select n.nspname || '.' || c.relname as name
      from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where n.nspname in ('public', 'connector') and c.relkind in ('r', 'p', 'v', 'm', 'f')`;
    const found: Record<string, Record<string, Doors>> = {};
    for (const { name } of relations) {
      const doors: Record<string, Doors> = {};
      for (const caller of CALLERS) doors[caller] = await doorsOf(sql, name, caller, ids);
      found[name] = doors;
    }
    // A table that is empty here shows nothing to the service role either.
    for (const [name, doors] of Object.entries(found)) {
      const service = doors.service?.map((outcome) => outcome === "nothing" ? "all" : outcome);
      assert.deepEqual(
        { ...doors, service },
        RELATIONS[name],
        `${name}: select, insert, update, delete`,
      );
    }
    assert.deepEqual(Object.keys(found).sort(), Object.keys(RELATIONS).sort());
  }));

Deno.test("row level security is on for every table", () =>
  withDatabase(async (sql) => {
    const open = await sql`
      select c.oid::regclass::text as name from pg_class as c
      where c.relnamespace in ('public'::regnamespace, 'connector'::regnamespace)
        and c.relkind in ('r', 'p') and not c.relrowsecurity`;
    assert.deepEqual([...open], []);
  }));

Deno.test("every view reads with the rights of its reader", () =>
  withDatabase(async (sql) => {
    const views = await sql`
      select c.oid::regclass::text as name from pg_class as c
      where c.relnamespace in ('public'::regnamespace, 'connector'::regnamespace)
        and c.relkind in ('v', 'm')
        and not coalesce(c.reloptions @> array['security_invoker=true'], false)`;
    assert.deepEqual([...views], []);
  }));

Deno.test("signed-in users touch the expected columns only", () =>
  withDatabase(async (sql) => {
    for (const relation of Object.keys(RELATIONS)) {
      for (const verb of ["select", "insert", "update"] as const) {
        const open = await openColumns(sql, verb, relation);
        const outcome = RELATIONS[relation]?.owner[VERBS.indexOf(verb)];
        const expected = outcome === "refused"
          ? []
          : COLUMNS[`${verb} ${relation}`] ?? (await columnsOf(sql, relation)).sort();
        assert.deepEqual(open, expected, `${verb} ${relation}`);
      }
    }
  }));

Deno.test("anon and the sequences: nothing, no default grant left open", () =>
  withDatabase(async (sql) => {
    const grants = await sql`
      select c.oid::regclass::text as name, r.rolname, a.privilege_type
      from pg_class as c
      cross join lateral aclexplode(c.relacl) as a
      left join pg_roles as r on r.oid = a.grantee
      where c.relnamespace in ('public'::regnamespace, 'connector'::regnamespace)
        and (coalesce(r.rolname, 'public') in ('anon', 'public')
          or c.relkind = 'S' and r.rolname in ('authenticated', 'service_role'))`;
    assert.deepEqual([...grants], []);
  }));
