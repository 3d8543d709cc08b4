import postgres from "postgres";

/**
 * `sql.begin` for a server that may be killed. The driver answers every failure inside a transaction
 * with a rollback, and writes it to a connection that is gone too: nobody can catch what comes of
 * that, and it ends the process. So a loss of the connection is kept from it; the driver notices the
 * loss by itself, and rejects.
 */
export async function inTransaction<Result>(
  sql: postgres.Sql,
  options: string,
  work: (transaction: postgres.TransactionSql) => Promise<Result>,
): Promise<Result> {
  const lost = Promise.withResolvers<never>();
  const outcome: { result?: Result } = {};
  await sql.begin(options, async (transaction) => {
    try {
      outcome.result = await work(transaction);
    } catch (cause) {
      // Never settles: by then the driver has rejected the transaction, or is about to.
      if (isConnectionLoss(cause)) await lost.promise;
      throw cause;
    }
  });
  if (!("result" in outcome)) throw new Error("Cannot tell what a transaction answered");
  return outcome.result;
}

/** Tells a connection that ended from a statement that failed. */
function isConnectionLoss(cause: unknown): boolean {
  // A server that ends a session says so before it hangs up.
  if (cause instanceof postgres.PostgresError) return /^(FATAL|PANIC)$/.test(cause.severity);
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" &&
    /^(CONNECTION_|ECONN|EPIPE)/.test(cause.code);
}
