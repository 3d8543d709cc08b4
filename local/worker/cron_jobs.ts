/** Running one job of pg_cron as its owner, with a row that tells how it went. */

import postgres from "postgres";
import { oneLine } from "../failure.ts";

/** A row of `cron.job`. */
export interface Job {
  readonly jobid: string;
  readonly schedule: string;
  readonly command: string;
  readonly database: string;
  readonly username: string;
}

/** Returns the jobs that are switched on. */
export async function readJobs(sql: postgres.Sql): Promise<readonly Job[]> {
  return await sql<Job[]>`
    select jobid::text, schedule, command, database, username
    from cron.job where active order by jobid`;
}

/** Closes the rows of runs that a dead worker or server left open. */
export async function closeAbandonedRuns(sql: postgres.Sql): Promise<void> {
  await sql`
    update cron.job_run_details
    set status = 'failed', return_message = 'server restarted', end_time = now()
    where status in ('starting', 'running')`;
}

/** Runs `job` in a session of its own. Rejects only when the run cannot be recorded. */
export async function runJob(sql: postgres.Sql, databaseUrl: string, job: Job): Promise<void> {
  const [run] = await sql<[{ runid: string }]>`
    insert into cron.job_run_details (jobid, database, username, command, status)
    values (${job.jobid}, ${job.database}, ${job.username}, ${job.command}, 'starting')
    returning runid::text`;
  const url = new URL(databaseUrl);
  url.pathname = `/${encodeURIComponent(job.database)}`;
  const session = postgres(url.href, {
    max: 1,
    max_lifetime: null,
    onnotice: () => {},
    connection: { application_name: "pg_cron" },
  });
  try {
    const pid = await becomeOwner(session, job.username);
    await sql`
      update cron.job_run_details
      set status = 'running', job_pid = ${pid}, start_time = clock_timestamp()
      where runid = ${run.runid}`;
    const result = await session.unsafe(job.command).simple();
    await finish(sql, run.runid, "succeeded", describeResult(result));
  } catch (cause) {
    await finish(sql, run.runid, "failed", `ERROR:  ${oneLine(cause)}\n`);
  } finally {
    await session.end({ timeout: 1 });
  }
}

/** Gives the session the rights and settings the owner has after logging in. */
async function becomeOwner(session: postgres.Sql, username: string): Promise<number> {
  await session`select set_config('search_path', '"$user", public', false)`;
  await session`
    select set_config(split_part(entry, '=', 1), substr(entry, strpos(entry, '=') + 1), false)
    from pg_db_role_setting as settings
    join pg_roles as roles on roles.oid = settings.setrole
    cross join unnest(settings.setconfig) as entry
    where roles.rolname = ${username} and settings.setdatabase in (
      0, (select oid from pg_database where datname = current_database())
    )`;
  const [row] = await session<[{ pid: number; owner: string }]>`
    select pg_backend_pid() as pid, quote_ident(${username}) as owner`;
  await session.unsafe(`set session authorization ${row.owner}`);
  return row.pid;
}

async function finish(
  sql: postgres.Sql,
  runid: string,
  status: "succeeded" | "failed",
  message: string,
): Promise<void> {
  await sql`
    update cron.job_run_details
    set status = ${status}, return_message = ${message}, end_time = clock_timestamp(),
      start_time = coalesce(start_time, clock_timestamp())
    where runid = ${runid}`;
}

interface StatementResult {
  readonly command?: string | null;
  readonly count?: number | null;
}

/** Several statements give a list of results: the last one counts. */
function describeResult(result: StatementResult | readonly StatementResult[]): string {
  const isList = Array.isArray(result) && "command" in result === false;
  const last: StatementResult | undefined = isList ? result.at(-1) : result;
  const count = last?.count ?? 0;
  switch (last?.command) {
    case "SELECT":
      return `${count} ${count === 1 ? "row" : "rows"}`;
    case "INSERT":
      return `INSERT 0 ${count}`;
    case "UPDATE":
    case "DELETE":
    case "MERGE":
      return `${last.command} ${count}`;
    default:
      return last?.command ?? "";
  }
}
