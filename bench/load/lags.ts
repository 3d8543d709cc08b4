import type postgres from "postgres";
import { LARGE_USER } from "./world.ts";

/** Whose runs a {@linkcode Lag} is about. */
export type Whose = "all" | "the other 49" | "the user with 900";

/** How late runs began, in seconds. */
export interface Lag {
  readonly whose: Whose;
  readonly runs: number;
  readonly p50: number;
  readonly p95: number;
  readonly largest: number;
  /** The same from the tick that could find the endpoint due. */
  readonly after_tick_p50: number;
  readonly after_tick_p95: number;
  readonly after_tick_largest: number;
}

/** Runs that did not end as they should, by status and code. */
export type Failures = Readonly<Record<string, number>>;

/** Endpoints that are due and not begun. */
export interface Waiting {
  readonly count: number;
  /** Seconds; 0 where none waits. */
  readonly longest: number;
  /** The longest wait of those that are not the large user's. */
  readonly longest_of_others: number;
}

/** The lag of all runs begun since, of the large user, and of the others. */
export async function readLags(sql: postgres.Sql, since: Date): Promise<readonly Lag[]> {
  return await sql<Lag[]>`
    with runs as (
      select e.user_id = ${LARGE_USER} as is_large,
        extract(epoch from r.started_at - r.due_at)::float8 as lag,
        greatest(0, extract(epoch from r.started_at - (
          date_trunc('minute', r.due_at - interval '1 microsecond') + interval '1 minute'
        )))::float8 as after_tick
      from public.sync_logs as r join public.endpoints as e on e.id = r.endpoint_id
      where r.started_at >= ${since} and r.due_at is not null
    )
    select case when grouping(is_large) = 1 then 'all'
        when is_large then 'the user with 900' else 'the other 49' end as whose,
      count(*)::int as runs,
      percentile_cont(0.5) within group (order by lag) as p50,
      percentile_cont(0.95) within group (order by lag) as p95,
      max(lag) as largest,
      percentile_cont(0.5) within group (order by after_tick) as after_tick_p50,
      percentile_cont(0.95) within group (order by after_tick) as after_tick_p95,
      max(after_tick) as after_tick_largest
    from runs group by grouping sets ((), (is_large)) order by grouping(is_large) desc, is_large`;
}

/** Runs begun since that have ended as anything but completed. */
export async function readFailures(sql: postgres.Sql, since: Date): Promise<Failures> {
  const rows = await sql<{ end: string; count: number }[]>`
    select concat_ws(' ', status, error_code) as end, count(*)::int as count
    from public.sync_logs
    where started_at >= ${since} and status not in ('completed', 'running') group by 1`;
  return Object.fromEntries(rows.map(({ end, count }) => [end, count]));
}

/** What is due and not begun at this instant: the lags of runs say nothing of it. */
export async function readWaiting(sql: postgres.Sql): Promise<Waiting> {
  const [row] = await sql<[Waiting]>`
    select count(*)::int as count,
      coalesce(max(waited), 0)::float8 as longest,
      coalesce(max(waited) filter (where user_id <> ${LARGE_USER}), 0)::float8 as longest_of_others
    from (
      select s.user_id, extract(epoch from now() - s.next_run_at) as waited
      from connector.endpoint_states as s
      where s.run_id is null and s.next_run_at <= now()
    ) as due`;
  return row;
}

/** Endpoints of whom no run has begun within the last two and a half minutes. */
export async function countLeftBehind(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*)::int as count from public.endpoints as e where not exists (
      select from public.sync_logs as r
      where r.endpoint_id = e.id and r.started_at > now() - interval '2 minutes 30 seconds')`;
  return row.count;
}
