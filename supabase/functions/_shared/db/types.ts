/** What goes to and comes from the database's functions. Field names are those of the database. */
import type { z } from "zod";
import type { FailureCode, Remedy } from "../errors.ts";
import type {
  AbsenceVerdicts,
  ChangePage,
  FileRecord,
  ListingStart,
  Page,
} from "../providers/types.ts";
import type { EncodedJson } from "./encoded_json.ts";
import type {
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
  UnplannedSchedulesSchema,
} from "./schemas.ts";

/** The right to write for one endpoint, until it expires or is taken back. */
export interface Lease {
  readonly endpoint_id: string;
  readonly lease_token: string;
}

/** Endpoints that were due and are now the caller's, and whether more are waiting. */
export type ClaimResult = z.infer<typeof ClaimResultSchema>;

/** One claimed endpoint. A heavy one has a first or an unfinished listing before it. */
export type Claim = ClaimResult["claims"][number];

/** Everything a slice needs to know about its endpoint, run and open work. */
export type SliceContext = z.infer<typeof SliceContextsSchema>[number];

/** The endpoint's access token as it is stored: sealed. */
export type StoredToken = NonNullable<SliceContext["token"]>;

/** A listing that has just been opened, with its first tasks. */
export type StartedListing = z.infer<typeof StartedListingSchema>;

/** How a listing begins, and the provider calls made to find that out. */
export interface ListingStartCommit extends ListingStart, CommitRest {}

/** What every commit carries. */
export interface CommitRest {
  /** How many folders one walk task may hold: `provider.limits.foldersPerTask`. */
  readonly folders_per_task: number;
  /** Provider calls since the last report. */
  readonly provider_calls: number;
}

/** A page's files as they are, or ready to be sent. */
export type FileRows = readonly FileRecord[] | EncodedJson;

/** One page of one task, committed with the task's next cursor in one transaction. */
export interface PageCommit extends Omit<Page, "files">, CommitRest {
  readonly files: FileRows;
  readonly task_id: number;
  /** The task's sequence as read; a page whose sequence has passed changes nothing. */
  readonly sequence: number;
  /** Ids seen on this page that the endpoint's `file_types` exclude. */
  readonly filtered: readonly string[];
}

/** One page of a change log, committed with the position after it in one transaction. */
export interface ChangesCommit extends ChangePage, CommitRest {
  readonly feed_key: string;
  /** The feed's sequence as read; a page whose sequence has passed changes nothing. */
  readonly sequence: number;
  /** Ids seen on this page that the endpoint's `file_types` exclude. */
  readonly filtered: readonly string[];
}

/** What a committed page changed, and the tasks it created. */
export type CommittedPage = z.infer<typeof CommittedPageSchema>;

/** What a sweep deleted, how many deletions the fuse withheld, and whether more are to be made. */
export type Swept = z.infer<typeof SweptSchema>;

/** Items that a complete listing has not shown, or how many deletions the fuse withheld. */
export type AbsentItems = z.infer<typeof AbsentItemsSchema>;

/** What the provider said of absent items, and the calls made to find that out. */
export interface AbsencesCommit extends AbsenceVerdicts, Pick<CommitRest, "provider_calls"> {
  /** Ids of files that are there, but that the endpoint's `file_types` exclude. */
  readonly filtered: readonly string[];
}

/** What the verdicts about absent items deleted. */
export type NotedAbsences = z.infer<typeof NotedAbsencesSchema>;

/** What was taken from a shared bucket of calls; when that is too little, how long to wait. */
export type TakenCalls = z.infer<typeof TakenCallsSchema>;

/** How a slice ended. */
export type SliceOutcome =
  & (
    /** Out of time or budget: the run stays open and is due at once. */
    | { readonly type: "continue" }
    /** `max_files_per_sync` was reached: the run ends as partial, its cursors are kept. */
    | { readonly type: "limit_reached" }
    /** No task is open, every change log has been read to its end, and what is gone is swept. */
    | { readonly type: "done" }
    | {
      readonly type: "failed";
      readonly code: FailureCode;
      readonly message: string;
      readonly remedy: Remedy;
      readonly retry_after_seconds: number | null;
    }
  )
  & {
    /** Provider calls that no commit has reported yet. */
    readonly provider_calls: number;
    /** The next time of a cron schedule; `null` for the other kinds. */
    readonly next_cron_at: string | null;
  };

/** The endpoint's state after a slice. */
export type FinishedSlice = z.infer<typeof FinishedSliceSchema>;

/** An access token ready to be stored. */
export interface SealedToken {
  /** Compact JWE, never the token itself. */
  readonly access_token: string;
  readonly token_type: string;
  readonly scope: string | null;
  readonly expires_at: string;
}

/** A cron schedule whose next time is not known yet. */
export type UnplannedSchedule = z.infer<typeof UnplannedSchedulesSchema>[number];

/** The next time of a cron schedule, or why there is none. */
export interface SchedulePlan {
  readonly endpoint_id: string;
  readonly schedule_version: UnplannedSchedule["schedule_version"];
  readonly next_run_at: string | null;
  readonly error: string | null;
}

/** The scheduler's heartbeat. */
export type DatabaseHealth = z.infer<typeof HealthSchema>;

/** How much of each quota is left, for all workers together. */
export type Quotas = z.infer<typeof QuotasSchema>;

/** Totals, backlog and the state of each endpoint the caller may see. */
export type SyncStatus = z.infer<typeof SyncStatusSchema>;
