import type { SliceContext } from "../db/connector_db.ts";
import type { Log } from "../log.ts";
import type { Json, ListingMode, ProviderContext } from "../providers/types.ts";
import type { Budget } from "./budget.ts";
import { retryUnavailable } from "./db_retry.ts";
import type { EngineDeps } from "./deps.ts";
import { createFileLimit, type FileLimit } from "./file_limit.ts";
import type { FileFilter } from "./file_types.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { createPagePlace, type PagePlace } from "./page_place.ts";
import type { ProviderCalls } from "./provider_calls.ts";
import type { Slots } from "./slots.ts";

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
  readonly listing: ListingTerms;
  /** This endpoint's share of `budget.pages`. */
  readonly pages: Slots;
  /** This endpoint's share of `budget.openPages`. */
  readonly openPages: Slots;
  /** Commits under way. */
  readonly commits: Slots;
  /** Aborted when the lease is lost: nothing more may be read or written. */
  readonly lost: AbortSignal;
}

/** What the provider is told of the listing that is open or being started. */
export interface ListingTerms {
  mode: ListingMode;
  memory: Json;
}

/** The terms of the listing a slice begins with: the open one, or the one its run asks for. */
export function listingTerms(
  { listing, run, memory }: Pick<SliceContext, "listing" | "run" | "memory">,
): ListingTerms {
  if (listing === null) return { mode: run.mode, memory };
  return { mode: listing.is_full ? "full" : "incremental", memory };
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
  deleted: number;
}

/** Progress of a slice that has done nothing yet. */
export function noProgress(): Progress {
  return {
    pages: 0,
    files: 0,
    filtered: 0,
    folders: 0,
    added: 0,
    updated: 0,
    unchanged: 0,
    deleted: 0,
  };
}

/** How a reading may go about it. */
export interface ReadingTerms {
  readonly pageSize: number;
  readonly idleLanes: number;
  readonly signal: AbortSignal;
  /** Where what is read is kept; what is read without one is small. */
  readonly place?: PagePlace;
}

/** Builds what the provider gets for one reading. */
export function providerContext<Config>(
  run: EndpointRun<Config>,
  terms: ReadingTerms,
): ProviderContext<Config> {
  return {
    config: run.config,
    pageSize: terms.pageSize,
    getJson: (url, purpose) =>
      run.calls.getJson(url, { signal: terms.signal, place: terms.place, purpose }),
    apiUrl: run.deps.settings.apiUrl,
    readerName: run.deps.provider.readerName?.(run.config, run.deps.settings) ?? null,
    idleLanes: terms.idleLanes,
    ...run.listing,
    now: run.deps.now,
    signal: terms.signal,
  };
}

/** Waits until a page may be asked for; the answer is the place it is read into. */
export async function holdPage(
  { pages, openPages, budget }: Pick<EndpointRun<unknown>, "pages" | "openPages" | "budget">,
  isLeading = false,
): Promise<PagePlace> {
  // The others hold all places of the endpoint while they wait for what the few leading ones read. What
  // is shared with other endpoints is taken in turn.
  const leaveOwn = isLeading ? () => {} : await pages.take();
  const leaveShared = await budget.pages.take();
  const ownOpenPages = { take: () => openPages.take(isLeading) };
  return createPagePlace([ownOpenPages, budget.openPages], () => {
    leaveShared();
    leaveOwn();
  });
}

/** The limit of the run's files, from what has been committed on; for one phase of the work. */
export function fileLimit<Config>(
  { context, progress, deps }: EndpointRun<Config>,
  parallelPages: () => number,
): FileLimit {
  return createFileLimit({
    maxFiles: context.endpoint.max_files_per_sync,
    filesSeen: context.run.files_seen + progress.files + progress.filtered,
    maxPageSize: deps.provider.limits.maxPageSize,
    parallelPages,
  });
}

/**
 * Makes a call of the database that may be repeated and that reports provider calls: those sent since
 * the last report, unless it fails. Every such call extends the lease.
 */
export async function reporting<Config, Result>(
  run: EndpointRun<Config>,
  call: (providerCalls: number, attempt: number) => Promise<Result>,
): Promise<Result> {
  const { deps, budget, calls } = run;
  run.lost.throwIfAborted();
  const providerCalls = calls.takeCount();
  let attempt = 0;
  try {
    const result = await retryUnavailable(deps, budget.unloading, () => {
      budget.spend({ calls: 1 });
      attempt += 1;
      return call(providerCalls, attempt);
    });
    run.heartbeat.beat();
    return result;
  } catch (thrown) {
    calls.giveBack(providerCalls);
    throw thrown;
  }
}

/** Files per second, one decimal; 0 for a time too short to be measured. */
export function perSecond(files: number, tookMs: number): number {
  return tookMs <= 0 ? 0 : Math.round(files * 10_000 / tookMs) / 10;
}
