/**
 * The types of File Connector for applications: what a signed-in user may read, write and call, and
 * nothing of the machinery. Types and names of columns alone, so nothing of it is left when it runs.
 *
 * ```ts
 * import { createClient } from "@supabase/supabase-js";
 * import type { Database } from "../file-connector/client/mod.ts";
 *
 * const supabase = createClient<Database>("https://<project>.supabase.co", "sb_publishable_…");
 * ```
 */
import type { Database as Generated } from "../supabase/functions/_shared/db/database.types.ts";

export type { Json } from "../supabase/functions/_shared/db/database.types.ts";

type Public = Generated["public"];
type Stored<Table extends keyof Public["Tables"]> = Public["Tables"][Table];

/** The columns of `endpoints` that a user may give to a new one. */
export const ENDPOINT_COLUMNS = [
  "id",
  "name",
  "endpoint_type",
  "project_id",
  "user_id",
  "description",
  "enabled",
  "schedule_type",
  "schedule_cron",
  "interval_minutes",
  "file_types",
  "max_files_per_sync",
  "endpoint_config",
  "tags",
  "timezone",
] as const;

/** The columns of `oauth_tokens` that a user may read: the state of a token, never its value. */
export const TOKEN_COLUMNS = [
  "id",
  "endpoint_id",
  "token_type",
  "scope",
  "expires_at",
  "is_active",
  "created_at",
  "updated_at",
] as const;

type EndpointColumn = typeof ENDPOINT_COLUMNS[number];

/** A table whose rows the connector writes and users read. */
interface ReadOnly<Row, Relationships> {
  Row: Row;
  Insert: never;
  Update: never;
  Relationships: Relationships;
}

/** A connected source of files. */
export type Endpoint = Stored<"endpoints">["Row"];

/** What a user gives to a new endpoint. */
export type NewEndpoint = Pick<Stored<"endpoints">["Insert"], EndpointColumn>;

/** A file as the connector saw it last; `deleted_at` is set when it is gone. */
export type File = Stored<"files">["Row"];

/** One run of a sync. */
export type SyncLog = Stored<"sync_logs">["Row"];

/** One line per endpoint: its state, its next sync, how many files it has. */
export type EndpointOverview = Public["Views"]["endpoint_overview"]["Row"];

/** The database as a signed-in user sees it: `createClient<Database>(…)`. */
export interface Database {
  public: {
    Tables: {
      endpoints: {
        Row: Endpoint;
        Insert: NewEndpoint;
        Update: Partial<Omit<NewEndpoint, "id" | "user_id">>;
        Relationships: Stored<"endpoints">["Relationships"];
      };
      files: ReadOnly<File, Stored<"files">["Relationships"]>;
      sync_logs: ReadOnly<SyncLog, Stored<"sync_logs">["Relationships"]>;
      oauth_tokens: ReadOnly<
        Pick<Stored<"oauth_tokens">["Row"], typeof TOKEN_COLUMNS[number]>,
        Stored<"oauth_tokens">["Relationships"]
      >;
    };
    Views: Pick<Public["Views"], "endpoint_overview">;
    Functions: Pick<Public["Functions"], "request_sync" | "approve_deletions" | "sync_status">;
    Enums: Public["Enums"];
    CompositeTypes: Public["CompositeTypes"];
  };
}
