/**
 * The engine as it runs in production, on the test run's database through REST. Which provider it
 * works for, and who answers in that provider's place, is the test's affair.
 */
import { createAdminClient } from "../../supabase/functions/_shared/db/client.ts";
import {
  type ConnectorDb,
  createConnectorDb,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { createTimedFetch } from "../../supabase/functions/_shared/http/timed_fetch.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { createAccessTokens } from "../../supabase/functions/_shared/oauth/access_tokens.ts";
import { createGrants } from "../../supabase/functions/_shared/oauth/grants.ts";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import type { EngineDeps } from "../../supabase/functions/_shared/sync/deps.ts";
import { createGovernor } from "../../supabase/functions/_shared/sync/governor.ts";
import { sleep } from "../../supabase/functions/_shared/sync/sleep.ts";
import { type SliceOptions, workLeases } from "../../supabase/functions/_shared/sync/slice.ts";
import type { Sql } from "./database.ts";
import { createMemoryLog, type LogEntry } from "./memory_log.ts";
import { readTestStack } from "./test_stack.ts";

/** A sync that takes more slices than this turns in circles. */
const MOST_SLICES = 500;

/** An engine on the test's database. */
export interface Synced<Config> {
  readonly deps: EngineDeps<Config>;
  readonly log: { readonly entries: LogEntry[] };
  /** Makes every endpoint due and works on all of them, one slice each or as many as it takes. */
  sync(deps?: Partial<EngineDeps<Config>>, options?: SliceOptions): Promise<void>;
  /** Works on what is due, once. */
  slice(deps?: Partial<EngineDeps<Config>>, options?: SliceOptions): Promise<void>;
}

/** The provider an engine works for, and who answers in its place. */
export type SyncedProvider<Config> = Pick<EngineDeps<Config>, "provider" | "settings" | "fetch">;

/** Creates an engine on a clean database. */
export function createSynced<Config>(sql: Sql, provided: SyncedProvider<Config>): Synced<Config> {
  const log = createMemoryLog();
  const deps = engineDeps(provided, log);
  const slice: Synced<Config>["slice"] = async (overrides = {}, options = {}) => {
    const engine = { ...deps, ...overrides };
    const { claims } = await deps.db.claim({ maxConcurrent: 1_000, batch: 100 });
    await workLeases(claims, engine, options);
  };
  return {
    deps,
    log,
    slice,
    async sync(overrides = {}, options = {}) {
      await sql`update connector.endpoint_states set next_run_at = now() where lease_token is null`;
      let slices = 0;
      do {
        if (++slices > MOST_SLICES) {
          throw new Error("Cannot end the sync: its slices go on and on");
        }
        await slice(overrides, options);
      } while (await isRunning(sql));
    },
  };
}

/** The database as the functions see it: through REST, with the secret key. */
export function connectAsService(): ConnectorDb {
  const { api_url, secret_key } = readTestStack();
  const timedFetch = createTimedFetch({ fetch, timeoutMs: 45_000 });
  return createConnectorDb(
    createAdminClient({ url: api_url, fetch: timedFetch }, new Secret(secret_key)),
  );
}

function engineDeps<Config>(
  provided: SyncedProvider<Config>,
  log: EngineDeps<Config>["log"],
): EngineDeps<Config> {
  const db = connectAsService();
  const now = () => new Date();
  const vault = createTokenVault({
    newest: "k1",
    keys: new Map([["k1", new Uint8Array(32).fill(7)]]),
  });
  // Waiting for a provider takes a hundredth of the time; leases are kept as in production.
  const shortSleep: EngineDeps<Config>["sleep"] = (ms, signal) =>
    sleep(ms > 30_000 ? ms : ms / 100, signal);
  const shared = {
    db,
    vault,
    publicUrl: readTestStack().api_url,
    tokenFetch: provided.fetch,
    now,
    sleep: shortSleep,
    random: Math.random,
    log,
  };
  return {
    ...provided,
    db,
    accessTokens: createAccessTokens({ ...shared, grants: createGrants(shared) }),
    // It polls while the clock goes on at its own pace: the waits are short all the same.
    governor: createGovernor({ db, now, sleep: shortSleep, log }),
    now,
    sleep: shortSleep,
    random: Math.random,
    log,
    maxConcurrentSyncs: 1_000,
    wakeDispatcher: () => Promise.resolve(),
    unloading: new AbortController().signal,
  };
}

async function isRunning(sql: Sql): Promise<boolean> {
  const rows = await sql`select from connector.endpoint_states where run_id is not null`;
  return rows.length > 0;
}

/** What a test looks at in a row of `files`. */
export interface FileRow {
  readonly external_file_id: string;
  readonly file_name: string;
  readonly file_path: string;
  readonly sync_status: string;
}

/** The files of an endpoint, by path. */
export async function filesOf(sql: Sql, endpointId: string): Promise<FileRow[]> {
  const rows = await sql<FileRow[]>`
    select external_file_id, file_name, file_path, sync_status
    from public.files where endpoint_id = ${endpointId}
    order by file_path collate "C", external_file_id collate "C"`;
  return [...rows];
}

/** The paths of an endpoint's files, sorted. */
export async function pathsOf(sql: Sql, endpointId: string): Promise<string[]> {
  return (await filesOf(sql, endpointId)).map(({ file_path }) => file_path);
}

/** The state of an endpoint and the last of its runs, as its owner sees them. */
export async function stateOf(sql: Sql, endpointId: string) {
  const [row] = await sql<{
    status: string;
    code: string | null;
    message: string | null;
    run_status: string | null;
    run_code: string | null;
    run_message: string | null;
    files_seen: number;
    files_added: number;
    files_updated: number;
    files_unchanged: number;
    provider_calls: number;
    slices: number;
  }[]>`
    select e.last_sync_status as status, e.last_error_code as code, e.last_error_message as message,
      r.status as run_status, r.error_code as run_code, r.error_message as run_message,
      coalesce(r.files_seen, 0)::int as files_seen, coalesce(r.files_added, 0)::int as files_added,
      coalesce(r.files_updated, 0)::int as files_updated,
      coalesce(r.files_unchanged, 0)::int as files_unchanged,
      coalesce(r.provider_calls, 0)::int as provider_calls, coalesce(r.slices, 0)::int as slices
    from public.endpoints as e
    left join lateral (
      select * from public.sync_logs as l where l.endpoint_id = e.id
      order by l.started_at desc limit 1) as r on true
    where e.id = ${endpointId}`;
  if (row === undefined) throw new Error("Cannot read the endpoint: it is not there");
  return row;
}
