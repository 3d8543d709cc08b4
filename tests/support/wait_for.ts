/** Options of {@linkcode waitFor}. */
export interface WaitOptions {
  readonly deadlineMs?: number;
  readonly everyMs?: number;
}

/**
 * Asks `probe` again and again until it gives something other than null, undefined or false, and
 * returns that; throws, naming `what`, when the deadline passes first.
 */
export async function waitFor<Value>(
  what: string,
  probe: () => Value | Promise<Value>,
  options: WaitOptions = {},
): Promise<Exclude<Value, null | undefined | false>> {
  const { deadlineMs = 10_000, everyMs = 50 } = options;
  const deadline = performance.now() + deadlineMs;
  while (true) {
    const value = await probe();
    if (isThere(value)) return value;
    if (performance.now() >= deadline) {
      throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function isThere<Value>(value: Value): value is Exclude<Value, null | undefined | false> {
  return value !== null && value !== undefined && value !== false;
}
