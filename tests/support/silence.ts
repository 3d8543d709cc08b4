import type { TestClock } from "./test_clock.ts";

/** How long the engine waits for one answer of a provider, in milliseconds. */
const SILENCE_MS = 30_000;

/**
 * A fetch that never answers the calls that `isSilent` names: their time passes on the clock, and they
 * end as by the engine's own time limit.
 */
export function silencing(
  answer: typeof fetch,
  clock: Pick<TestClock, "advance">,
  isSilent: (url: URL) => boolean,
): typeof fetch {
  return (input, init) => {
    if (!isSilent(new URL(new Request(input).url))) return answer(input, init);
    clock.advance(SILENCE_MS);
    return Promise.reject(new DOMException("The signal has been aborted", "AbortError"));
  };
}

/** A fetch that answers some calls, in the provider's place, with something else. */
export function answering(
  answer: typeof fetch,
  other: (url: URL) => Response | null,
): typeof fetch {
  return (input, init) => {
    const response = other(new URL(new Request(input).url));
    return response === null ? answer(input, init) : Promise.resolve(response);
  };
}
