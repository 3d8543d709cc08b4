import { parseArgs } from "node:util";
import { oneLine, UsageError } from "../failure.ts";

/** How `deno task chaos` is used. */
export const CHAOS_USAGE = `deno task chaos [flags]

Kills the functions, the scheduler and the database of a stack of its own (SIGKILL, at random
instants), cuts and slows what lies between them, while two emulated providers change. Then compares
every file with the providers' truth. Status 0 when nothing is lost, doubled or stuck. Linux only.

  --kills N        processes to kill (default 200); from 40 on, the section Chaos of
                   bench/results.md is written
  --seed N         decides everything but the machine's own timing (default: a new one, printed)
  --database WHICH embedded (default), or system
  --help           this text`;

/** With fewer than this nothing is written. */
export const WRITTEN_FROM_KILLS = 40;

/** What `deno task chaos` was asked to do. */
export interface ChaosOptions {
  readonly isHelp: boolean;
  readonly seed: number;
  readonly kills: number;
  readonly server: "embedded" | "system";
}

/** Parses the command line. */
export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const { help = false, seed, kills, database: server = "embedded" } = parse(args);
  if (server !== "embedded" && server !== "system") {
    throw new UsageError(
      `Cannot use --database as it must be embedded or system: current value is "${server}"`,
    );
  }
  return {
    isHelp: help,
    seed: seed === undefined
      ? crypto.getRandomValues(new Uint32Array(1))[0] ?? 1
      : whole("--seed", seed),
    kills: kills === undefined ? 200 : whole("--kills", kills),
    server,
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new UsageError(
    `Cannot use ${name} as it must be a whole number: current value is "${text}"`,
  );
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: "string" },
        kills: { type: "string" },
        database: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(`${oneLine(cause)} (see --help)`, { cause });
  }
}
