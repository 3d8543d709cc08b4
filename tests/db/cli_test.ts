import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../local/processes.ts";
import { SUPABASE_CLI } from "../../local/supabase_cli.ts";
import { generateTypes, TYPES_FILE } from "../../scripts/gen_types.ts";
import { connect } from "../support/database.ts";
import { readTestStack } from "../support/test_stack.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the real Supabase CLI against the test database, as the role of migrations. */
async function supabase(...args: string[]): Promise<string> {
  const { code, output } = await runCommand({
    command: "npx",
    args: [
      "--yes",
      SUPABASE_CLI,
      ...args,
      `--remote=${readTestStack().postgres_url}?sslmode=disable`,
    ],
    cwd: ROOT,
    env: { PGSSLMODE: "disable", SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
    signal: AbortSignal.timeout(120_000),
  });
  assert.equal(code, 0, output);
  return output;
}

Deno.test("`supabase db push` a second time changes nothing", async () => {
  const sql = connect(1);
  try {
    const state = async () => {
      const [row] = await sql`
        select (select jsonb_agg(version order by version) from supabase_migrations.schema_migrations) as versions,
          (select count(*)::int from cron.job) as jobs, (select count(*)::int from auth.users) as users`;
      return { ...row };
    };
    const before = await state();
    await supabase("db", "push", "--yes", "--include-seed");
    assert.deepEqual(await state(), before);
    const entries = await Array.fromAsync(Deno.readDir(`${ROOT}/supabase/migrations`));
    assert.deepEqual(before.versions, entries.map((entry) => entry.name.split("_")[0]).sort());
  } finally {
    await sql.end();
  }
});

Deno.test("the migrations are owned by a role that is no superuser", async () => {
  const sql = connect(1);
  try {
    const owners = await sql`
      select distinct r.rolname, r.rolsuper from pg_class c join pg_roles r on r.oid = c.relowner
      where c.relnamespace in ('public'::regnamespace, 'connector'::regnamespace)`;
    assert.deepEqual(owners.map((row) => ({ ...row })), [{ rolname: "postgres", rolsuper: false }]);
  } finally {
    await sql.end();
  }
});

Deno.test("`supabase db advisors` reports nothing", async () => {
  const output = await supabase("db", "advisors", "--output-format", "json");
  const json: unknown = JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
  assert.deepEqual(json, { ...Object(json), results: [] });
});

Deno.test("`supabase db lint` finds nothing to warn of in any function", async () => {
  const sql = connect(1);
  try {
    const has = await sql`select from pg_available_extensions where name = 'plpgsql_check'`;
    if (has.length === 0) {
      // deno-lint-ignore no-console -- whoever reads the run is told what it did without
      console.log("note: this server has no plpgsql_check: functions are linted on Debian's");
      return;
    }
    // The role of migrations may not create it; the command uses the one that is there.
    await sql`create extension if not exists plpgsql_check with schema extensions`;
    const output = await supabase(
      ...["db", "lint", "--schema", "public,connector", "--level", "warning"],
      ...["--fail-on", "warning"],
    );
    assert.doesNotMatch(output, /"issues"/, output);
  } finally {
    await sql`drop extension if exists plpgsql_check`;
    await sql.end();
  }
});

Deno.test("the committed database types are those of the database", async () => {
  const committed = await Deno.readTextFile(`${ROOT}/${TYPES_FILE}`);
  const isCurrent = await generateTypes(readTestStack().postgres_url) === committed;
  assert.ok(isCurrent, `${TYPES_FILE} is out of date. Run: npx deno task gen:types`);
});
