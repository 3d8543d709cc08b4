const AT_ONCE = 6;

/**
 * Does `work` for every value, a few at a time; the results are in the order of the values. The
 * first failure in that order is thrown, once those begun beside it have ended.
 */
export async function inGroups<Value, Result>(
  values: readonly Value[],
  work: (value: Value) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < values.length; at += AT_ONCE) {
    const settled = await Promise.allSettled(values.slice(at, at + AT_ONCE).map(work));
    for (const outcome of settled) {
      if (outcome.status === "rejected") throw outcome.reason;
      results.push(outcome.value);
    }
  }
  return results;
}
