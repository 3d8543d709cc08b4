/** Runs as `sync:log` and `sync:now` show them. */
import { plainText } from "../local/plain_text.ts";
import { numberCell, showDuration, showTime, statusCell } from "./show.ts";
import type { Cell } from "./table.ts";

/** The columns of `sync_logs` that the commands read. */
export const RUN_COLUMNS = `id, endpoint_id, status, trigger, mode, started_at, finished_at,
  files_seen, files_added, files_updated, files_unchanged, files_deleted, files_skipped,
  provider_calls, slices, error_code, error_message, endpoints(name)` as const;

/** One run, with the name of its endpoint. */
export interface RunRow {
  readonly id: string;
  readonly endpoint_id: string;
  readonly status: string;
  readonly trigger: string;
  readonly mode: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly files_seen: number;
  readonly files_added: number;
  readonly files_updated: number;
  readonly files_unchanged: number;
  readonly files_deleted: number;
  readonly files_skipped: number;
  readonly provider_calls: number;
  readonly slices: number;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly endpoints: { readonly name: string } | null;
}

/** Titles of {@linkcode runCells}. */
export const RUN_HEAD = [
  "started (UTC)",
  "endpoint",
  "status",
  "mode",
  "trigger",
  "took",
  "seen",
  "added",
  "updated",
  "deleted",
  "error",
];

/** One run as a line of a table. */
export function runCells(run: RunRow): Cell[] {
  return [
    { text: showTime(run.started_at) },
    { text: run.endpoints?.name ?? run.endpoint_id },
    statusCell(run.status),
    { text: run.mode },
    { text: run.trigger },
    { text: showDuration(run.started_at, run.finished_at), isRight: true },
    numberCell(run.files_seen),
    numberCell(run.files_added),
    numberCell(run.files_updated),
    numberCell(run.files_deleted),
    { text: errorOf(run) },
  ];
}

/** One run as a sentence. */
export function runSummary(run: RunRow): string {
  const { status, files_added: added, files_updated: updated, files_deleted: deleted } = run;
  const took = showDuration(run.started_at, run.finished_at);
  const error = plainText(errorOf(run));
  return `${
    plainText(status)
  } in ${took}: ${run.files_seen} files seen, ${added} added, ${updated} updated, ` +
    `${deleted} deleted${error === "" ? "" : `; ${error}`}`;
}

function errorOf({ error_code: code, error_message: message }: RunRow): string {
  return code === null ? "" : `${code}: ${message ?? ""}`;
}
