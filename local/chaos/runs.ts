/** How runs ended, counted in time: an endpoint that is removed takes its logs along. */
import type postgres from "postgres";

/** Counts of runs. */
export interface RunCounts {
  /** By how they ended: status, and error code where there is one. */
  readonly byEnd: Readonly<Record<string, number>>;
  /** By type of endpoint and mode. */
  readonly byMode: Readonly<Record<string, number>>;
}

/** Runs that nobody has counted yet: none. */
export const NO_RUNS: RunCounts = { byEnd: {}, byMode: {} };

interface Row {
  readonly ending: string;
  readonly kind: string;
  readonly count: number;
}

/** Counts the runs of one endpoint, or of all that are there. */
export async function countRuns(
  sql: postgres.Sql | postgres.TransactionSql,
  endpointId: string | null,
): Promise<RunCounts> {
  const rows = await sql<Row[]>`
    select concat_ws(' ', r.status, r.error_code) as ending,
      concat_ws(' ', e.endpoint_type, r.mode) as kind, count(*)::int as count
    from public.sync_logs as r join public.endpoints as e on e.id = r.endpoint_id
    where ${endpointId}::uuid is null or e.id = ${endpointId}
    group by 1, 2 order by 3 desc`;
  return rows.map(({ ending, kind, count }) => ({
    byEnd: { [ending]: count },
    byMode: { [kind]: count },
  })).reduce(addRuns, NO_RUNS);
}

/** Both together. */
export function addRuns(left: RunCounts, right: RunCounts): RunCounts {
  return { byEnd: add(left.byEnd, right.byEnd), byMode: add(left.byMode, right.byMode) };
}

function add(
  left: Readonly<Record<string, number>>,
  right: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sums = new Map(Object.entries(left));
  for (const [name, count] of Object.entries(right)) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries([...sums].toSorted(([, one], [, other]) => other - one));
}
