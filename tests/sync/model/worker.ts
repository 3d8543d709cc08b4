/** The engine of production as a worker that can be killed, and whose calls can be watched. */
import { setImmediate } from "node:timers/promises";
import type { Silence } from "../../../local/emulator/pause.ts";
import type { ConnectorDb } from "../../../supabase/functions/_shared/db/connector_db.ts";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { createAccessTokens } from "../../../supabase/functions/_shared/oauth/access_tokens.ts";
import { createTokenVault } from "../../../supabase/functions/_shared/oauth/token_vault.ts";
import type { EngineDeps } from "../../../supabase/functions/_shared/sync/deps.ts";
import { createGovernor } from "../../../supabase/functions/_shared/sync/governor.ts";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { createMemoryLog, type LogEntry } from "../../support/memory_log.ts";
import { NO_GRANTS } from "../../support/no_grants.ts";
import type { TestClock } from "../../support/test_clock.ts";
import type { Interruption } from "./sequence.ts";

/** How long the engine waits for one answer of a provider, in milliseconds. */
const SILENCE_MS = 30_000;

/** A call that is never answered: the time for it passes on the clock, and the engine gives it up. */
export function silenceOn({ advance }: Pick<TestClock, "advance">): Silence {
  return () => {
    advance(SILENCE_MS);
    return Promise.reject(new DOMException("The signal has been aborted", "AbortError"));
  };
}

/** What a worker is made with. */
export interface WorkerOptions<Config> extends Pick<EngineDeps<Config>, "provider" | "settings"> {
  readonly db: ConnectorDb;
  /** Answers in the provider's place. */
  readonly fetch: typeof fetch;
  readonly clock: TestClock;
}

/** How one piece of work is disturbed. */
export interface Disturbance {
  readonly interruption: Interruption | null;
  /** Told the number of each call to the provider before it is answered. */
  readonly onCall: (call: number) => Promise<void>;
  readonly cpuBudgetMs: number;
}

/** Works on endpoints as an invocation of the sync function does. */
export interface Worker {
  readonly log: { readonly entries: LogEntry[] };
  /** Works on what is due until nothing is, or until it is killed: `true` if it may have left a lease. */
  work(disturbance: Disturbance, isRunning: () => Promise<boolean>): Promise<boolean>;
}

/** Thrown by everything that a killed worker still tries. */
class Killed extends Error {
  override readonly name = "Killed";
}

/** Creates the worker of one sequence. */
export function createWorker<Config>(
  { db, provider, settings, fetch, clock }: WorkerOptions<Config>,
): Worker {
  const log = createMemoryLog();
  const vault = createTokenVault({
    newest: "k1",
    keys: new Map([["k1", new Uint8Array(32).fill(7)]]),
  });
  const sleep: TestClock["sleep"] = async (ms, signal) => {
    await clock.sleep(ms, signal);
    // Who only sleeps and fails, as the heartbeat of a dead worker, must not keep all others waiting.
    await setImmediate();
  };
  const base = {
    provider,
    settings,
    now: clock.now,
    sleep,
    random: () => 0.5,
    log,
    // Other endpoints are no part of a sequence.
    maxConcurrentSyncs: 1,
    wakeDispatcher: () => Promise.resolve(),
  };
  return {
    log,
    async work({ interruption, onCall, cpuBudgetMs }, isRunning) {
      const body = createBody(interruption);
      const mortalDb = body.live(db);
      const deps: EngineDeps<Config> = {
        ...base,
        db: mortalDb,
        accessTokens: createAccessTokens({
          db: mortalDb,
          vault,
          grants: NO_GRANTS,
          publicUrl: "",
          now: clock.now,
          log,
        }),
        // The bucket in the database runs by the database's clock, and has tests of its own.
        governor: createGovernor({ ...base, db: endlessCalls }),
        fetch: createFetch(fetch, body, onCall),
        unloading: body.died,
      };
      do {
        const { claims } = await db.claim({ maxConcurrent: 1_000, batch: 1 });
        // A lease that nobody gave back: the outcome was lost on its way to the database.
        if (claims.length === 0) return true;
        await workLeases(claims, deps, { cpuBudgetMs });
      } while (!body.died.aborted && await isRunning());
      return body.died.aborted;
    },
  };
}

const endlessCalls: Pick<ConnectorDb, "takeCalls" | "blockCalls"> = {
  takeCalls: (_bucket, units) => Promise.resolve({ granted: units, wait_seconds: 0 }),
  blockCalls: () => Promise.resolve(),
};

/** What keeps a worker alive, call by call. */
interface Body {
  readonly died: AbortSignal;
  /** Makes one call, unless the worker is dead, and unless it dies of it. */
  call<Result>(make: () => Promise<Result>): Promise<Result>;
  /** A database whose calls are made like this. */
  live(db: ConnectorDb): ConnectorDb;
}

function createBody(interruption: Interruption | null): Body {
  const death = new AbortController();
  let calls = 0;

  async function call<Result>(make: () => Promise<Result>): Promise<Result> {
    if (death.signal.aborted) throw new Killed();
    const isHit = interruption !== null && calls++ === interruption.at;
    if (!isHit) {
      const result = await make();
      // What was under way when the worker died may have been carried out; nobody hears of it.
      if (death.signal.aborted) throw new Killed();
      return result;
    }
    if (interruption.type === "die" && !interruption.isCarriedOut) death.abort(new Killed());
    if (interruption.isCarriedOut) await make();
    if (interruption.type === "stumble") throw new SyncError("unavailable", "An answer was lost");
    death.abort(new Killed());
    throw new Killed();
  }

  return {
    died: death.signal,
    call,
    live: (db) => ({
      ...db,
      beginSlice: (...args) => call(() => db.beginSlice(...args)),
      startListing: (...args) => call(() => db.startListing(...args)),
      commitPage: (...args) => call(() => db.commitPage(...args)),
      commitChanges: (...args) => call(() => db.commitChanges(...args)),
      sweep: (...args) => call(() => db.sweep(...args)),
      openTasks: (...args) => call(() => db.openTasks(...args)),
      finishSlice: (...args) => call(() => db.finishSlice(...args)),
      storeToken: (...args) => call(() => db.storeToken(...args)),
      renewLease: (...args) => call(() => db.renewLease(...args)),
      release: (...args) => call(() => db.release(...args)),
      // A claim that is lost with its worker is an expired lease, as any other.
      claim: () => Promise.resolve({ claims: [], more_due: false }),
    }),
  };
}

function createFetch(
  fetch: typeof globalThis.fetch,
  body: Body,
  onCall: (call: number) => Promise<void>,
): typeof globalThis.fetch {
  let calls = 0;
  return (input, init) =>
    body.call(async () => {
      await onCall(calls++);
      return await fetch(input, init);
    });
}
