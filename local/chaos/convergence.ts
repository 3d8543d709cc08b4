/** What must hold when the chaos is over. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { compareWithTruth } from "./compare.ts";
import { type Fault, faultOf } from "./faults.ts";
import { addRuns, countRuns, type RunCounts } from "./runs.ts";
import type { Stage } from "./stage.ts";
import { steadily } from "./steadily.ts";

/** What was found. */
export interface Convergence {
  /** What is not as it must be; none when all is well. */
  readonly faults: readonly Fault[];
  readonly endpoints: number;
  readonly files: number;
  /** Seconds from the end of the chaos until all was at rest. */
  readonly settledSeconds: number;
  /** Syncs that had to be asked for a second time. */
  readonly askedAgain: number;
  /** Endpoints that people removed meanwhile. */
  readonly removed: number;
  /** Runs, those of removed endpoints included. */
  readonly runs: RunCounts;
}

/** Leases of living workers that have given up last two minutes; what was to do takes its time, too. */
const DEADLINE_MS = 300_000;
const ASK_AGAIN_MS = 5_000;
/** Ticks come each two seconds: what is expired for longer than some of them is stuck. */
const STUCK_AFTER = "15 seconds";

/** Asks for a sync of everything, waits until all is at rest, and looks at everything. */
export async function awaitConvergence(
  stage: Stage,
  seen: ReadonlyMap<string, ReadonlySet<string>>,
  say: (line: string) => void,
): Promise<Convergence> {
  const startedAtMs = performance.now();
  const since = await askAll(stage);
  const { faults, askedAgain } = await settle(stage, since, say);
  const settledSeconds = Math.round((performance.now() - startedAtMs) / 1000);
  let files = 0;
  for (const endpoint of stage.endpoints) {
    const compared = await compareWithTruth(
      stage.sql,
      endpoint,
      seen.get(endpoint.id) ?? new Set(),
    );
    files += compared.files;
    faults.push(...compared.faults);
  }
  const runs = addRuns(stage.removed.runs, await countRuns(stage.sql, null));
  faults.push(...await leftovers(stage), ...brokenLogs(stage), ...internalRuns(runs.byEnd));
  const endpoints = stage.endpoints.length;
  const removed = stage.removed.endpoints;
  return { faults, endpoints, removed, files, settledSeconds, askedAgain, runs };
}

async function askAll({ sql, endpoints }: Stage): Promise<Date> {
  const [row] = await steadily(() => sql<[{ now: Date }]>`select clock_timestamp() as now`);
  for (const { id } of endpoints) {
    await steadily(() => sql`select public.request_sync(${id}, 'incremental')`);
  }
  return row.now;
}

interface Unsettled {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly message: string | null;
  /** Seconds until its lease runs out; null where nobody has it. */
  readonly lease_seconds: number | null;
  readonly is_at_rest: boolean;
  readonly is_stuck: boolean;
}

async function settle(stage: Stage, since: Date, say: (line: string) => void) {
  const deadline = performance.now() + DEADLINE_MS;
  let askedAgain = 0;
  let askedAt = performance.now();
  while (true) {
    const left = await unsettled(stage, since);
    const faults = [
      ...faultOf(
        "leases stuck beyond their time",
        left.filter(({ is_stuck }) => is_stuck).map(({ name }) => name),
      ),
    ];
    if (left.length === 0 || faults.length > 0) return { faults, askedAgain };
    if (performance.now() > deadline) {
      const tell = ({ name, status, message }: Unsettled) => `${name} (${status}: ${message})`;
      return { faults: [...faultOf("endpoints not at rest", left.map(tell))], askedAgain };
    }
    if (performance.now() - askedAt > ASK_AGAIN_MS) {
      askedAt = performance.now();
      say(`  ${left.length} endpoints are not at rest: ${left.map(briefly).join(", ")}`);
      for (const { id } of left.filter(({ is_at_rest }) => is_at_rest)) {
        askedAgain += 1;
        await steadily(() => stage.sql`select public.request_sync(${id}, 'incremental')`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function briefly({ name, status, lease_seconds }: Unsettled): string {
  return `${name} ${status}${lease_seconds === null ? "" : ` (lease ${lease_seconds} s)`}`;
}

/** Endpoints that have not completed a run begun since then, are due, or are not at rest. */
async function unsettled({ sql }: Stage, since: Date): Promise<readonly Unsettled[]> {
  return await steadily(() =>
    sql<Unsettled[]>`
      select e.id, e.name, e.last_sync_status as status, e.last_error_message as message,
        s.lease_token is null and s.run_id is null and s.requested_at is null as is_at_rest,
        extract(epoch from s.lease_expires_at - now())::int as lease_seconds,
        coalesce(s.lease_expires_at < now() - ${STUCK_AFTER}::interval, false) as is_stuck
      from public.endpoints as e join connector.endpoint_states as s on s.endpoint_id = e.id
      where s.lease_token is not null or s.run_id is not null or s.requested_at is not null
        or e.last_sync_status <> 'completed' or s.next_run_at <= now()
        or not exists (
          select from public.sync_logs as r
          where r.endpoint_id = e.id and r.status = 'completed' and r.started_at >= ${since})
      order by e.name`
  );
}

const LEFT_RUNNING = "runs left running";

/** Rows that belong to something that is over. */
async function leftovers({ sql }: Stage): Promise<readonly Fault[]> {
  const [row] = await sql<[Record<string, number>]>`
    select
      (select count(*)::int from public.sync_logs as r where r.status = 'running' and not exists (
        select from connector.endpoint_states as s where s.run_id = r.id)) as "runs left running",
      (select count(*)::int from connector.listings as g
        join connector.endpoint_states as s on s.endpoint_id = g.endpoint_id
        where s.run_id is null) as "listings left open",
      (select count(*)::int from connector.pending_items as p
        join connector.endpoint_states as s on s.endpoint_id = p.endpoint_id
        where s.run_id is null) as "items left without a folder",
      (select count(*)::int from connector.folder_errors) as "folders left unread"`;
  return Object.entries(row).filter(([, count]) => count > 0).map(([what, count]) => ({
    check: what === LEFT_RUNNING ? LEFT_RUNNING : "leftovers of runs that are over",
    count,
    told: what,
  }));
}

/** Lines that no function writes, whatever fails around it. */
const NEVER_WRITTEN =
  /"(invocation_broken|heartbeat_broken|background_failed)"|handler failed|background work failed|"internal"/;

function brokenLogs({ stateDir }: Stage): readonly Fault[] {
  const folder = join(stateDir, "logs");
  return readdirSync(folder).flatMap((name) => {
    const lines = Deno.readTextFileSync(join(folder, name)).split("\n")
      .filter((line) => NEVER_WRITTEN.test(line)).map((line) => line.slice(0, 600));
    return faultOf("log lines that nobody writes", lines, `${name}: `);
  });
}

/** The code says that the product met something it has no name for. */
function internalRuns(runs: Readonly<Record<string, number>>): readonly Fault[] {
  const ends = Object.entries(runs).filter(([end]) => end.endsWith(" internal"));
  return ends.map(([told, count]) => ({ check: "runs ended as internal", count, told }));
}
