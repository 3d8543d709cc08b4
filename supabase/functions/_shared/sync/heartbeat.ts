import type { Lease } from "../db/connector_db.ts";
import { RENEW_LEASE_AFTER_MS } from "./limits.ts";
import type { EngineDeps } from "./deps.ts";

/** Keeps a lease alive while its work is slow. */
export interface Heartbeat {
  /** Something else, such as a commit, has just extended the lease. */
  beat(): void;
  stop(): void;
}

/** What {@linkcode startHeartbeat} needs. */
export interface HeartbeatOptions
  extends Pick<EngineDeps<unknown>, "db" | "now" | "sleep" | "log"> {
  readonly lease: Lease;
  /** When the lease was last extended. */
  readonly leasedAt: Date;
  /** Called once, when the lease turns out to be another worker's. */
  readonly onLost: () => void;
}

/** Starts renewing the lease whenever nothing has extended it for {@linkcode RENEW_LEASE_AFTER_MS}. */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { lease, db, now, sleep, log } = options;
  const stopped = new AbortController();
  let extendedAtMs = options.leasedAt.getTime();

  async function keepAlive(): Promise<void> {
    while (true) {
      const waitMs = extendedAtMs + RENEW_LEASE_AFTER_MS - now().getTime();
      if (waitMs > 0) {
        await sleep(waitMs, stopped.signal);
      } else if (await db.renewLease(lease)) {
        extendedAtMs = now().getTime();
      } else if (!stopped.signal.aborted) {
        return options.onLost();
      }
    }
  }

  keepAlive().catch((cause) => {
    // The lease outlasts this: the next commit extends it, or the work is done again by others.
    if (!stopped.signal.aborted) log.warn("lease_renewal_failed", { cause });
  });
  return {
    beat: () => {
      extendedAtMs = now().getTime();
    },
    stop: () => stopped.abort(),
  };
}
