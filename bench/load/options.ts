import { parseArgs } from "node:util";
import { oneLine, UsageError } from "../../local/failure.ts";

/** How `deno task load` is used. */
export const LOAD_USAGE = `deno task load [flags]

Syncs 1,000 endpoints of 50 users each minute on a stack of its own, one of the users having 900 of
them: how late they begin, what fails, how many connections and how much memory it takes. Linux only.

  --minutes N  how long to measure (default 10); from 3 on, the section Load of
               bench/results.md is written
  --help       this text`;

/** Shorter than this nothing is written. */
export const WRITTEN_FROM_MINUTES = 3;

/** What `deno task load` was asked to do. */
export interface LoadOptions {
  readonly isHelp: boolean;
  readonly minutes: number;
}

/** Parses the command line. */
export function parseLoadOptions(args: readonly string[]): LoadOptions {
  const { help = false, minutes: text = "10" } = parse(args);
  const minutes = Number(text);
  if (!Number.isInteger(minutes) || minutes < 1) {
    throw new UsageError(
      `Cannot use --minutes as it must be a whole number above 0: current value is "${text}"`,
    );
  }
  return { isHelp: help, minutes };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { minutes: { type: "string" }, help: { type: "boolean", short: "h" } },
    }).values;
  } catch (cause) {
    throw new UsageError(`${oneLine(cause)} (see --help)`, { cause });
  }
}
