import assert from "node:assert/strict";
import { FAILURE_CODES, REMEDIES } from "../../supabase/functions/_shared/errors.ts";
import { type Sql, withDatabase } from "../support/database.ts";

/** The columns that users and other programs rely on: type, then `!` for not null, then the default. */
const CONTRACT: { readonly [table: string]: { readonly [column: string]: string } } = {
  endpoints: {
    id: "uuid! gen_random_uuid()",
    name: "text!",
    endpoint_type: "text!",
    project_id: "text!",
    user_id: "uuid!",
    description: "text",
    enabled: "boolean! true",
    schedule_type: "text! 'interval'::text",
    schedule_cron: "text! '*/5 * * * *'::text",
    interval_minutes: "integer 5",
    file_types: `jsonb '["*"]'::jsonb`,
    max_files_per_sync: "integer 1000",
    endpoint_config: "jsonb! '{}'::jsonb",
    tags: "jsonb '[]'::jsonb",
    last_sync_status: "text! 'pending'::text",
    timezone: "text! 'UTC'::text",
    last_sync_at: "timestamp with time zone",
    last_error_code: "text",
    last_error_message: "text",
    created_at: "timestamp with time zone! now()",
    updated_at: "timestamp with time zone! now()",
  },
  files: {
    id: "uuid! gen_random_uuid()",
    endpoint_id: "uuid!",
    external_file_id: "text!",
    file_name: "text!",
    file_path: "text",
    file_link: "text!",
    file_size: "bigint",
    file_type: "text",
    mime_type: "text",
    external_created_at: "timestamp with time zone",
    external_updated_at: "timestamp with time zone",
    sync_status: "text 'completed'::text",
    file_metadata: "jsonb '{}'::jsonb",
    external_parent_id: "text",
    deleted_at: "timestamp with time zone",
    deletion_reason: "text",
    created_at: "timestamp with time zone! now()",
    updated_at: "timestamp with time zone! now()",
  },
  oauth_tokens: {
    id: "uuid! gen_random_uuid()",
    endpoint_id: "uuid!",
    access_token: "text!",
    refresh_token: "text",
    token_type: "text 'Bearer'::text",
    scope: "text",
    expires_at: "timestamp with time zone!",
    is_active: "boolean true",
    created_at: "timestamp with time zone! now()",
    updated_at: "timestamp with time zone! now()",
  },
};

const SYNC_LOG_COLUMNS =
  "id endpoint_id status trigger mode started_at finished_at files_seen files_added files_updated " +
  "files_unchanged files_deleted files_skipped provider_calls slices error_code error_message receipt";

for (const [table, columns] of Object.entries(CONTRACT)) {
  Deno.test(`public.${table} has the columns of the contract`, () =>
    withDatabase(async (sql) => {
      const found = await columnsOf(sql, table);
      for (const [column, definition] of Object.entries(columns)) {
        assert.equal(found.get(column), definition, `${table}.${column}`);
      }
    }));
}

Deno.test("public.sync_logs has the columns of the contract", () =>
  withDatabase(async (sql) => {
    const found = await columnsOf(sql, "sync_logs");
    for (const column of SYNC_LOG_COLUMNS.split(" ")) assert.ok(found.has(column), column);
  }));

Deno.test("the database's failure codes, and their remedies, are those of the functions", () =>
  withDatabase(async (sql) => {
    const rows = await sql`select failure_code, remedy from connector.failure_codes`;
    const remedies = Object.fromEntries(rows.map((row) => [row.failure_code, row.remedy]));
    assert.deepEqual(Object.keys(remedies).sort(), [...FAILURE_CODES].sort());
    assert.deepEqual(remedies, REMEDIES);
  }));

Deno.test("every table has row level security, a comment and a primary key", () =>
  withDatabase(async (sql) => {
    const tables = await sql`
      select c.oid::regclass::text as name, c.relrowsecurity as is_secured,
        obj_description(c.oid) is not null as is_described,
        exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as has_key
      from pg_class c
      where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'connector'::regnamespace)`;
    assert.ok(tables.length >= 12);
    for (const table of tables) {
      assert.deepEqual(
        [table.name, table.is_secured, table.is_described, table.has_key],
        [table.name, true, true, true],
      );
    }
  }));

Deno.test("every function fixes its search_path, and every definer is a trigger of the private schema", () =>
  withDatabase(async (sql) => {
    const functions = await sql`
      select p.oid::regprocedure::text as name, p.proconfig as settings, p.prosecdef as is_definer,
        p.prorettype = 'trigger'::regtype as is_trigger
      from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'connector'::regnamespace)`;
    assert.ok(functions.length >= 30);
    for (const each of functions) {
      assert.ok(each.settings?.includes('search_path=""'), `${each.name} lacks search_path`);
      if (each.is_definer) {
        assert.ok(
          each.is_trigger && each.name.startsWith("connector."),
          `${each.name} is a definer`,
        );
      }
    }
  }));

/** What signed-in users may do with whole tables; what is not named here they may not. */
const ALLOWED: { readonly [privilege: string]: readonly string[] } = {
  "authenticated select": [
    "public.endpoints",
    "public.files",
    "public.sync_logs",
    "public.endpoint_overview",
  ],
  "authenticated delete": ["public.endpoints"],
};

Deno.test("anon may touch no table, column, view or function", () =>
  withDatabase(async (sql) => {
    const relations = await sql`
      select c.oid::regclass::text as name
      from pg_class c
      where c.relkind in ('r', 'v', 'p', 'm', 'S')
        and c.relnamespace in ('public'::regnamespace, 'connector'::regnamespace)
        and case c.relkind
          when 'S' then has_sequence_privilege('anon', c.oid, 'usage, select, update')
          else has_table_privilege('anon', c.oid, 'select, insert, update, delete, truncate')
            or has_any_column_privilege('anon', c.oid, 'select, insert, update') end`;
    assert.deepEqual(relations.map((row) => row.name), []);
    const functions = await sql`
      select p.oid::regprocedure::text as name from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'connector'::regnamespace)
        and has_function_privilege('anon', p.oid, 'execute')`;
    assert.deepEqual(functions.map((row) => row.name), []);
  }));

Deno.test("signed-in users have whole-table rights on what the contract names, and on nothing else", () =>
  withDatabase(async (sql) => {
    for (const privilege of ["select", "insert", "update", "delete", "truncate"]) {
      const rows = await sql`
        select c.relnamespace::regnamespace::text || '.' || c.relname as name
        from pg_class c
        where c.relkind in ('r', 'v', 'p', 'm')
          and c.relnamespace in ('public'::regnamespace, 'connector'::regnamespace)
          and has_table_privilege('authenticated', c.oid, ${privilege})
        order by 1`;
      assert.deepEqual(
        rows.map((row) => row.name),
        [...ALLOWED[`authenticated ${privilege}`] ?? []].sort(),
        privilege,
      );
    }
  }));

Deno.test("signed-in users may execute what the contract names, and nothing else", () =>
  withDatabase(async (sql) => {
    const rows = await sql`
      select p.proname as name from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'connector'::regnamespace)
        and has_function_privilege('authenticated', p.oid, 'execute') order by 1`;
    assert.deepEqual(rows.map((row) => row.name), [
      "approve_deletions",
      // A part of sync_status(), in a schema that REST does not serve.
      "last_hour",
      "request_sync",
      "sync_status",
    ]);
  }));

Deno.test("no signed-in user can read a token value or a lease token, nor write a machinery column", () =>
  withDatabase(async (sql) => {
    const [row] = await sql`
      select
        has_column_privilege('authenticated', 'public.oauth_tokens', 'access_token', 'select') as access,
        has_column_privilege('authenticated', 'public.oauth_tokens', 'refresh_token', 'select') as refresh,
        has_column_privilege('authenticated', 'connector.endpoint_states', 'lease_token', 'select') as lease,
        has_column_privilege('authenticated', 'public.endpoints', 'last_sync_status', 'update') as status,
        has_column_privilege('authenticated', 'public.endpoints', 'user_id', 'update') as owner,
        has_column_privilege('authenticated', 'public.endpoints', 'last_error_code', 'insert') as error`;
    assert.deepEqual({ ...row }, {
      access: false,
      refresh: false,
      lease: false,
      status: false,
      owner: false,
      error: false,
    });
  }));

Deno.test("the monitoring join prints Valid, Expired and No Token", () =>
  withDatabase(async (sql) => {
    await sql`
      with added as (
        insert into public.endpoints (name, endpoint_type, project_id, user_id)
        select name, 'google_drive', 'p', gen_random_uuid() from unnest(array['a', 'b', 'c']) as name
        returning id, name)
      insert into public.oauth_tokens (endpoint_id, access_token, expires_at, is_active)
      select id, 'sealed', now() + case name when 'a' then interval '1 hour' else interval '-1 hour' end,
        name <> 'c'
      from added`;
    const rows = await sql`
      select e.name, case when t.id is null then 'No Token' when t.expires_at > now() then 'Valid'
        else 'Expired' end as token
      from endpoints e left join oauth_tokens t on t.endpoint_id = e.id and t.is_active = true
      order by e.name`;
    assert.deepEqual(rows.map((row) => row.token), ["Valid", "Expired", "No Token"]);
    const overview = await sql`select token_status from public.endpoint_overview order by name`;
    assert.deepEqual(overview.map((row) => row.token_status), ["Valid", "Expired", "No Token"]);
  }));

async function columnsOf(sql: Sql, table: string): Promise<Map<string, string>> {
  const rows = await sql`
    select column_name, data_type || case is_nullable when 'NO' then '!' else '' end
      || coalesce(' ' || column_default, '') as definition
    from information_schema.columns where table_schema = 'public' and table_name = ${table}`;
  return new Map(rows.map((row) => [row.column_name, row.definition]));
}
