/**
 * The connector's database in memory: leases, runs, listings, tasks and files behave as the
 * migrations make them, so that the engine can be tested without a server.
 */
import { z } from "zod";
import type {
  ClaimResult,
  CommittedPage,
  ConnectorDb,
  Lease,
  PageCommit,
  SliceContext,
  SliceOutcome,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type { FileRecord, TaskSeed } from "../../supabase/functions/_shared/providers/types.ts";

type Task = SliceContext["tasks"][number];
type Endpoint = SliceContext["endpoint"];

/** One endpoint and all that hangs on it; tests read it freely. */
export interface FakeEndpoint {
  readonly id: string;
  readonly endpoint: Endpoint;
  leaseToken: string | null;
  leaseExpiresAtMs: number;
  isDue: boolean;
  status: string;
  run: { id: string; slices: number; filesSeen: number } | null;
  listing:
    | { id: number; tasks: Map<number, Task>; seeded: Set<string>; walked: Set<string> }
    | null;
  readonly files: Map<string, FileRecord>;
  readonly filtered: Set<string>;
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
  intercept: (method: keyof ConnectorDb, lease: Lease | null, page?: PageCommit) => Promise<void>;
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

  async function enter(method: keyof ConnectorDb, lease: Lease | null, page?: PageCommit) {
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
      const listing = {
        id: nextId(),
        tasks: new Map(),
        seeded: new Set<string>(),
        walked: new Set<string>(),
      };
      endpoint.listing = listing;
      addTasks(listing, start.walk, 50, start.seeds, nextId);
      const tasks = [...listing.tasks.values()];
      return {
        listing: { id: String(listing.id), open_tasks: tasks.length },
        tasks: tasks.slice(0, TASKS_AT_ONCE),
      };
    },

    async commitPage(lease, page): Promise<CommittedPage> {
      await enter("commitPage", lease, page);
      const endpoint = held(lease);
      extend(endpoint);
      const task = endpoint.listing?.tasks.get(page.task_id);
      const seen = endpoint.run?.filesSeen ?? 0;
      if (!endpoint.listing || task === undefined || task.sequence !== page.sequence) {
        const open_tasks = endpoint.listing?.tasks.size ?? 0;
        return {
          repeated: true,
          added: 0,
          updated: 0,
          unchanged: 0,
          files_seen: seen,
          open_tasks,
          tasks: [],
        };
      }
      const counts = write(endpoint, page);
      const { tasks } = endpoint.listing;
      if (page.next.type === "done") tasks.delete(task.id);
      else {tasks.set(task.id, {
          ...task,
          cursor: toStored(page.next.cursor),
          sequence: task.sequence + 1,
        });}
      const created = addTasks(
        endpoint.listing,
        page.walk,
        page.folders_per_task,
        page.seeds,
        nextId,
      );
      return {
        repeated: false,
        ...counts,
        files_seen: endpoint.run?.filesSeen ?? 0,
        open_tasks: tasks.size,
        tasks: created.slice(0, TASKS_AT_ONCE),
      };
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
    unplannedSchedules: () => Promise.resolve([]),
    planSchedules: () => Promise.resolve(0),
    health: () =>
      Promise.resolve({ last_tick_at: null, last_tick_age_seconds: null, version: "0.0.0" }),
    syncStatus: () => Promise.reject(new Error("The fake keeps no status")),
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
    files: new Map(),
    filtered: new Set(),
    providerCalls: 0,
    filesWritten: 0,
    outcomes: [],
    releases: [],
  };
}

function contextOf(one: FakeEndpoint, lease: Lease): SliceContext {
  const tasks = [...one.listing?.tasks.values() ?? []].slice(0, TASKS_AT_ONCE);
  return {
    ...lease,
    run_id: one.run?.id ?? "",
    slice: one.run?.slices ?? 0,
    endpoint: one.endpoint,
    run: { mode: "full", trigger: "schedule", files_seen: one.run?.filesSeen ?? 0 },
    listing: one.listing === null
      ? null
      : { id: String(one.listing.id), open_tasks: one.listing.tasks.size },
    tasks,
    feed_cursor: null,
    token: null,
  };
}

function addTasks(
  listing: NonNullable<FakeEndpoint["listing"]>,
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

function write(endpoint: FakeEndpoint, page: PageCommit) {
  const counts = { added: 0, updated: 0, unchanged: 0 };
  for (const file of page.files) {
    const before = endpoint.files.get(file.external_file_id);
    if (before === undefined) counts.added += 1;
    else if (JSON.stringify(before) === JSON.stringify(file)) counts.unchanged += 1;
    else counts.updated += 1;
    endpoint.files.set(file.external_file_id, file);
  }
  page.filtered.forEach((id) => endpoint.filtered.add(id));
  endpoint.filesWritten += counts.added + counts.updated;
  endpoint.providerCalls += page.provider_calls;
  if (endpoint.run) endpoint.run.filesSeen += page.files.length + page.filtered.length;
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
