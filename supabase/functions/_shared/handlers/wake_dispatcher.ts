import { DISPATCH_TOKEN_HEADER } from "../http/caller.ts";
import type { Log } from "../log.ts";
import type { Secret } from "../secret.ts";

/** What {@linkcode wakeDispatcher} needs. */
export interface WakeDeps {
  /** Carries a short time limit: the dispatcher answers before it works. */
  readonly fetch: typeof fetch;
  readonly supabaseUrl: string;
  readonly dispatchToken: Secret;
  readonly log: Log;
}

/**
 * Asks the dispatcher to look for due work at once. Never throws: without it the work waits for the
 * next tick, no more.
 */
export async function wakeDispatcher(deps: WakeDeps): Promise<void> {
  try {
    const response = await deps.fetch(`${deps.supabaseUrl}/functions/v1/dispatcher`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        [DISPATCH_TOKEN_HEADER]: deps.dispatchToken.reveal(),
      },
      body: JSON.stringify({ source: "worker" }),
    });
    await response.body?.cancel();
    if (!response.ok) deps.log.warn("dispatcher_not_woken", { status: response.status });
  } catch (cause) {
    deps.log.warn("dispatcher_not_woken", { cause });
  }
}
