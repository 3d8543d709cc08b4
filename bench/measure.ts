/** The middle one of some figures. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("Cannot take the median of nothing");
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Does something `rounds` times, one after the other, and answers what each gave. */
export async function repeat<Result>(
  rounds: number,
  once: (round: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let round = 0; round < rounds; round++) results.push(await once(round));
  return results;
}

/** Milliseconds that something took. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

/** A number with as many digits as can be trusted. */
export function show(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** Seconds of milliseconds, or milliseconds where those are few. */
export function showMs(ms: number): string {
  return ms >= 1000 ? `${show(ms / 1000)} s` : `${show(ms)} ms`;
}
