import type { ConnectorDb } from "../db/connector_db.ts";
import type { Log } from "../log.ts";
import type { StartedBatch, StartResult } from "./start_sync.ts";

/** What {@linkcode startDueRefreshes} needs. */
export interface DueRefreshesDeps {
  readonly db: Pick<ConnectorDb, "dueRefreshes">;
  readonly log: Log;
  readonly start: (batch: StartedBatch) => Promise<StartResult>;
}

/**
 * Most grants of one round. A function has little CPU time, and each refresh makes a connection of its
 * own; the next tick takes the next ones, and days remain.
 */
export const LARGEST_REFRESH = 25;

/**
 * Hands over the grants that would lapse if nobody used them, each to the function of its provider.
 * Never throws, and answers how many were taken: what could not be handed over is due again within the
 * hour.
 */
export async function startDueRefreshes(
  { db, log, start }: DueRefreshesDeps,
): Promise<number> {
  try {
    const due = await db.dueRefreshes(LARGEST_REFRESH);
    const byType = Map.groupBy(due, ({ endpoint_type }) => endpoint_type);
    const counts = await Promise.all(
      [...byType].map(async ([endpointType, group]) => {
        const refreshes = group.map(({ endpoint_id }) => endpoint_id);
        const result = await start({ endpointType, claims: [], refreshes, isMoreDue: false });
        if (result.type === "started") return refreshes.length;
        const { code, cause } = result;
        const fields = { endpoint_type: endpointType, endpoints: refreshes.length };
        log.warn("refreshes_not_started", { ...fields, code, cause });
        return 0;
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  } catch (cause) {
    // Syncs refresh grants too; what is due here has days left.
    log.error("refreshes_not_started", { cause });
    return 0;
  }
}
