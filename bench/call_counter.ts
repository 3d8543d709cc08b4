/** The calls of the stack's API: how many of which, and news of each. */
export class CallCounter {
  #paths: string[] = [];
  readonly #listeners = new Set<(path: string) => void>();

  /** Notes an answered call. */
  note(request: Request): void {
    const path = new URL(request.url).pathname;
    this.#paths.push(path);
    for (const listener of this.#listeners) listener(path);
  }

  /** Forgets the calls so far. */
  reset(): void {
    this.#paths = [];
  }

  /** The last parts of the paths below `prefix` that were called since the last reset, in order. */
  below(prefix: string): readonly string[] {
    return this.#paths.filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
  }

  /** Calls `listener` at every answer until it is told to stop. */
  listen(listener: (path: string) => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }
}

/** Below this the database's functions are called. */
export const DATABASE_CALLS = "/rest/v1/rpc/";

/** Below this the project's functions are called. */
export const FUNCTION_CALLS = "/functions/v1/";
