import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { oneLine, UsageError } from "../local/failure.ts";
import { repositoryRoot } from "../local/paths.ts";

/** How `deno task test` is used. */
export const TEST_USAGE = `deno task test [flags] [paths]

Boots a database and runs the tests: all of them, or those in the given files and folders.
The last line is "N passed, N failed".

  --database WHICH  embedded (default), or system: the Debian server of this machine,
                    with its real pg_cron
  --lanes N         databases to run tests on at the same time; without it one for each processor,
                    or a single one where tests are picked out
  --filter TEXT     only tests whose name holds TEXT, or matches /TEXT/
  --help            this text`;

const END_TO_END = "tests/e2e";

/** The longest tests are not divided: more lanes would only wait for them. */
const MOST_LANES = 4;

/** What `deno task test` was asked to do. */
export interface TestOptions {
  readonly isHelp: boolean;
  readonly server: "embedded" | "system";
  readonly filter: string | undefined;
  /** How many databases tests run on at the same time; with one, all come one after the other. */
  readonly lanes: number;
  /** Tests that need a database. */
  readonly paths: readonly string[];
  /** Tests that boot a whole stack of their own. */
  readonly endToEndPaths: readonly string[];
  /** No tests were picked out: the checks beyond them belong to the run as well. */
  readonly isEverything: boolean;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        database: { type: "string" },
        filter: { type: "string" },
        lanes: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
      allowPositionals: true,
    });
  } catch (cause) {
    throw new UsageError(`${oneLine(cause)} (see --help)`, { cause });
  }
}

async function testFolders(): Promise<string[]> {
  const folders: string[] = [];
  for await (const entry of Deno.readDir(resolve(repositoryRoot(), "tests"))) {
    const path = `tests/${entry.name}`;
    const isTest = entry.isDirectory || entry.name.endsWith("_test.ts");
    if (isTest && path !== END_TO_END) folders.push(path);
  }
  return folders.sort();
}

/** Parses the command line of `deno task test`. */
export async function parseTestOptions(args: readonly string[]): Promise<TestOptions> {
  const { values, positionals } = parse(args);
  const { database: server = "embedded", filter } = values;
  if (server !== "embedded" && server !== "system") {
    throw new UsageError(
      `Cannot use --database as it must be embedded or system: current value is "${server}"`,
    );
  }
  const named = positionals.map((path) => relative(repositoryRoot(), resolve(path)));
  const isEndToEnd = (path: string) => path === END_TO_END || path.startsWith(`${END_TO_END}/`);
  const isAll = named.length === 0 || named.includes("tests");
  const isEverything = isAll && filter === undefined;
  return {
    isHelp: values.help ?? false,
    server,
    filter,
    lanes: parseLanes(values.lanes, isEverything),
    paths: isAll ? await testFolders() : named.filter((path) => !isEndToEnd(path)),
    endToEndPaths: isAll ? [END_TO_END] : named.filter(isEndToEnd),
    isEverything,
  };
}

/** As many lanes as this machine has processors for. */
export function lanesOfMachine(): number {
  return Math.min(navigator.hardwareConcurrency, MOST_LANES);
}

/** A further database costs its boot, which only pays where there is much to run. */
function parseLanes(value: string | undefined, isEverything: boolean): number {
  if (value === undefined) return isEverything ? lanesOfMachine() : 1;
  const lanes = /^\d$/.test(value) ? Number(value) : 0;
  if (lanes >= 1 && lanes <= MOST_LANES) return lanes;
  throw new UsageError(
    `Cannot use --lanes as it must be 1 to ${MOST_LANES}: current value is "${value}"`,
  );
}
