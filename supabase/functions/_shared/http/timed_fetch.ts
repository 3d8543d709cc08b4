/** What {@linkcode createTimedFetch} needs. */
export interface TimedFetchOptions {
  readonly fetch: typeof fetch;
  /** Longest time from the request to the last byte of the answer's body. */
  readonly timeoutMs: number;
  /** Ends every request when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * Wraps `fetch` so that no request waits longer than `timeoutMs` and none follows a redirect: our
 * requests carry credentials, and a redirect could carry them elsewhere.
 */
export function createTimedFetch(options: TimedFetchOptions): typeof fetch {
  return function timedFetch(input: URL | RequestInfo, init: RequestInit = {}) {
    const signals = [AbortSignal.timeout(options.timeoutMs)];
    if (options.signal !== undefined) signals.push(options.signal);
    if (init.signal) signals.push(init.signal);
    return options.fetch(input, { ...init, redirect: "error", signal: AbortSignal.any(signals) });
  };
}
