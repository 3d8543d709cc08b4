import type { ConnectorDb } from "../db/connector_db.ts";
import type { Log } from "../log.ts";
import type { AccessTokens } from "../oauth/access_tokens.ts";
import type { Provider, ProviderSettings } from "../providers/types.ts";
import type { Governor } from "./governor.ts";

/** Everything impure that the engine touches, and the provider it works for. */
export interface EngineDeps<Config> {
  readonly provider: Provider<Config>;
  /** What `provider.parseSettings` made of the environment. */
  readonly settings: ProviderSettings;
  readonly db: ConnectorDb;
  readonly accessTokens: AccessTokens;
  /** One for all invocations of this worker. */
  readonly governor: Governor;
  /** Reaches the provider; the engine adds time limits and refuses redirects. */
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Waits `ms`; rejects with the signal's reason as soon as it is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** `CONNECTOR_MAX_CONCURRENT_SYNCS`. */
  readonly maxConcurrentSyncs: number;
  /** Asks the dispatcher to look for due work now rather than at the next tick. */
  readonly wakeDispatcher: () => Promise<void>;
  /** Aborted by the platform's `beforeunload`: the worker ends within seconds. */
  readonly unloading: AbortSignal;
}
