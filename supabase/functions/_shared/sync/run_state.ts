import type { SliceContext } from "../db/connector_db.ts";
import type { Log } from "../log.ts";
import type { ProviderContext } from "../providers/types.ts";
import type { Budget } from "./budget.ts";
import type { EngineDeps } from "./deps.ts";
import type { FileFilter } from "./file_types.ts";
import type { FileLimit } from "./file_limit.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { ProviderCalls } from "./provider_calls.ts";

/** One endpoint's slice while it is being worked. */
export interface EndpointRun<Config> {
  readonly context: SliceContext;
  readonly config: Config;
  readonly deps: EngineDeps<Config>;
  readonly budget: Budget;
  readonly log: Log;
  readonly calls: ProviderCalls;
  readonly isWanted: FileFilter;
  readonly heartbeat: Heartbeat;
  readonly progress: Progress;
  /** Aborted when the lease is lost: nothing more may be read or written. */
  readonly lost: AbortSignal;
}

/** What one slice of one run has done so far; for the logs. */
export interface Progress {
  pages: number;
  files: number;
  filtered: number;
  folders: number;
  added: number;
  updated: number;
  unchanged: number;
}

/** Progress of a slice that has done nothing yet. */
export function noProgress(): Progress {
  return { pages: 0, files: 0, filtered: 0, folders: 0, added: 0, updated: 0, unchanged: 0 };
}

/** Builds what the provider gets for one reading. */
export function providerContext<Config>(
  run: EndpointRun<Config>,
  pageSize: number,
  signal: AbortSignal,
): ProviderContext<Config> {
  return {
    config: run.config,
    pageSize,
    getJson: (url) => run.calls.getJson(url, signal),
    apiUrl: run.deps.settings.apiUrl,
    signal,
  };
}

/** What one listing's lanes share. */
export interface Reading<Config> {
  readonly run: EndpointRun<Config>;
  readonly limit: FileLimit;
  /** Aborted when the first lane fails or the lease is lost: the others stop. */
  readonly signal: AbortSignal;
  /** Whether another page may be begun. */
  readonly mayGoOn: () => boolean;
}

/** Files per second, one decimal; 0 for a time too short to be measured. */
export function perSecond(files: number, tookMs: number): number {
  return tookMs <= 0 ? 0 : Math.round(files * 10_000 / tookMs) / 10;
}
