/** What owners do to their endpoints: with their own rights, and no more patience than they have. */
import type postgres from "postgres";
import { inTransaction } from "../transaction.ts";
import { countRuns, NO_RUNS, type RunCounts } from "./runs.ts";
import { steadily } from "./steadily.ts";

/** An endpoint and whose it is. */
export interface OwnedEndpoint {
  readonly id: string;
  readonly ownerId: string;
}

/** What an owner's statement may take on the platform. */
const TIMEOUT = "8s";

async function asOwner(
  sql: postgres.Sql,
  { ownerId }: OwnedEndpoint,
  work: (transaction: postgres.TransactionSql) => Promise<void>,
): Promise<void> {
  await inTransaction(sql, "", async (transaction) => {
    const claims = JSON.stringify({ sub: ownerId, role: "authenticated" });
    await transaction`
      select set_config('role', 'authenticated', true),
        set_config('request.jwt.claims', ${claims}, true),
        set_config('statement_timeout', ${TIMEOUT}, true)`;
    await work(transaction);
  });
}

/** Removes an endpoint, whatever is under way; answers what its runs had come to. */
export async function removeEndpoint(
  sql: postgres.Sql,
  endpoint: OwnedEndpoint,
): Promise<RunCounts> {
  let runs = NO_RUNS;
  await steadily(() =>
    asOwner(sql, endpoint, async (transaction) => {
      const counted = await countRuns(transaction, endpoint.id);
      const gone = await transaction`
        delete from public.endpoints where id = ${endpoint.id} returning id`;
      // A removal whose answer was lost is made again, and finds nothing.
      if (gone.length > 0) runs = counted;
    })
  );
  return runs;
}

/** Changes the config of an endpoint, and nothing of what it means: all is listed anew. */
export async function changeScope(sql: postgres.Sql, endpoint: OwnedEndpoint): Promise<void> {
  const edition = { edition: crypto.randomUUID() };
  await steadily(() =>
    asOwner(sql, endpoint, async (transaction) => {
      await transaction`
        update public.endpoints
        set endpoint_config = endpoint_config || ${transaction.json(edition)}
        where id = ${endpoint.id}`;
    })
  );
}
