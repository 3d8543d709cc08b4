import type { Log, LogFields } from "../../supabase/functions/_shared/log.ts";

/** One thing that was logged. */
export interface LogEntry {
  readonly level: keyof Log;
  readonly event: string;
  readonly fields: LogFields;
}

/** Creates a log that keeps what it is told. */
export function createMemoryLog(): Log & { readonly entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  const keep = (level: keyof Log) => (event: string, fields: LogFields = {}) => {
    entries.push({ level, event, fields });
  };
  return {
    entries,
    debug: keep("debug"),
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
  };
}
