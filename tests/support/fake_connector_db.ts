/**
 * The connector's database in memory: leases, runs, listings, tasks and files behave as the
 * migrations make them, so that the engine can be tested without a server.
 */
import { z } from "zod";
import type {
  ChangesCommit,
  ClaimResult,
  CommittedPage,
  ConnectorDb,
  Lease,
  PageCommit,
  SliceContext,
  SliceOutcome,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type {
  Feed,
  FileRecord,
  TaskSeed,
} from "../../supabase/functions/_shared/providers/types.ts";
import { recordsOf } from "./file_rows.ts";

type Task = SliceContext["tasks"][number];
type Endpoint = SliceContext["endpoint"];

/** The open listing of an endpoint; one that is not full was made by change logs. */
export interface FakeListing {
  readonly id: number;
  readonly isFull: boolean;
  readonly tasks: Map<number, Task>;
  readonly seeded: Set<string>;
  readonly walked: Set<string>;
  readonly seen: Set<string>;
  /** Whether the provider is asked about what is not seen, and of what it could tell nothing. */
  readonly confirmsAbsence: boolean;
  readonly absences: Map<string, string>;
}

/** One endpoint and all that hangs on it; tests read it freely. */
export interface FakeEndpoint {
  readonly id: string;
  readonly endpoint: Endpoint;
  leaseToken: string | null;
  leaseExpiresAtMs: number;
  isDue: boolean;
  status: string;
  run: { id: string; slices: number; filesSeen: number } | null;
  listing: FakeListing | null;
  /** Whether a full listing was ever completed. */
  isListed: boolean;
  /** Its provider has no change logs: every run is a listing. */
  isWalked: boolean;
  readonly feeds: Map<string, Feed>;
  memory: SliceContext["memory"];
  readonly files: Map<string, FileRecord>;
  readonly filtered: Set<string>;
  readonly deleted: Map<string, string>;
  providerCalls: number;
  filesWritten: number;
  readonly outcomes: SliceOutcome[];
  readonly releases: string[];
}

/** A fake with its insides open. */
export interface FakeConnectorDb extends ConnectorDb {
  /** Names of the methods called, in order. */
  readonly calls: string[];
  readonly endpoints: Map<string, FakeEndpoint>;
  /** Runs before each call; may throw, wait, or change the state. */
  intercept: (
    method: keyof ConnectorDb,
    lease: Lease | null,
    page?: PageCommit | ChangesCommit,
  ) => Promise<void>;
  /** Most files one sweep deletes, and from how many on it deletes none. */
  readonly sweeping: { limit: number; fuse: number };
  /** What was taken from the buckets of calls, and for how many seconds they were blocked. */
  readonly taken: { readonly bucket: string; readonly units: number }[];
  readonly blocked: { readonly bucket: string; readonly seconds: number }[];
  add(overrides?: Partial<Endpoint>): FakeEndpoint;
  /** Claims one endpoint for a test. */
  lease(endpoint: FakeEndpoint): Lease;
  /** Takes an endpoint from its worker, as the database does with expired leases. */
  takeOver(endpoint: FakeEndpoint): Lease;
}

const LEASE_MS = 120_000;
const TASKS_AT_ONCE = 50;

/** Creates an empty fake. */
export function createFakeConnectorDb(now: () => Date): FakeConnectorDb {
  const endpoints = new Map<string, FakeEndpoint>();
  const calls: string[] = [];
  let lastId = 0;
  const nextId = () => ++lastId;

  async function enter(
    method: keyof ConnectorDb,
    lease: Lease | null,
    page?: PageCommit | ChangesCommit,
  ) {
    calls.push(method);
    await fake.intercept(method, lease, page);
  }

  function held(lease: Lease): FakeEndpoint {
    const endpoint = endpoints.get(lease.endpoint_id);
    if (endpoint === undefined || endpoint.leaseToken !== lease.lease_token) {
      throw new SyncError("lease_lost", "Another worker has taken over this endpoint.");
    }
    return endpoint;
  }

  function extend(endpoint: FakeEndpoint): void {
    endpoint.leaseExpiresAtMs = now().getTime() + LEASE_MS;
  }

  function grant(endpoint: FakeEndpoint): Lease {
    endpoint.leaseToken = `lease-${nextId()}`;
    endpoint.isDue = false;
    extend(endpoint);
    return { endpoint_id: endpoint.id, lease_token: endpoint.leaseToken };
  }

  const fake: FakeConnectorDb = {
    calls,
    endpoints,
    sweeping: { limit: 20_000, fuse: Infinity },
    taken: [],
    blocked: [],
    intercept: () => Promise.resolve(),
    add(overrides = {}) {
      const id = `endpoint-${nextId()}`;
      const endpoint = newEndpoint(id, overrides);
      endpoints.set(id, endpoint);
      return endpoint;
    },
    lease: grant,
    takeOver: grant,

    async claim({ maxConcurrent, batch, endpointType }): Promise<ClaimResult> {
      await enter("claim", null);
      const all = [...endpoints.values()];
      const running = all.filter(({ leaseToken }) => leaseToken !== null).length;
      const isClaimable = (one: FakeEndpoint) =>
        one.isDue && one.leaseToken === null &&
        (endpointType === undefined || one.endpoint.endpoint_type === endpointType);
      const picked = all.filter(isClaimable).slice(
        0,
        Math.max(0, Math.min(batch, maxConcurrent - running)),
      );
      return {
        claims: picked.map((one) => ({
          ...grant(one),
          endpoint_type: one.endpoint.endpoint_type,
          is_heavy: one.listing !== null,
        })),
        more_due: all.some(isClaimable),
      };
    },

    async beginSlice(leases) {
      await enter("beginSlice", null);
      return leases.flatMap((lease) => {
        const endpoint = endpoints.get(lease.endpoint_id);
        if (endpoint === undefined || endpoint.leaseToken !== lease.lease_token) return [];
        extend(endpoint);
        endpoint.run ??= { id: `run-${nextId()}`, slices: 0, filesSeen: 0 };
        endpoint.run.slices += 1;
        endpoint.status = "running";
        return [contextOf(endpoint, lease)];
      });
    },

    async startListing(lease, start) {
      await enter("startListing", lease);
      const endpoint = held(lease);
      extend(endpoint);
      endpoint.providerCalls += start.provider_calls;
      const isFull = start.sweep === "everything";
      const listing = newListing(nextId(), isFull, start.confirms_absence);
      endpoint.listing = listing;
      endpoint.memory = toStored(start.memory ?? null);
      endpoint.feeds.clear();
      for (const { key, cursor } of start.feeds) {
        endpoint.feeds.set(key, { key, cursor: toStored(cursor), sequence: 0 });
      }
      addTasks(listing, start.walk, start.folders_per_task, start.seeds, nextId);
      const tasks = [...listing.tasks.values()];
      return {
        listing: { id: String(listing.id), open_tasks: tasks.length, is_full: isFull },
        tasks: tasks.slice(0, TASKS_AT_ONCE),
      };
    },

    async commitPage(lease, page): Promise<CommittedPage> {
      await enter("commitPage", lease, page);
      const endpoint = held(lease);
      extend(endpoint);
      const { listing } = endpoint;
      const task = listing?.tasks.get(page.task_id);
      if (listing === null || task === undefined || task.sequence !== page.sequence) {
        return repeated(endpoint);
      }
      const counts = write(endpoint, page);
      const { tasks } = listing;
      if (page.next.type === "done") tasks.delete(task.id);
      else {
        const cursor = toStored(page.next.cursor);
        tasks.set(task.id, { ...task, cursor, sequence: task.sequence + 1 });
      }
      const created = addTasks(listing, page.walk, page.folders_per_task, page.seeds, nextId);
      return committed(endpoint, counts, created);
    },

    async commitChanges(lease, page): Promise<CommittedPage> {
      await enter("commitChanges", lease, page);
      const endpoint = held(lease);
      extend(endpoint);
      const feed = endpoint.feeds.get(page.feed_key);
      if (feed?.sequence !== page.sequence) return repeated(endpoint);
      const cursor = toStored(page.next.cursor);
      endpoint.feeds.set(feed.key, { ...feed, cursor, sequence: feed.sequence + 1 });
      const counts = write(endpoint, page);
      const gone = page.removed.filter(({ external_id }) => endpoint.files.delete(external_id));
      gone.forEach(({ external_id, reason }) => endpoint.deleted.set(external_id, reason));
      const fresh = page.folders.map(({ external_folder_id }) => external_folder_id);
      if (fresh.length > 0) endpoint.listing ??= newListing(nextId(), false);
      const created = endpoint.listing === null
        ? []
        : addTasks(endpoint.listing, fresh, page.folders_per_task, [], nextId);
      return committed(endpoint, { ...counts, deleted: gone.length }, created);
    },

    async absentItems(lease, limit) {
      await enter("absentItems", lease);
      const endpoint = held(lease);
      extend(endpoint);
      const { listing } = endpoint;
      if (!listing?.confirmsAbsence || listing.tasks.size > 0) return { held: null, items: [] };
      const unseen = unseenOf(endpoint, listing);
      if (unseen.length > fake.sweeping.fuse) return { held: unseen.length, items: [] };
      const items = unseen.slice(0, limit).map((id) => ({
        external_id: id,
        is_folder: false,
        external_parent_id: endpoint.files.get(id)?.external_parent_id ?? null,
      }));
      return { held: null, items };
    },

    async noteAbsences(lease, verdicts) {
      await enter("noteAbsences", lease);
      const endpoint = held(lease);
      extend(endpoint);
      write(endpoint, { ...verdicts, files: verdicts.present_files });
      const gone = [...verdicts.gone, ...verdicts.filtered]
        .filter((id) => endpoint.files.delete(id));
      gone.forEach((id) => endpoint.deleted.set(id, "removed"));
      for (const { external_id, code } of verdicts.unknown) {
        endpoint.listing?.absences.set(external_id, code);
      }
      return { deleted: gone.length };
    },

    async sweep(lease) {
      await enter("sweep", lease);
      const endpoint = held(lease);
      extend(endpoint);
      const { listing } = endpoint;
      if (!listing?.isFull || listing.tasks.size > 0) {
        return { deleted: 0, held: null, more: false };
      }
      const unseen = unseenOf(endpoint, listing);
      if (unseen.length > fake.sweeping.fuse) {
        return { deleted: 0, held: unseen.length, more: false };
      }
      const gone = unseen.slice(0, fake.sweeping.limit);
      for (const id of gone) {
        endpoint.files.delete(id);
        endpoint.deleted.set(id, "removed");
      }
      return { deleted: gone.length, held: null, more: gone.length === fake.sweeping.limit };
    },

    async takeCalls({ bucket }, units) {
      await enter("takeCalls", null);
      fake.taken.push({ bucket, units });
      return { granted: units, wait_seconds: 0 };
    },

    async blockCalls(bucket, seconds) {
      await enter("blockCalls", null);
      fake.blocked.push({ bucket, seconds });
    },

    async openTasks(lease, afterId, limit) {
      await enter("openTasks", lease);
      const tasks = [...held(lease).listing?.tasks.values() ?? []];
      return tasks.filter(({ id }) => id > afterId).toSorted((a, b) => a.id - b.id).slice(0, limit);
    },

    async finishSlice(lease, outcome) {
      await enter("finishSlice", lease);
      const endpoint = held(lease);
      if (outcome.type === "done" && (endpoint.listing?.tasks.size ?? 0) > 0) {
        throw new SyncError("internal", "Cannot close a listing with open tasks");
      }
      finish(endpoint, outcome);
      return { status: endpoint.status, next_run_at: null };
    },

    async release(leases, code) {
      await enter("release", null);
      const held = leases.map(({ endpoint_id }) => endpoints.get(endpoint_id))
        .filter((endpoint) => endpoint !== undefined);
      for (const endpoint of held) {
        endpoint.releases.push(code);
        endpoint.leaseToken = null;
      }
      return held.length;
    },

    async renewLease(lease) {
      await enter("renewLease", lease);
      const endpoint = endpoints.get(lease.endpoint_id);
      if (endpoint?.leaseToken !== lease.lease_token) return false;
      extend(endpoint);
      return true;
    },

    async storeToken(lease) {
      await enter("storeToken", lease);
      held(lease);
    },
    ownedEndpoint: () => Promise.reject(new Error("The fake connects no accounts")),
    beginConsent: () => Promise.reject(new Error("The fake connects no accounts")),
    takeConsent: () => Promise.reject(new Error("The fake connects no accounts")),
    storeGrant: () => Promise.reject(new Error("The fake connects no accounts")),
    disconnect: () => Promise.reject(new Error("The fake connects no accounts")),
    beginRefresh: () => Promise.reject(new Error("The fake connects no accounts")),
    storeRefresh: () => Promise.reject(new Error("The fake connects no accounts")),
    failRefresh: () => Promise.reject(new Error("The fake connects no accounts")),
    dueRefreshes: () => Promise.resolve([]),
    unplannedSchedules: () => Promise.resolve([]),
    planSchedules: () => Promise.resolve(0),
    health: () =>
      Promise.resolve({ last_tick_at: null, last_tick_age_seconds: null, version: "0.0.0" }),
    syncStatus: () => Promise.reject(new Error("The fake keeps no status")),
    quotas: () => Promise.reject(new Error("The fake keeps no quotas")),
  };
  return fake;
}

function newEndpoint(id: string, overrides: Partial<Endpoint>): FakeEndpoint {
  return {
    id,
    endpoint: {
      name: id,
      endpoint_type: "scripted",
      project_id: "project",
      user_id: "user",
      endpoint_config: { source: id },
      file_types: null,
      max_files_per_sync: null,
      schedule_type: "interval",
      schedule_cron: "*/5 * * * *",
      timezone: "UTC",
      ...overrides,
    },
    leaseToken: null,
    leaseExpiresAtMs: 0,
    isDue: true,
    status: "pending",
    run: null,
    listing: null,
    isListed: false,
    isWalked: false,
    feeds: new Map(),
    memory: null,
    files: new Map(),
    filtered: new Set(),
    deleted: new Map(),
    providerCalls: 0,
    filesWritten: 0,
    outcomes: [],
    releases: [],
  };
}

function newListing(id: number, isFull: boolean, confirmsAbsence = false): FakeListing {
  return {
    id,
    isFull,
    tasks: new Map(),
    seeded: new Set(),
    walked: new Set(),
    seen: new Set(),
    confirmsAbsence,
    absences: new Map(),
  };
}

function unseenOf({ files }: FakeEndpoint, { seen, absences }: FakeListing): string[] {
  return [...files.keys()].filter((id) => !seen.has(id) && !absences.has(id));
}

function contextOf(one: FakeEndpoint, lease: Lease): SliceContext {
  const tasks = [...one.listing?.tasks.values() ?? []].slice(0, TASKS_AT_ONCE);
  const isFollowed = one.feeds.size > 0 || one.isWalked;
  const isIncremental = one.isListed && isFollowed && !one.listing?.isFull;
  return {
    ...lease,
    run_id: one.run?.id ?? "",
    slice: one.run?.slices ?? 0,
    endpoint: one.endpoint,
    run: {
      mode: isIncremental ? "incremental" : "full",
      trigger: "schedule",
      files_seen: one.run?.filesSeen ?? 0,
    },
    listing: one.listing === null ? null : {
      id: String(one.listing.id),
      open_tasks: one.listing.tasks.size,
      is_full: one.listing.isFull,
    },
    tasks,
    memory: one.memory,
    feeds: [...one.feeds.values()].map((feed) => ({ ...feed, cursor: toStored(feed.cursor) })),
    token: null,
    needs_grant: false,
  };
}

function addTasks(
  listing: FakeListing,
  walk: readonly string[],
  foldersPerTask: number,
  seeds: readonly TaskSeed[],
  nextId: () => number,
) {
  const fresh = walk.filter((id) => !listing.walked.has(id));
  fresh.forEach((id) => listing.walked.add(id));
  const created: Task[] = [];
  for (let first = 0; first < fresh.length; first += foldersPerTask) {
    const folder_ids = fresh.slice(first, first + foldersPerTask);
    created.push({ id: nextId(), kind: "walk", folder_ids, cursor: null, sequence: 0 });
  }
  for (const { kind, key, cursor } of seeds) {
    if (listing.seeded.has(`${kind}/${key}`)) continue;
    listing.seeded.add(`${kind}/${key}`);
    created.push({ id: nextId(), kind, folder_ids: [], cursor: toStored(cursor), sequence: 0 });
  }
  created.forEach((task) => listing.tasks.set(task.id, task));
  return created;
}

/** What a cursor is after a stay in the database. */
function toStored(cursor: unknown): Task["cursor"] {
  return z.json().parse(JSON.parse(JSON.stringify(cursor)));
}

type Counts = Pick<CommittedPage, "added" | "updated" | "unchanged" | "deleted">;

function repeated(endpoint: FakeEndpoint): CommittedPage {
  const none = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  return { ...committed(endpoint, none, []), repeated: true };
}

function committed(endpoint: FakeEndpoint, counts: Counts, created: Task[]): CommittedPage {
  return {
    repeated: false,
    ...counts,
    files_seen: endpoint.run?.filesSeen ?? 0,
    open_tasks: endpoint.listing?.tasks.size ?? 0,
    tasks: created.slice(0, TASKS_AT_ONCE),
  };
}

type Written = Pick<PageCommit, "files" | "filtered" | "provider_calls">;

function write(endpoint: FakeEndpoint, page: Written): Counts {
  const counts = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  const files = recordsOf(page.files);
  for (const file of files) {
    const id = file.external_file_id;
    const before = endpoint.files.get(id);
    if (before === undefined) counts.added += 1;
    else if (JSON.stringify(before) === JSON.stringify(file)) counts.unchanged += 1;
    else counts.updated += 1;
    endpoint.files.set(id, file);
    endpoint.deleted.delete(id);
    endpoint.listing?.seen.add(id);
  }
  page.filtered.forEach((id) => endpoint.filtered.add(id));
  endpoint.filesWritten += counts.added + counts.updated;
  endpoint.providerCalls += page.provider_calls;
  if (endpoint.run) endpoint.run.filesSeen += files.length + page.filtered.length;
  return counts;
}

function finish(endpoint: FakeEndpoint, outcome: SliceOutcome): void {
  endpoint.outcomes.push(outcome);
  endpoint.providerCalls += outcome.provider_calls;
  endpoint.leaseToken = null;
  switch (outcome.type) {
    case "continue":
      endpoint.isDue = true;
      return;
    case "done":
      endpoint.isListed ||= endpoint.listing?.isFull ?? false;
      endpoint.listing = null;
      endpoint.status = "completed";
      break;
    case "limit_reached":
      endpoint.status = "partial";
      break;
    case "failed":
      endpoint.status = outcome.remedy === "retry" ? "failed" : outcome.remedy;
  }
  endpoint.run = null;
}
