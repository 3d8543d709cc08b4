/** A clock that stands still unless a test moves it. */
export interface TestClock {
  readonly now: () => Date;
  /** Short waits pass at once, moving the clock; long ones wait for {@linkcode TestClock.advance}. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Short waits that have passed, in milliseconds. */
  readonly waits: number[];
  /** Moves the clock and ends the waits that are over. */
  advance(ms: number): void;
}

/** Creates a clock; waits shorter than `longMs` pass at once. */
export function createTestClock(longMs = 30_000): TestClock {
  let nowMs = Date.parse("2026-11-22T12:00:00Z");
  const waiting = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  const waits: number[] = [];
  return {
    now: () => new Date(nowMs),
    waits,
    sleep(ms, signal) {
      signal.throwIfAborted();
      if (ms < longMs) {
        waits.push(ms);
        nowMs += ms;
        return Promise.resolve();
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const entry = { untilMs: nowMs + ms, wake: resolve };
      waiting.add(entry);
      signal.addEventListener("abort", () => {
        waiting.delete(entry);
        reject(signal.reason);
      }, { once: true });
      return promise;
    },
    advance(ms) {
      nowMs += ms;
      for (const entry of waiting) {
        if (entry.untilMs > nowMs) continue;
        waiting.delete(entry);
        entry.wake();
      }
    },
  };
}
