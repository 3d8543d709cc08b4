import { registerText } from "../../local/leaks/register.ts";
import { isNoted } from "../../local/leaks/run_folder.ts";
import { createLog, type Log, type LogFields } from "../../supabase/functions/_shared/log.ts";

/** One thing that was logged. */
export interface LogEntry {
  readonly level: keyof Log;
  readonly event: string;
  readonly fields: LogFields;
}

/** What a function would have written: the run's search for secrets looks at it. */
const written = createLog({
  level: "debug",
  function: "test",
  write: (line) => registerText("a function's log", line),
  now: () => new Date(),
});

/** Creates a log that keeps what it is told. */
export function createMemoryLog(): Log & { readonly entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  const keep = (level: keyof Log) => (event: string, fields: LogFields = {}) => {
    entries.push({ level, event, fields });
    if (isNoted()) written[level](event, fields);
  };
  return {
    entries,
    debug: keep("debug"),
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
  };
}
