/** What goes wrong without anybody being killed: for a while, and then it is over. */
import postgres from "postgres";
import { inTransaction } from "../transaction.ts";
import type { Chance } from "./chance.ts";
import type { DoorState } from "./door.ts";
import type { Doors, Stage } from "./stage.ts";
import { steadily } from "./steadily.ts";

/** How often each happens. */
export const TROUBLES = {
  /** The network between the functions and the database (the REST door). */
  database_cut: 4,
  /** The network between the functions and a provider. */
  provider_cut: 4,
  database_slow: 2,
  /** Somebody holds a lock that every slice needs. */
  database_locked: 2,
  /** Every connection the server has is taken. */
  connections_full: 2,
  /** Every connection of the REST API is busy. */
  pool_full: 2,
  /** A tick whose call is lost, as when the server crashes: pg_net's queue is not logged. */
  queue_lost: 3,
} as const;

/** What can go wrong. */
export type Trouble = keyof typeof TROUBLES;

/** Lets something go wrong for `ms`; resolves when it is over. */
export async function cause(
  trouble: Trouble,
  ms: number,
  stage: Stage,
  chance: Chance,
): Promise<void> {
  switch (trouble) {
    case "database_cut":
      return await disturb(stage.doors, "database", lossOf(chance), ms);
    case "provider_cut": {
      const name = chance.pick(["google", "autodesk"] as const) ?? "google";
      return await disturb(stage.doors, name, lossOf(chance), ms);
    }
    case "database_slow":
      return await disturb(stage.doors, "database", { type: "slow", ms: 150 }, ms);
    case "database_locked":
      return await locked(stage, "connector.endpoint_states", () => sleep(ms));
    case "connections_full":
      return await withoutConnections(stage, ms);
    case "pool_full":
      return await locked(stage, "public.sync_logs", () => occupyPool(stage, ms));
    case "queue_lost":
      await inTransaction(stage.sql, "", async (tx) => {
        await tx`select connector.tick()`;
        await tx`delete from net.http_request_queue`;
      });
  }
}

function lossOf(chance: Chance): DoorState {
  return chance.pick<DoorState>([{ type: "cut" }, { type: "silent" }]) ?? { type: "cut" };
}

async function disturb(
  doors: Doors,
  name: keyof Doors,
  state: DoorState,
  ms: number,
): Promise<void> {
  doors[name].set(state);
  await sleep(ms);
  doors[name].set({ type: "open" });
}

async function locked({ stack }: Stage, table: string, work: () => Promise<void>): Promise<void> {
  const sql = postgres(stack.info.db_url, { max: 1, onnotice: () => {} });
  try {
    await inTransaction(sql, "", async (tx) => {
      await tx.unsafe(`lock table ${table} in access exclusive mode`);
      await work();
    });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Superusers keep a few connections to themselves: how else would anybody mend it? */
async function withoutConnections({ stack }: Stage, ms: number): Promise<void> {
  const sql = postgres(stack.database.postgresUrl, {
    max: 110,
    onnotice: () => {},
    fetch_types: false,
  });
  try {
    const held = Array.from({ length: 110 }, () => sql`select pg_sleep(${ms / 1000})`);
    await Promise.allSettled(held);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Readers of a table that is locked: each waits with a connection of the REST API in its hands. */
async function occupyPool({ stack }: Stage, ms: number): Promise<void> {
  const { rest_url: restUrl, secret_key: key } = stack.info;
  const abort = new AbortController();
  const readers = Array.from({ length: 20 }, async () => {
    const answer = await fetch(`${restUrl}/sync_logs?select=id&limit=1`, {
      headers: { apikey: key, authorization: `Bearer ${key}` },
      signal: abort.signal,
    });
    await answer.body?.cancel();
  });
  await sleep(ms);
  abort.abort();
  await Promise.allSettled(readers);
}

/** Ends every disturbance, whatever is still under way. */
export async function calm({ doors, sql }: Stage): Promise<void> {
  for (const door of Object.values(doors)) door.set({ type: "open" });
  await steadily(() => sql`select 1`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
