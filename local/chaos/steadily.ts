import postgres from "postgres";

const DEADLINE_MS = 60_000;
const AGAIN_AFTER_MS = 100;

/**
 * Repeats what is done to the database while the database is away: for the one who watches, whom the
 * chaos is not meant for. To be used for what may be done twice.
 */
export async function steadily<Result>(work: () => PromiseLike<Result>): Promise<Result> {
  const deadline = Date.now() + DEADLINE_MS;
  while (true) {
    try {
      return await work();
    } catch (cause) {
      if (!isAway(cause) || Date.now() > deadline) throw cause;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    }
  }
}

/** Whether the database was away: whatever it says of its own going, and whatever the connection does. */
export function isAway(cause: unknown): boolean {
  if (cause instanceof postgres.PostgresError) return /^(57P|08|53|55P03)/.test(cause.code);
  return cause instanceof Error && "code" in cause;
}
