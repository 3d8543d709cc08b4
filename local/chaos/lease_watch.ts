/** Leases past their end, while the chaos goes on: how long it takes until a tick returns them. */
import type { Fault } from "./faults.ts";
import { faultOf } from "./faults.ts";
import type { Stage } from "./stage.ts";

const EVERY_MS = 250;
/**
 * Ticks come each two seconds. Between them lie outages of six seconds, several of which may follow
 * each other, and the recovery of the server.
 */
const STUCK_AFTER_SECONDS = 60;

/** What was seen of leases past their end. */
export interface LapsedLeases {
  readonly lapsed: number;
  /** The longest that one was seen past its end, outages of the database included, in seconds. */
  readonly longestSeconds: number;
  readonly faults: readonly Fault[];
}

/** Looks at leases until it is stopped. */
export function watchLeases(stage: Pick<Stage, "sql">): { stop(): Promise<LapsedLeases> } {
  /** Seconds past the end, by token. */
  const lapsed = new Map<string, number>();
  let isStopping = false;

  async function run(): Promise<void> {
    while (!isStopping) {
      await look(stage, lapsed);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  const running = run();
  return {
    async stop() {
      isStopping = true;
      await running;
      return sumUp(lapsed);
    },
  };
}

async function look({ sql }: Pick<Stage, "sql">, lapsed: Map<string, number>): Promise<void> {
  try {
    const rows = await sql<{ lease_token: string; seconds: number }[]>`
      select lease_token,
        extract(epoch from clock_timestamp() - lease_expires_at)::float8 as seconds
      from connector.endpoint_states where lease_expires_at < clock_timestamp()`;
    for (const { lease_token, seconds } of rows) lapsed.set(lease_token, seconds);
  } catch {
    // The database is away: what is still past its end when it is back is seen then.
  }
}

/** Sums up for how long leases were past their end. */
export function sumUp(lapsed: ReadonlyMap<string, number>): LapsedLeases {
  const stuck = [...lapsed.values()].filter((seconds) => seconds > STUCK_AFTER_SECONDS);
  return {
    lapsed: lapsed.size,
    longestSeconds: Math.max(0, ...lapsed.values()),
    faults: faultOf(
      "leases stuck beyond their time",
      stuck.map((seconds) => `one was ${seconds.toFixed(0)} s past its end`),
    ),
  };
}
