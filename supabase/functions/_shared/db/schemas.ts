/** What the database's functions answer, as it is checked on arrival. */
import { z } from "zod";

const Id = z.union([z.string(), z.number()]).transform(String);
const Instant = z.string();
// Digits, so that a sum above 2^53 stays what it is wherever the database writes it as text.
const Bytes = z.union([z.string(), z.number()]).transform(String);

const Task = z.object({
  id: z.number(),
  kind: z.string(),
  folder_ids: z.array(z.string()),
  cursor: z.json(),
  sequence: z.number(),
});

const Listing = z.object({ id: Id, open_tasks: z.number(), is_full: z.boolean() });

const Feed = z.object({ key: z.string(), cursor: z.json(), sequence: z.number() });

/** Answer of `connector_claim`. */
export const ClaimResultSchema = z.object({
  claims: z.array(z.object({
    endpoint_id: z.string(),
    endpoint_type: z.string(),
    lease_token: z.string(),
    is_heavy: z.boolean(),
  })),
  more_due: z.boolean(),
});

/** Answer of `connector_begin_slice`. */
export const SliceContextsSchema = z.array(z.object({
  endpoint_id: z.string(),
  lease_token: z.string(),
  run_id: Id,
  slice: z.number(),
  endpoint: z.object({
    name: z.string(),
    endpoint_type: z.string(),
    project_id: z.string(),
    user_id: z.string(),
    endpoint_config: z.unknown(),
    file_types: z.array(z.string()).nullable(),
    max_files_per_sync: z.number().nullable(),
    schedule_type: z.enum(["interval", "cron", "manual"]),
    schedule_cron: z.string(),
    timezone: z.string(),
  }),
  run: z.object({
    mode: z.enum(["incremental", "full"]),
    trigger: z.string(),
    files_seen: z.number(),
  }),
  listing: Listing.nullable(),
  tasks: z.array(Task),
  memory: z.json(),
  feeds: z.array(Feed),
  token: z.object({
    access_token: z.string(),
    token_type: z.string(),
    expires_at: Instant,
    grant_type: z.enum(["application", "user"]),
    generation: z.number(),
  }).nullable(),
  needs_grant: z.boolean(),
}));

/** Answer of `connector_start_listing`. */
export const StartedListingSchema = z.object({ listing: Listing, tasks: z.array(Task) });

/** Answer of `connector_commit_page` and `connector_commit_changes`. */
export const CommittedPageSchema = z.object({
  repeated: z.boolean(),
  added: z.number(),
  updated: z.number(),
  unchanged: z.number(),
  deleted: z.number(),
  files_seen: z.number(),
  open_tasks: z.number(),
  tasks: z.array(Task),
});

/** Answer of `connector_sweep`. */
export const SweptSchema = z.object({
  deleted: z.number(),
  held: z.number().nullable(),
  more: z.boolean(),
});

/** Answer of `connector_absent_items`. */
export const AbsentItemsSchema = z.object({
  held: z.number().nullable(),
  items: z.array(z.object({
    external_id: z.string(),
    is_folder: z.boolean(),
    external_parent_id: z.string().nullable(),
  })),
});

/** Answer of `connector_note_absences`. */
export const NotedAbsencesSchema = z.object({ deleted: z.number() });

/** Answer of `connector_take_calls`. */
export const TakenCallsSchema = z.object({ granted: z.number(), wait_seconds: z.number() });

/** Answer of `connector_open_tasks`. */
export const TasksSchema = z.array(Task);

/** Answer of `connector_finish_slice`. */
export const FinishedSliceSchema = z.object({
  status: z.string(),
  next_run_at: Instant.nullable(),
});

/** Answer of `connector_unplanned_schedules`. */
export const UnplannedSchedulesSchema = z.array(z.object({
  endpoint_id: z.string(),
  schedule_cron: z.string(),
  timezone: z.string(),
  schedule_version: z.union([z.number(), z.string()]),
}));

/** Answer of `connector_health`. */
export const HealthSchema = z.object({
  last_tick_at: Instant.nullable(),
  last_tick_age_seconds: z.number().nullable(),
});

/** Answer of `sync_status`. */
const Counts = z.record(z.string(), z.number());
/** Seconds; `null` where nothing was measured. */
const Spread = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  max: z.number().nullable(),
});

export const QuotasSchema = z.array(z.object({
  bucket: z.string(),
  units_per_minute: z.number(),
  units_left: z.number(),
  blocked_seconds: z.number().nullable().transform((seconds) => seconds ?? 0),
}));

export const SyncStatusSchema = z.object({
  generated_at: Instant,
  scheduler: z.object({ last_tick_at: Instant.nullable() }),
  totals: z.object({ endpoints: z.number(), files: z.number(), bytes: Bytes }),
  running: z.number(),
  due: z.number(),
  backlog_seconds: z.number(),
  by_status: Counts,
  tokens: z.object({ by_status: Counts, next_end_of_grant: Instant.nullable() }),
  last_hour: z.object({
    runs: z.number(),
    runs_by_status: Counts,
    errors: Counts,
    provider_calls: Counts,
    files_seen: z.number(),
    files_added: z.number(),
    files_updated: z.number(),
    files_deleted: z.number(),
    slices: z.number(),
    lag_seconds: Spread,
    run_seconds: Spread,
  }),
  endpoints: z.array(z.object({
    id: z.string(),
    name: z.string(),
    endpoint_type: z.string(),
    enabled: z.boolean(),
    last_sync_status: z.string(),
    last_sync_at: Instant.nullable(),
    next_sync_at: Instant.nullable(),
    is_running: z.boolean(),
    files: z.number(),
    bytes: Bytes,
    token_status: z.string().nullable(),
    token_expires_at: Instant.nullable(),
    last_error_code: z.string().nullable(),
    last_error_message: z.string().nullable(),
  })),
  errors: z.array(z.object({
    endpoint_id: z.string(),
    run_id: Id,
    finished_at: Instant.nullable(),
    error_code: z.string().nullable(),
    error_message: z.string().nullable(),
  })),
});
