import { SyncError } from "../errors.ts";
import type { EngineDeps } from "./deps.ts";

/** Attempts of one database call, the first included. */
const ATTEMPTS = 3;
const FIRST_WAIT_MS = 250;

/**
 * Repeats a database call that failed as `unavailable`. For calls that may be repeated only: a call
 * whose answer was lost may have been carried out.
 */
export async function retryUnavailable<Result>(
  deps: Pick<EngineDeps<unknown>, "sleep" | "random">,
  unloading: AbortSignal,
  call: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1;; attempt++) {
    try {
      return await call();
    } catch (thrown) {
      const isPassing = thrown instanceof SyncError && thrown.code === "unavailable";
      if (!isPassing || attempt >= ATTEMPTS || unloading.aborted) throw thrown;
    }
    await deps.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + deps.random()), unloading);
  }
}
