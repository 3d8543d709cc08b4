import { resolve } from "node:path";
import { UsageError } from "./failure.ts";
import { parseFlags, wholeNumber } from "./flags.ts";
import { defaultStateDir, repositoryRoot } from "./paths.ts";

/** How `deno task start` is used. */
export const START_USAGE = `deno task start [flags]

Boots the whole of File Connector on this machine and, unless told otherwise, syncs a folder of it
through an emulated Google Drive and an emulated Autodesk Construction Cloud.

  --once            end with status 0 when every demo endpoint has completed a sync
  --reset           start from nothing: database, keys and logs are made anew
  --folder DIR      the folder that both serve (default: this repository)
  --files N         serve a generated tree of N files in place of a folder
  --no-demo         boot the stack alone; the settings in the environment or in
                    supabase/functions/.env reach the functions
  --api-port N      port of the API (default 54321; 0 picks a free one)
  --db-port N       port of the database (default 54322; 0 picks a free one)
  --database WHICH  embedded (default), or system: the Debian server of this machine
  --database-url URL
                    in place of these: a superuser's database on a server of yours
  --state-dir DIR   where database, keys and logs live (default .local)
  --help            this text`;

/** Which PostgreSQL a stack runs on: ours, the machine's, or the one at a URL. */
export type DatabaseChoice = "embedded" | "system" | URL;

/** What a demo endpoint reads. */
export type DemoSource =
  | { readonly type: "folder"; readonly path: string }
  | { readonly type: "generated"; readonly files: number };

/** What `deno task start` was asked to do. */
export interface StartOptions {
  readonly isHelp: boolean;
  readonly isOnce: boolean;
  readonly isReset: boolean;
  /** Null: no demo. */
  readonly demo: DemoSource | null;
  readonly apiPort: number;
  readonly dbPort: number;
  readonly database: DatabaseChoice;
  readonly stateDir: string;
}

const HIGHEST_PORT = 65_535;
const MOST_FILES = 10_000_000;

/** Parses a choice of database. */
function parseDatabase(flag: string, value: string | undefined): DatabaseChoice {
  if (value === undefined || value === "embedded") return "embedded";
  if (value === "system") return "system";
  const url = URL.parse(value);
  if (url !== null && /^postgres(ql)?:$/.test(url.protocol)) return url;
  throw new UsageError(
    `Cannot use --${flag} as it must be embedded, system or a postgresql:// URL: current value is "${value}"`,
  );
}

function parseDemo(
  flags: { folder?: string | undefined; files?: string | undefined },
  isWanted: boolean,
): DemoSource | null {
  const files = wholeNumber("files", flags.files, 1, MOST_FILES);
  if (!isWanted) {
    if (files === undefined && flags.folder === undefined) return null;
    throw new UsageError("Cannot use --folder or --files together with --no-demo");
  }
  if (files !== undefined && flags.folder !== undefined) {
    throw new UsageError("Cannot use --folder together with --files: choose one");
  }
  if (files !== undefined) return { type: "generated", files };
  return { type: "folder", path: existingFolder(flags.folder ?? repositoryRoot()) };
}

function existingFolder(path: string): string {
  const folder = resolve(path);
  const info = statOf(folder);
  if (info === null) throw new UsageError(`Cannot serve "${folder}" as it does not exist`);
  if (!info.isDirectory) throw new UsageError(`Cannot serve "${folder}" as it is not a folder`);
  return folder;
}

function statOf(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw new UsageError(`Cannot read "${path}": permission denied`, { cause });
  }
}

/** Parses the command line of `deno task start`. */
export function parseStartOptions(args: readonly string[]): StartOptions {
  const flags = parseFlags(args, {
    once: { type: "boolean" },
    reset: { type: "boolean" },
    folder: { type: "string" },
    files: { type: "string" },
    "no-demo": { type: "boolean" },
    "api-port": { type: "string" },
    "db-port": { type: "string" },
    database: { type: "string" },
    "database-url": { type: "string" },
    "state-dir": { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (flags.database !== undefined && flags["database-url"] !== undefined) {
    throw new UsageError("Cannot use --database together with --database-url: choose one");
  }
  const isHelp = flags.help ?? false;
  return {
    isHelp,
    isOnce: flags.once ?? false,
    isReset: flags.reset ?? false,
    demo: isHelp ? null : parseDemo(flags, !flags["no-demo"]),
    apiPort: wholeNumber("api-port", flags["api-port"], 0, HIGHEST_PORT) ?? 54_321,
    dbPort: wholeNumber("db-port", flags["db-port"], 0, HIGHEST_PORT) ?? 54_322,
    database: flags["database-url"] === undefined
      ? parseDatabase("database", flags.database)
      : parseDatabase("database-url", flags["database-url"]),
    stateDir: resolve(flags["state-dir"] ?? defaultStateDir()),
  };
}
