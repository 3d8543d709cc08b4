/** Keeps a loop going while the database comes and goes. */

import { oneLine } from "../failure.ts";

const RETRY_MS = 500;

/** Runs `run` until `signal` aborts; when it throws, says so and starts it again. */
export async function supervise(
  name: string,
  run: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  let lastFailure = "";
  while (!signal.aborted) {
    try {
      await run(signal);
      lastFailure = "";
    } catch (cause) {
      // The server is restarting or has gone: all state is in it, so a fresh start loses nothing.
      const failure = oneLine(cause);
      if (failure !== lastFailure) log(`${name} interrupted: ${failure}`);
      lastFailure = failure;
      await pause(RETRY_MS, signal);
    }
  }
}

/** Waits, or returns early when `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener("abort", done);
  });
}
