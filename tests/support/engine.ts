/** The engine on a fake database, a scripted provider and a clock that stands still. */
import { Secret } from "../../supabase/functions/_shared/log.ts";
import type { EngineDeps } from "../../supabase/functions/_shared/sync/deps.ts";
import { createGovernor } from "../../supabase/functions/_shared/sync/governor.ts";
import {
  createFakeConnectorDb,
  type FakeConnectorDb,
  type FakeEndpoint,
} from "./fake_connector_db.ts";
import { createMemoryLog, type LogEntry } from "./memory_log.ts";
import {
  API_URL,
  type AskedPage,
  createScriptedProvider,
  onePart,
  type Script,
  type ScriptedConfig,
  scriptedFiles,
} from "./scripted_provider.ts";
import { createTestClock, type TestClock } from "./test_clock.ts";

/** The parts of one test, ready to be used and looked at. */
export interface TestEngine {
  readonly clock: TestClock;
  readonly db: FakeConnectorDb;
  readonly script: Script;
  readonly asked: AskedPage[];
  readonly log: { readonly entries: LogEntry[] };
  /** How often the dispatcher was woken. */
  readonly wakes: { count: number };
  /** Abort it to play the platform's `beforeunload`. */
  readonly unload: AbortController;
  readonly deps: EngineDeps<ScriptedConfig>;
}

/** Creates a test's engine. */
export function createTestEngine(
  script: Script = { drives: new Map() },
  overrides: Partial<EngineDeps<ScriptedConfig>> = {},
): TestEngine {
  const clock = createTestClock();
  const db = createFakeConnectorDb(clock.now);
  const asked: AskedPage[] = [];
  const log = createMemoryLog();
  const wakes = { count: 0 };
  const unload = new AbortController();
  const deps: EngineDeps<ScriptedConfig> = {
    provider: createScriptedProvider(script, asked),
    settings: { apiUrl: API_URL, tokenUrl: `${API_URL}/token`, credentials: null },
    db,
    accessTokens: {
      accessTokenFor: () => ({
        get: () => Promise.resolve(new Secret("scripted")),
        invalidate: () => false,
      }),
    },
    governor: createGovernor({ db, now: clock.now, sleep: clock.sleep, log }),
    fetch: () => Promise.reject(new TypeError("The scripted provider makes no calls")),
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    log,
    maxConcurrentSyncs: 10,
    wakeDispatcher: () => {
      wakes.count += 1;
      return Promise.resolve();
    },
    unloading: unload.signal,
    ...overrides,
  };
  return { clock, db, script, asked, log, wakes, unload, deps };
}

/** An endpoint of one drive with `count` files in one part. */
export function addDrive(
  engine: TestEngine,
  count: number,
  overrides: Partial<FakeEndpoint["endpoint"]> = {},
): FakeEndpoint {
  const endpoint = engine.db.add(overrides);
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(count, endpoint.id)));
  return endpoint;
}
