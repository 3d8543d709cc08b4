/** The people: they change files, and ask for, add, edit and remove endpoints, whatever is being killed. */
import postgres from "postgres";
import { oneLine } from "../failure.ts";
import type { Chance } from "./chance.ts";
import { type Fault, faultOf } from "./faults.ts";
import { changeScope } from "./owners.ts";
import type { Stage } from "./stage.ts";
import { isAway } from "./steadily.ts";

const CHANGE_EVERY_MS = 150;
const ASK_EVERY_MS = 1_000;
/** More than this would be load, not chaos. */
const MOST_ENDPOINTS = 12;
/** New endpoints begin with a first sync, so that there is one to be hit most of the time. */
const ADD_EVERY_MS = 3_000;
const EDIT_EVERY_MS = 10_000;

/** People at work. */
export interface Users {
  /** Ids of files that were seen alive in the table, by endpoint. */
  readonly seen: ReadonlyMap<string, ReadonlySet<string>>;
  stop(): Promise<{ readonly changes: number; readonly faults: readonly Fault[] }>;
}

/** Sets the people to work. */
export function startUsers(stage: Stage, chance: Chance): Users {
  const seen = new Map<string, Set<string>>();
  const refused: string[] = [];
  let changes = 0;
  let isStopping = false;
  const stopping = Promise.withResolvers<void>();

  async function repeat(everyMs: number, work: () => Promise<void> | void): Promise<void> {
    while (!isStopping) {
      await pause(everyMs, stopping.promise);
      try {
        if (!isStopping) await work();
      } catch (thrown) {
        // People try again, whatever the reason.
        if (!isAway(thrown) && !isGone(thrown)) refused.push(oneLine(thrown));
      }
    }
  }

  const change = () => {
    chance.pick(stage.places)?.change();
    changes += 1;
  };
  const ask = async () => {
    const endpoint = chance.pick(stage.endpoints);
    const mode = chance.between(1, 5) === 1 ? "full" : "incremental";
    if (endpoint === undefined) return;
    await stage.sql`select public.request_sync(${endpoint.id}, ${mode})`;
    await look(endpoint.id);
  };
  const look = async (id: string) => {
    const rows = await stage.sql<{ external_file_id: string }[]>`
      select external_file_id from public.files where endpoint_id = ${id} and deleted_at is null`;
    const known = seen.get(id) ?? new Set();
    seen.set(id, known);
    for (const row of rows) known.add(row.external_file_id);
  };
  const add = async () => {
    const place = chance.pick(stage.places);
    if (stage.endpoints.length >= MOST_ENDPOINTS) await stage.removeOldest();
    if (place !== undefined) await stage.addEndpoint(place);
  };
  const edit = async () => {
    const endpoint = chance.pick(stage.endpoints);
    if (endpoint !== undefined) await changeScope(stage.sql, endpoint);
  };
  const work = Promise.all([
    repeat(CHANGE_EVERY_MS, change),
    repeat(ASK_EVERY_MS, ask),
    repeat(ADD_EVERY_MS, add),
    repeat(EDIT_EVERY_MS, edit),
  ]);
  return {
    seen,
    async stop() {
      isStopping = true;
      stopping.resolve();
      await work;
      return { changes, faults: faultOf("things refused to people", refused) };
    },
  };
}

/** The endpoint was removed between the choice and the deed. */
function isGone(thrown: unknown): boolean {
  return thrown instanceof postgres.PostgresError && thrown.code === "PT404";
}

async function pause(ms: number, end: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, end]);
  clearTimeout(timer);
}
