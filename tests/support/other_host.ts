/** A host that no request may reach. */

/** Its name. */
export const OTHER = "other.test";

/** A `fetch` that lets nothing through but requests to one origin, and remembers all. */
export interface GuardedFetch {
  readonly fetch: typeof fetch;
  /** Every address asked for. */
  readonly requests: readonly string[];
  /** Those of them that lie elsewhere. */
  readonly strays: readonly string[];
}

/** Guards `fetch`, which answers for the origin of `apiUrl`. */
export function guard(fetch: typeof globalThis.fetch, apiUrl: string): GuardedFetch {
  const { origin } = new URL(apiUrl);
  const requests: string[] = [];
  const strays: string[] = [];
  return {
    requests,
    strays,
    fetch(input, init) {
      const { url } = new Request(input, init);
      requests.push(url);
      if (new URL(url).origin === origin) return fetch(input, init);
      strays.push(url);
      return Promise.reject(new TypeError(`Cannot ask ${url} as it is another host`));
    },
  };
}
