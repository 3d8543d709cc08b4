import { ApiError, driveNotFound, fileNotFound } from "./api_error.ts";
import type { DriveState } from "./drive_state.ts";
import type { Account, Item } from "./drive_types.ts";
import { parseOrder } from "./order_by.ts";
import { parseQuery } from "./query_parser.ts";
import { planQuery, type QueryPlan, type TimeSpan } from "./query_plan.ts";
import { hashText } from "../emulator/random_ids.ts";
import { canSee, isShared } from "./visibility.ts";

/** Bodies of items that a search can look at. */
export const CORPORA = ["user", "domain", "drive", "allDrives"] as const;

/** What `files.list` looks for. */
export interface Search {
  readonly account: Account;
  readonly q: string | undefined;
  readonly corpora: typeof CORPORA[number];
  readonly driveId: string | undefined;
  readonly orderBy: string | undefined;
  readonly includesAllDrives: boolean;
  readonly supportsAllDrives: boolean;
}

/** The items a search found, in order, with the position of each. */
export interface SearchResult {
  readonly items: readonly Item[];
  /** The position from which everything is still to come. */
  readonly beforeFirst: number;
  /** Index at which a page that ended at `position` goes on. */
  indexAfter(position: number): number;
  /** The position of the item at `index`. */
  positionOf(index: number): number;
}

// Results of 200,000 references each: enough for a listing cut into windows, bounded in memory.
const MOST_CACHED_RESULTS = 24;

/** Runs searches over a model. A result is kept while nothing in the model changes. */
export class FileSearch {
  readonly #model: DriveState;
  readonly #cache = new Map<string, SearchResult>();
  /** Everything listed, by the time of its creation; of the cached revision. */
  #byCreation: readonly Item[] | null = null;
  #cachedRevision = -1;

  constructor(model: DriveState) {
    this.#model = model;
  }

  /** Checks the search, and says how many folders its `q` groups. Throws as Drive does. */
  plan(search: Search): QueryPlan {
    checkCorpora(search, this.#model);
    const query = search.q === undefined ? null : parseQuery(search.q);
    const plan = planQuery(query, search.account);
    for (const id of plan.namedParents) {
      const folder = this.#model.items.get(id);
      const isReadable = folder !== undefined &&
        canSee(folder, search.account, this.#model.drives) &&
        (folder.driveId === null || search.supportsAllDrives);
      // One folder out of reach fails the whole search, and Drive's message does not name it.
      if (!isReadable) throw fileNotFound("");
    }
    return plan;
  }

  /** All matches. `isPartial` drops the content of half the grouped folders (a known Drive bug). */
  run(search: Search, plan: QueryPlan, isPartial: boolean): SearchResult {
    if (this.#cachedRevision !== this.#model.revision) {
      this.#cache.clear();
      this.#byCreation = null;
    }
    this.#cachedRevision = this.#model.revision;
    const key = `${searchKey(search)}:${isPartial}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const result = this.#search(search, plan, isPartial ? droppedParents(plan) : new Set());
    const [oldest] = this.#cache.keys();
    if (this.#cache.size >= MOST_CACHED_RESULTS && oldest !== undefined) this.#cache.delete(oldest);
    this.#cache.set(key, result);
    return result;
  }

  #search(search: Search, plan: QueryPlan, dropped: ReadonlySet<string>): SearchResult {
    const isInCorpus = this.#corpusFilter(search, plan);
    const items: Item[] = [];
    for (const item of this.#candidates(plan)) {
      if (dropped.size > 0 && item.parents.every((parent) => dropped.has(parent.id))) continue;
      if (plan.matches(item) && isInCorpus(item)) items.push(item);
    }
    if (search.orderBy !== undefined) {
      items.sort(parseOrder(search.orderBy, search.account));
      const indexAfter = (position: number) => position + 1;
      return { items, beforeFirst: -1, indexAfter, positionOf: (index) => index };
    }
    // Newest first, by the order of changes: what changes during a listing leaves its place, as
    // in the real service, and only the change feed tells of it.
    const sequences = items.map((item) => this.#model.listingOrder.sequenceOf(item));
    return {
      items,
      beforeFirst: Number.MAX_SAFE_INTEGER,
      indexAfter: (position) => firstBelow(sequences, position),
      positionOf: (index) => sequences[index] ?? 0,
    };
  }

  /** What a search has to look at, newest first by the order of changes. */
  #candidates({ boundingParents, boundingCreated }: QueryPlan): Iterable<Item> {
    if (boundingParents !== null) return this.#newestFirst(this.#childrenOf(boundingParents));
    if (boundingCreated !== null) return this.#newestFirst(this.#createdWithin(boundingCreated));
    return this.#listed();
  }

  *#listed(): Generator<Item> {
    for (const { key } of this.#model.listingOrder.newestFirst()) yield key;
  }

  #childrenOf(parentIds: readonly string[]): Iterable<Item> {
    return new Set(parentIds.flatMap((id) => [...this.#model.items.get(id)?.children ?? []]));
  }

  // Each of many windows of one listing asks for its own part: looking at everything for each of them
  // would make the emulator, and not who is tested with it, the slowest.
  #createdWithin({ fromMs, toMs }: TimeSpan): Iterable<Item> {
    this.#byCreation ??= [...this.#listed()].sort((left, right) =>
      left.createdMs - right.createdMs
    );
    const items = this.#byCreation;
    const first = partitionPoint(items.length, (index) => (items[index]?.createdMs ?? 0) < fromMs);
    const end = partitionPoint(items.length, (index) => (items[index]?.createdMs ?? 0) <= toMs);
    return items.slice(first, Math.max(first, end));
  }

  #newestFirst(items: Iterable<Item>): Iterable<Item> {
    const order = this.#model.listingOrder;
    const placed = Array.from(items, (item) => ({ item, sequence: order.sequenceOf(item) }));
    return placed.sort((left, right) => right.sequence - left.sequence).map(({ item }) => item);
  }

  #corpusFilter(search: Search, plan: QueryPlan): (item: Item) => boolean {
    const { account, corpora, driveId, includesAllDrives } = search;
    const drives = this.#model.drives;
    switch (corpora) {
      case "drive":
        return (item) => item.driveId === driveId;
      case "allDrives":
        return (item) => canSee(item, account, drives);
      case "domain":
        return () => false;
      case "user":
        return (item) => {
          if (item.driveId === null) return isShared(item, account.email);
          if (!includesAllDrives) return false;
          // A shared drive's folder named by the search is listed; a flat search leaves it out.
          return plan.boundingParents !== null
            ? canSee(item, account, drives)
            : isShared(item, account.email);
        };
    }
  }
}

/** One text for what a page token of this search is bound to. */
export function searchKey(search: Search): string {
  return JSON.stringify([
    search.account.email,
    search.q,
    search.corpora,
    search.driveId,
    search.orderBy,
    search.includesAllDrives,
    search.supportsAllDrives,
  ]);
}

function checkCorpora(search: Search, model: DriveState): void {
  const { corpora, driveId, includesAllDrives, supportsAllDrives, account } = search;
  if ((corpora === "drive") !== (driveId !== undefined)) {
    throw new ApiError({
      status: 400,
      reason: "teamDriveIdRequiresTeamDriveCorpora",
      message: "The driveId parameter must be specified if and only if corpora is set to drive.",
    });
  }
  const needsBoth = corpora === "drive" || corpora === "allDrives";
  if (needsBoth && !(includesAllDrives && supportsAllDrives)) throw allDrivesRequired();
  if (includesAllDrives && !supportsAllDrives) throw allDrivesRequired();
  if (driveId !== undefined && !model.drives.get(driveId)?.members.has(account.email)) {
    throw driveNotFound(driveId);
  }
}

/** 403: a shared drive was asked for without the two booleans that allow it. */
export function allDrivesRequired(): ApiError {
  return new ApiError({
    status: 403,
    reason: "teamDriveIncludeItemsRequired",
    message: "The includeItemsFromAllDrives and supportsAllDrives parameters must be set to true " +
      "when driveId is specified or corpora contains drive or allDrives.",
    location: "includeItemsFromAllDrives",
  });
}

function droppedParents(plan: QueryPlan): Set<string> {
  const parents = [...plan.boundingParents ?? []].sort((a, b) => hashText(a) - hashText(b));
  return new Set(parents.slice(0, Math.ceil(parents.length / 2)));
}

// The sequences fall; the first one below `position` begins what has not been given yet.
function firstBelow(sequences: readonly number[], position: number): number {
  return partitionPoint(sequences.length, (index) => (sequences[index] ?? 0) >= position);
}

/** The first index for which `isBefore` is false, where it is true up to there. */
function partitionPoint(length: number, isBefore: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
