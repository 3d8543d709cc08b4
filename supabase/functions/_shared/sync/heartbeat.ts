import type { Lease } from "../db/connector_db.ts";
import { RENEW_AGAIN_AFTER_MS, RENEW_LEASE_AFTER_MS } from "./limits.ts";
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

  async function isHeld(): Promise<boolean> {
    try {
      if (!await db.renewLease(lease)) return false;
      extendedAtMs = now().getTime();
    } catch (cause) {
      // The lease lasts a good while longer: time enough to ask again.
      log.warn("lease_renewal_failed", { cause });
      await sleep(RENEW_AGAIN_AFTER_MS, stopped.signal);
    }
    return true;
  }

  async function keepAlive(): Promise<void> {
    while (!stopped.signal.aborted) {
      const waitMs = extendedAtMs + RENEW_LEASE_AFTER_MS - now().getTime();
      if (waitMs > 0) await sleep(waitMs, stopped.signal);
      else if (!await isHeld()) return options.onLost();
    }
  }

  keepAlive().catch((cause) => {
    // Stopping ends the wait by rejecting it; nothing else is expected here.
    if (!stopped.signal.aborted) log.error("heartbeat_broken", { cause });
  });
  return {
    beat: () => {
      extendedAtMs = now().getTime();
    },
    stop: () => stopped.abort(),
  };
}
