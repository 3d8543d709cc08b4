import type { SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import { SyncError } from "../errors.ts";
import type { FailureCode } from "../errors.ts";
import type { FileRecord, Quota, Task } from "../providers/types.ts";
import { type ConsentsDb, createConsentsDb } from "./consents_db.ts";
import { toDatabaseError } from "./database_error.ts";
import { EncodedJson, encodeWithin } from "./encoded_json.ts";
import type { EncodedRpc, RpcAnswer } from "./encoded_rpc.ts";
import { createRefreshesDb, type RefreshesDb } from "./refreshes_db.ts";
import {
  AbsentItemsSchema,
  ClaimResultSchema,
  CommittedPageSchema,
  FinishedSliceSchema,
  HealthSchema,
  NotedAbsencesSchema,
  QuotasSchema,
  SliceContextsSchema,
  StartedListingSchema,
  SweptSchema,
  SyncStatusSchema,
  TakenCallsSchema,
  TasksSchema,
  UnplannedSchedulesSchema,
} from "./schemas.ts";
import type {
  AbsencesCommit,
  AbsentItems,
  ChangesCommit,
  ClaimResult,
  CommittedPage,
  DatabaseHealth,
  FileRows,
  FinishedSlice,
  Lease,
  ListingStartCommit,
  NotedAbsences,
  PageCommit,
  Quotas,
  SchedulePlan,
  SealedToken,
  SliceContext,
  SliceOutcome,
  StartedListing,
  Swept,
  SyncStatus,
  TakenCalls,
  UnplannedSchedule,
} from "./types.ts";

export type * from "./consents_db.ts";
export type * from "./refreshes_db.ts";
export type * from "./types.ts";

/**
 * The database as the connector sees it: one method for each of its functions, each call one
 * transaction. Every method throws a `SyncError`: `lease_lost` when the lease is no longer the
 * caller's (nothing was written), `unavailable` when the call may be tried again.
 */
export interface ConnectorDb extends ConsentsDb, RefreshesDb {
  /** Leases due endpoints: at most `batch`, and never more than `maxConcurrent` in all. */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Opens or continues a run for each lease that is still held; the others are left out. */
  beginSlice(leases: readonly Lease[]): Promise<SliceContext[]>;
  /** Opens a listing and its first tasks; an older open one is discarded. */
  startListing(lease: Lease, start: ListingStartCommit): Promise<StartedListing>;
  /** Makes a page's files ready to be sent, if that spares anything: it may then wait for long. */
  encodeFiles?(files: readonly FileRecord[]): FileRows;
  /** Writes rows, cursor, counters and lease together. Repeating it changes nothing. */
  commitPage(lease: Lease, page: PageCommit): Promise<CommittedPage>;
  /** Like {@linkcode ConnectorDb.commitPage}, for a page of a change log. */
  commitChanges(lease: Lease, page: ChangesCommit): Promise<CommittedPage>;
  /**
   * Up to `limit` items that the open listing, complete, has not shown and of which the provider is to
   * be asked; none where its listing is not one that asks.
   */
  absentItems(lease: Lease, limit: number): Promise<AbsentItems>;
  /** Acts on what the provider said of absent items. Repeating it changes nothing. */
  noteAbsences(lease: Lease, verdicts: AbsencesCommit): Promise<NotedAbsences>;
  /**
   * Deletes what the open listing has not shown, a part at a time: to be repeated until `more` is
   * false. Does nothing where there is nothing to do.
   */
  sweep(lease: Lease): Promise<Swept>;
  /** Open tasks with an id above `afterId`, oldest first. */
  openTasks(lease: Lease, afterId: number, limit: number): Promise<Task[]>;
  /** Records how the slice ended and gives the lease back. */
  finishSlice(lease: Lease, outcome: SliceOutcome): Promise<FinishedSlice>;
  /** Gives back leases whose work could not be started; answers how many were held. */
  release(leases: readonly Lease[], code: FailureCode, message: string): Promise<number>;
  /** Extends the lease; `false` when it is no longer the caller's. */
  renewLease(lease: Lease): Promise<boolean>;
  /** Keeps a sealed access token for later slices. */
  storeToken(lease: Lease, token: SealedToken): Promise<void>;
  /** Takes provider calls from a bucket that all workers share; may grant fewer than `units`. */
  takeCalls(bucket: Omit<Quota, "units">, units: number): Promise<TakenCalls>;
  /** Makes all workers wait before they take from a bucket again. */
  blockCalls(bucket: string, seconds: number): Promise<void>;
  /** Cron schedules that are new or were edited. */
  unplannedSchedules(limit: number): Promise<UnplannedSchedule[]>;
  /** Stores the next times of cron schedules; a plan for an edited schedule is ignored. */
  planSchedules(plans: readonly SchedulePlan[]): Promise<number>;
  /** The scheduler's heartbeat. */
  health(): Promise<DatabaseHealth>;
  /** What the client's caller may see: their own endpoints, or all of them with a secret key. */
  syncStatus(limit: number): Promise<SyncStatus>;
  /** The quotas used latest. */
  quotas(limit: number): Promise<Quotas>;
}

/** How much may be claimed, and of which provider. */
export interface ClaimRequest {
  readonly maxConcurrent: number;
  readonly batch: number;
  readonly endpointType?: string;
}

/** Most rows looked at by one call of {@linkcode ConnectorDb.sweep}. */
const SWEEP_ROWS = 20_000;

/** The limiter answers at once or not at all; a call of the provider waits for it. */
const LIMITER_TIMEOUT_MS = 5_000;

/** The part of the Supabase client that is used here. */
export interface RpcClient extends Pick<SupabaseClient, "rpc"> {
  /** Used for what carries pages, where the client has it. */
  readonly rpcEncoded?: EncodedRpc;
}

/** Wraps a Supabase client in typed, checked calls. */
export function createConnectorDb(client: RpcClient): ConnectorDb {
  const call: Call = (name, args, schema, timeoutMs) =>
    callRpc({ client, name, args, timeoutMs }, schema);
  const callWithPage: Call = async (name, args, schema) => {
    if (client.rpcEncoded === undefined) return await call(name, args, schema);
    return readAnswer(name, await client.rpcEncoded(name, JSON.stringify(args)), schema);
  };
  const commitEncoded = async (lease: Lease, page: object, files: EncodedJson) => {
    if (client.rpcEncoded === undefined) {
      throw new TypeError("Cannot send encoded files: no way to");
    }
    const args = encodeWithin({ p_lease: toLease(lease), p_page: page }, "files", files);
    return await client.rpcEncoded("connector_commit_page", args);
  };
  return {
    ...createConsentsDb(call),
    ...createRefreshesDb(call),
    claim: ({ maxConcurrent, batch, endpointType }) =>
      call("connector_claim", {
        p_max_concurrent: maxConcurrent,
        p_batch: batch,
        p_endpoint_type: endpointType ?? null,
      }, ClaimResultSchema),
    beginSlice: (leases) =>
      call("connector_begin_slice", { p_leases: leases.map(toLease) }, SliceContextsSchema),
    startListing: (lease, start) =>
      call(
        "connector_start_listing",
        { p_lease: toLease(lease), p_start: start },
        StartedListingSchema,
      ),
    encodeFiles: (files) => client.rpcEncoded === undefined ? files : new EncodedJson(files),
    commitPage: async (lease, { files, ...page }) => {
      const name = "connector_commit_page";
      if (!(files instanceof EncodedJson)) {
        const args = { p_lease: toLease(lease), p_page: { ...page, files } };
        return await callWithPage(name, args, CommittedPageSchema);
      }
      return readAnswer(name, await commitEncoded(lease, page, files), CommittedPageSchema);
    },
    commitChanges: (lease, page) =>
      callWithPage(
        "connector_commit_changes",
        { p_lease: toLease(lease), p_page: page },
        CommittedPageSchema,
      ),
    absentItems: (lease, limit) =>
      call(
        "connector_absent_items",
        { p_lease: toLease(lease), p_limit: limit },
        AbsentItemsSchema,
      ),
    noteAbsences: (lease, verdicts) =>
      callWithPage(
        "connector_note_absences",
        { p_lease: toLease(lease), p_verdicts: verdicts },
        NotedAbsencesSchema,
      ),
    sweep: (lease) =>
      call("connector_sweep", { p_lease: toLease(lease), p_limit: SWEEP_ROWS }, SweptSchema),
    openTasks: (lease, afterId, limit) =>
      call(
        "connector_open_tasks",
        { p_lease: toLease(lease), p_after_id: afterId, p_limit: limit },
        TasksSchema,
      ),
    finishSlice: (lease, outcome) =>
      call(
        "connector_finish_slice",
        { p_lease: toLease(lease), p_outcome: outcome },
        FinishedSliceSchema,
      ),
    release: (leases, code, message) =>
      call(
        "connector_release",
        { p_leases: leases.map(toLease), p_code: code, p_message: message },
        z.number(),
      ),
    renewLease: (lease) => call("connector_renew_lease", { p_lease: toLease(lease) }, z.boolean()),
    storeToken: async (lease, token) => {
      await call("connector_store_token", { p_lease: toLease(lease), p_token: token }, z.unknown());
    },
    takeCalls: ({ bucket, unitsPerMinute }, units) =>
      call(
        "connector_take_calls",
        { p_bucket: bucket, p_units_per_minute: unitsPerMinute, p_units: units },
        TakenCallsSchema,
        LIMITER_TIMEOUT_MS,
      ),
    blockCalls: async (bucket, seconds) => {
      const args = { p_bucket: bucket, p_seconds: seconds };
      await call("connector_block_calls", args, z.unknown(), LIMITER_TIMEOUT_MS);
    },
    unplannedSchedules: (limit) =>
      call("connector_unplanned_schedules", { p_limit: limit }, UnplannedSchedulesSchema),
    planSchedules: (plans) => call("connector_plan_schedules", { p_plans: plans }, z.number()),
    health: () => call("connector_health", {}, HealthSchema),
    syncStatus: (limit) => call("sync_status", { p_limit: limit }, SyncStatusSchema),
    quotas: (limit) => call("connector_quotas", { p_limit: limit }, QuotasSchema),
  };
}

// A claim or a whole slice context may be handed in where a lease is meant: only the lease travels.
function toLease({ endpoint_id, lease_token }: Lease): Lease {
  return { endpoint_id, lease_token };
}

/** Calls one function of the database and checks its answer. */
export type Call = <Result>(
  name: string,
  args: object,
  schema: z.ZodType<Result>,
  timeoutMs?: number,
) => Promise<Result>;

interface RpcCall {
  readonly client: RpcClient;
  readonly name: string;
  readonly args: object;
  /** Shorter than the client's own limit, where there is one. */
  readonly timeoutMs: number | undefined;
}

async function callRpc<Result>(
  { client, name, args, timeoutMs }: RpcCall,
  schema: z.ZodType<Result>,
): Promise<Result> {
  const request = client.rpc(name, args);
  const answer =
    await (timeoutMs === undefined ? request : request.abortSignal(AbortSignal.timeout(timeoutMs)));
  return readAnswer(name, answer, schema);
}

function readAnswer<Result>(
  name: string,
  { data, error, status }: RpcAnswer,
  schema: z.ZodType<Result>,
): Result {
  if (error !== null) throw toDatabaseError(name, status, error);
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new SyncError(
    "internal",
    "The database answered in an unexpected form. Its migrations and the functions are of " +
      "different versions: apply the migrations and deploy the functions again.",
    { cause: new TypeError(`Cannot read the answer of ${name}`, { cause: result.error }) },
  );
}
