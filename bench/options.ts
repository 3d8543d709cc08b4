import { parseArgs } from "node:util";
import { oneLine, UsageError } from "../local/failure.ts";

/** How `deno task bench` is used. */
export const BENCH_USAGE = `deno task bench [flags]

Measures what the project promises of its speed: ratios, each the median of five, on a stack of its
own. Prints one table and writes it to its section of bench/results.md. Takes about twenty minutes.

  --row NAME   only this measurement (may be repeated); writes no file
  --quick      a tenth of the files, three rounds; writes no file
  --rounds N   rounds of each measurement
  --help       this text

Measurements: `;

/** What `deno task bench` was asked to do. */
export interface BenchOptions {
  readonly isHelp: boolean;
  readonly isQuick: boolean;
  readonly rows: readonly string[];
  readonly rounds: number;
}

/** Parses the command line; `known` are the names of the measurements. */
export function parseBenchOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { quick = false, help = false, row = [], rounds } = parse(args);
  for (const name of row) {
    if (known.includes(name)) continue;
    throw new UsageError(
      `Cannot measure "${name}" as it must be one of ${known.join(", ")} (see --help)`,
    );
  }
  const count = rounds === undefined ? (quick ? 3 : 5) : Number(rounds);
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(
      `Cannot use --rounds as it must be a whole number above 0: current value is "${rounds}"`,
    );
  }
  return { isHelp: help, isQuick: quick, rows: row, rounds: count };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        row: { type: "string", multiple: true },
        quick: { type: "boolean" },
        rounds: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(`${oneLine(cause)} (see --help)`, { cause });
  }
}
