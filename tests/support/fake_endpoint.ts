/**
 * One endpoint in memory: its run, listing, tasks and files behave as the migrations make them.
 */
import { z } from "zod";
import type {
  CommittedPage,
  Lease,
  PageCommit,
  SliceContext,
  SliceOutcome,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import type {
  Feed,
  FileRecord,
  TaskSeed,
} from "../../supabase/functions/_shared/providers/types.ts";
import { recordsOf } from "./file_rows.ts";

type Task = SliceContext["tasks"][number];
/** What the owner of an endpoint set. */
export type Endpoint = SliceContext["endpoint"];

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

/** Tasks handed over at a time. */
export const TASKS_AT_ONCE = 50;

/** An endpoint that has never synced. */
export function newEndpoint(id: string, overrides: Partial<Endpoint>): FakeEndpoint {
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

/** A listing that has shown nothing yet. */
export function newListing(id: number, isFull: boolean, confirmsAbsence = false): FakeListing {
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

/** The files that a listing has not shown, and of which nothing was said. */
export function unseenOf({ files }: FakeEndpoint, { seen, absences }: FakeListing): string[] {
  return [...files.keys()].filter((id) => !seen.has(id) && !absences.has(id));
}

/** What a worker gets to begin with. */
export function contextOf(one: FakeEndpoint, lease: Lease): SliceContext {
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

/** Adds the tasks for folders and seeds that the listing does not have yet; answers those. */
export function addTasks(
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
export function toStored(cursor: unknown): Task["cursor"] {
  return z.json().parse(JSON.parse(JSON.stringify(cursor)));
}

/** What became of the rows of a page. */
export type Counts = Pick<CommittedPage, "added" | "updated" | "unchanged" | "deleted">;

/** The answer to a page that was committed before. */
export function repeated(endpoint: FakeEndpoint): CommittedPage {
  const none = { added: 0, updated: 0, unchanged: 0, deleted: 0 };
  return { ...committed(endpoint, none, []), repeated: true };
}

/** The answer to a page that is committed now. */
export function committed(endpoint: FakeEndpoint, counts: Counts, created: Task[]): CommittedPage {
  return {
    repeated: false,
    ...counts,
    files_seen: endpoint.run?.filesSeen ?? 0,
    open_tasks: endpoint.listing?.tasks.size ?? 0,
    tasks: created.slice(0, TASKS_AT_ONCE),
  };
}

type Written = Pick<PageCommit, "files" | "filtered" | "provider_calls">;

/** Writes the files of a page. */
export function write(endpoint: FakeEndpoint, page: Written): Counts {
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

/** Ends a slice. */
export function finish(endpoint: FakeEndpoint, outcome: SliceOutcome): void {
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
