/** One deployment from beginning to end, which several tests look at. */
import postgres from "postgres";
import { JOBS } from "../../scripts/deploy/schedule.ts";
import { type CommandRun, openDeployProject } from "./deploy_project.ts";
import type { Recorded, Upload } from "./fake_management_api.ts";
import { readTestStack } from "./test_stack.ts";

/** A migration that only the checkout of the test has. */
export const PROBE = "99990101000000_create_probe.sql";

/** What a command did, and how it left the database. */
export interface Stage {
  readonly run: CommandRun;
  readonly requests: readonly Recorded[];
  readonly state: DatabaseState;
}

/** What a deployment may change in the database. */
export interface DatabaseState {
  /** Tables and functions, with the transactions that wrote them last. */
  readonly schema: readonly string[];
  readonly migrations: readonly string[];
  /** Active or not, by name. */
  readonly jobs: Readonly<Record<string, boolean>>;
  readonly vault: Readonly<Record<string, string>>;
}

/** The stages, in their order. */
export interface Deployment {
  readonly undeployed: Stage;
  readonly undeployedAgain: Stage;
  readonly dryRun: Stage;
  readonly failed: Stage;
  readonly first: Stage;
  readonly second: Stage;
  readonly uploads: ReadonlyMap<string, Upload>;
  readonly functions: ReadonlyMap<string, { readonly verify_jwt: boolean }>;
  readonly secrets: ReadonlyMap<string, string>;
}

/** Goes through all stages, and leaves the test database as it was. */
export async function deployTwice(env: string): Promise<Deployment> {
  await using project = await openDeployProject({ env });
  const sql = postgres(readTestStack().postgres_url, { max: 1, onnotice: () => {} });
  const before = await readState(sql);
  const stage = async (run: () => Promise<CommandRun>): Promise<Stage> => {
    const from = project.api.requests.length;
    return {
      run: await run(),
      requests: project.api.requests.slice(from),
      state: await readState(sql),
    };
  };
  const probe = (statement: string) =>
    Deno.writeTextFile(`${project.root}/supabase/migrations/${PROBE}`, statement);
  const direct = `--remote-db=${project.remoteDb}`;
  try {
    await sql`select cron.alter_job(jobid, active := true) from cron.job`;
    const undeployed = await stage(() => project.undeploy());
    // Somebody went further than that.
    await sql`select cron.unschedule('connector-retention')`;
    const undeployedAgain = await stage(() => project.undeploy(direct));
    await probe("select no_such_column;");
    const dryRun = await stage(() => project.deploy("--dry-run"));
    const failed = await stage(() => project.deploy(direct));
    await probe("create table public.deploy_probe (id integer primary key);");
    const first = await stage(() => project.deploy(direct));
    const second = await stage(() => project.deploy(direct));
    const { uploads, functions, secrets } = project.api;
    const stages = { undeployed, undeployedAgain, dryRun, failed, first, second };
    return { ...stages, uploads, functions, secrets };
  } finally {
    await restore(sql, before);
    await sql.end({ timeout: 5 });
  }
}

async function readState(sql: postgres.Sql): Promise<DatabaseState> {
  const schema = await sql<{ line: string }[]>`
    select relname || ' ' || xmin::text as line from pg_class
      where relnamespace in ('public'::regnamespace, 'connector'::regnamespace)
    union all select oid::regprocedure::text || ' ' || xmin::text from pg_proc
      where pronamespace in ('public'::regnamespace, 'connector'::regnamespace)
    order by 1`;
  const migrations = await sql<{ version: string }[]>`
    select version from supabase_migrations.schema_migrations order by version`;
  const jobs = await sql<{ jobname: string; active: boolean }[]>`
    select jobname, active from cron.job order by jobname`;
  const vault = await sql<{ name: string; decrypted_secret: string }[]>`
    select name, decrypted_secret from vault.decrypted_secrets where name like 'connector_%'`;
  return {
    schema: schema.map(({ line }) => line),
    migrations: migrations.map(({ version }) => version),
    jobs: Object.fromEntries(jobs.map(({ jobname, active }) => [jobname, active])),
    vault: Object.fromEntries(vault.map((row) => [row.name, row.decrypted_secret])),
  };
}

async function restore(sql: postgres.Sql, { jobs, vault }: DatabaseState): Promise<void> {
  await sql`drop table if exists public.deploy_probe`;
  await sql`delete from supabase_migrations.schema_migrations where version = ${
    PROBE.slice(0, 14)
  }`;
  for (const { name, schedule, command } of JOBS) {
    await sql`select cron.schedule(${name}, ${schedule}, ${command})`;
    const isActive = jobs[name] ?? true;
    await sql`select cron.alter_job(jobid, active := ${isActive}) from cron.job where jobname = ${name}`;
  }
  await sql`delete from vault.secrets where name like 'connector_%'`;
  for (const [name, secret] of Object.entries(vault)) {
    await sql`select vault.create_secret(${secret}, ${name})`;
  }
}
