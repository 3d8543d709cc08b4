/** Leases of workers that were killed. In production they last two minutes; here nobody waits so long. */
import type postgres from "postgres";
import { steadily } from "./steadily.ts";

/** A lease, and the type of the endpoint it is for. */
export interface HeldLease {
  readonly endpoint_id: string;
  readonly lease_token: string;
  readonly endpoint_type: string;
  /** A sync function has taken it over; until then it is the dispatcher's. */
  readonly is_begun: boolean;
  /** The endpoint has never been listed to its end. */
  readonly is_first_sync: boolean;
}

/** The leases held at this instant; none where the database does not say. */
export async function heldLeases(sql: postgres.Sql): Promise<readonly HeldLease[]> {
  try {
    return await sql<HeldLease[]>`
      select endpoint_id, lease_token, endpoint_type, run_id is not null as is_begun,
        last_listing_completed_at is null as is_first_sync
      from connector.endpoint_states where lease_token is not null`;
  } catch {
    // The database is down: the leases of whoever is killed now run out by themselves.
    return [];
  }
}

/**
 * Lets leases lapse, whose holders are dead. A lease that has been given back, or given to somebody
 * else since, has another token and is left alone. It is for the tick, as always, to return them.
 */
export async function lapse(
  sql: postgres.Sql,
  leases: readonly Pick<HeldLease, "endpoint_id" | "lease_token">[],
): Promise<number> {
  if (leases.length === 0) return 0;
  const tokens = leases.map(({ lease_token }) => lease_token);
  const rows = await steadily(() =>
    sql`
      update connector.endpoint_states set lease_expires_at = now() - interval '1 second'
      where lease_token = any (${tokens}::uuid[]) returning endpoint_id`
  );
  return rows.length;
}

/** As {@linkcode lapse}, of those alone that no sync function has taken over. */
export async function lapseUnbegun(
  sql: postgres.Sql,
  leases: readonly HeldLease[],
): Promise<number> {
  const rows = await steadily(() =>
    sql<HeldLease[]>`
      select endpoint_id, lease_token from connector.endpoint_states
      where lease_token is not null and run_id is null`
  );
  const unbegun = new Set(rows.map(({ lease_token }) => lease_token));
  const ours = leases.filter(({ is_begun, lease_token }) => !is_begun && unbegun.has(lease_token));
  return await lapse(sql, ours);
}
