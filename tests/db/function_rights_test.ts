/**
 * Who may call each function of the schemas `public` and `connector`, and with whose rights it runs.
 * The functions come from the catalog: one that is not expected here fails.
 */
import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";

/** Functions that signed-in users call, besides the service role. */
const OF_USERS = [
  "connector.last_hour",
  "public.approve_deletions",
  "public.request_sync",
  "public.sync_status",
];

/** Functions that only the owner of the schema runs: triggers, checks, and what the schedule calls. */
const OF_THE_SCHEMA = [
  ...["connector.add_endpoint_state", "connector.apply_deletion_approval"],
  ...["connector.apply_retention", "connector.apply_schedule_change"],
  ...["connector.apply_scope_change", "connector.apply_sync_request"],
  "connector.delete_detached_listings",
  ...["connector.cron_field_problem", "connector.cron_problem", "connector.file_types_problem"],
  ...["connector.is_timezone", "connector.number_cron_names", "connector.refuse_endpoint"],
  ...["connector.tick", "connector.touch_updated_at", "connector.validate_endpoint"],
  ...["connector.note_config_change", "connector.vault_secret"],
];

/** Functions with the rights of the schema's owner: triggers alone, which nobody can call. */
const DEFINERS = [
  ...["connector.add_endpoint_state", "connector.apply_deletion_approval"],
  ...["connector.apply_schedule_change", "connector.apply_scope_change"],
  ...["connector.apply_sync_request", "connector.note_config_change"],
  "connector.validate_endpoint",
];

Deno.test("every function is expected, and open to its callers only", () =>
  withDatabase(async (sql) => {
    const functions = await sql<
      { name: string; anon: boolean; authenticated: boolean; service_role: boolean }[]
    >`
      select n.nspname || '.' || p.proname as name,
        has_function_privilege('anon', p.oid, 'execute') as anon,
        has_function_privilege('authenticated', p.oid, 'execute') as authenticated,
        has_function_privilege('service_role', p.oid, 'execute') as service_role
      from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
      where n.nspname in ('public', 'connector')
      order by 1`;
    for (const { name, ...open } of functions) {
      const isOfSchema = OF_THE_SCHEMA.includes(name);
      assert.deepEqual(open, {
        anon: false,
        authenticated: OF_USERS.includes(name),
        service_role: !isOfSchema,
      }, name);
    }
    const names = functions.map((each) => each.name);
    for (const name of [...OF_USERS, ...OF_THE_SCHEMA]) assert.ok(names.includes(name), name);
  }));

Deno.test("a function of public that users may not call is the machinery's by its name", () =>
  withDatabase(async (sql) => {
    const functions = await sql<{ name: string }[]>`
      select p.proname as name from pg_proc as p
      where p.pronamespace = 'public'::regnamespace
        and not has_function_privilege('authenticated', p.oid, 'execute')`;
    for (const { name } of functions) assert.match(name, /^connector_/);
  }));

Deno.test("every function has an empty search path, and only triggers run with their owner's rights", () =>
  withDatabase(async (sql) => {
    const functions = await sql<
      { name: string; definer: boolean; trigger: boolean; path: boolean }[]
    >`
      select n.nspname || '.' || p.proname as name, p.prosecdef as definer,
        p.prorettype = 'trigger'::regtype as trigger,
        coalesce(p.proconfig @> array['search_path=""'], false) as path
      from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
      where n.nspname in ('public', 'connector')
      order by 1`;
    for (const { name, definer, trigger, path } of functions) {
      assert.ok(path, `${name} has a search path of its own`);
      assert.equal(definer, DEFINERS.includes(name), name);
      assert.ok(!definer || trigger, `${name} is no trigger`);
    }
  }));
