import { resolve } from "node:path";
import { StackError } from "../../local/failure.ts";
import { parseFlags } from "../../local/flags.ts";

const TARGET_USAGE = `  --project-ref REF  the project (SUPABASE_PROJECT_ID, else the linked one)
  --remote-db URL    connect to the database directly, by its connection string; else the CLI does it,
                     with SUPABASE_DB_PASSWORD where that is set`;

/** How `deno task deploy` is used. */
export const DEPLOY_USAGE = `deno task deploy [flags]

Takes a Supabase project to a running connector: checks, migrations, secrets of the functions, Vault,
functions, schedule, health. Safe to repeat: what is as it should be stays as it is.

${TARGET_USAGE}
  --env-file FILE    the settings (.env)
  --dry-run          print every step, change nothing
  --help             this text

You must be logged in with the Supabase CLI (\`supabase login\`, or SUPABASE_ACCESS_TOKEN). Keep passwords
out of the shell's history: use the environment.

Status: 0 deployed · 1 a step failed; run it again · 2 wrong use, or a check failed: nothing was changed`;

/** How `deno task undeploy` is used. */
export const UNDEPLOY_USAGE = `deno task undeploy [flags]

Turns the connector's schedule off, and only that; says what remains and how to remove it.
\`deno task deploy\` turns it on again.

${TARGET_USAGE}
  --dry-run          say what would be done, change nothing
  --help             this text

Status: 0 off · 1 it cannot be turned off · 2 wrong use`;

/** Which project, and how to reach its database. */
export interface TargetOptions {
  readonly projectRef: string | undefined;
  /** A connection string. */
  readonly remoteDb: string | undefined;
}

/** What `deno task undeploy` was asked to do. */
export interface UndeployOptions {
  readonly isHelp: boolean;
  readonly isDryRun: boolean;
  readonly target: TargetOptions;
}

/** What `deno task deploy` was asked to do. */
export interface DeployOptions extends UndeployOptions {
  readonly envFile: string;
}

const TEXT = { type: "string" } as const;
const SWITCH = { type: "boolean" } as const;
const TARGET_FLAGS = {
  "project-ref": TEXT,
  "remote-db": TEXT,
  "dry-run": SWITCH,
  help: SWITCH,
} as const;

/** Parses the command line of `deno task deploy`; a relative file is found from `root`. */
export function parseDeployOptions(args: readonly string[], root: string): DeployOptions {
  const { "env-file": envFile, ...flags } = parseFlags(args, { ...TARGET_FLAGS, "env-file": TEXT });
  return { ...readTarget(flags), envFile: resolve(root, envFile ?? ".env") };
}

/** Parses the command line of `deno task undeploy`. */
export function parseUndeployOptions(args: readonly string[]): UndeployOptions {
  return readTarget(parseFlags(args, TARGET_FLAGS));
}

function readTarget(flags: {
  readonly "project-ref"?: string | undefined;
  readonly "remote-db"?: string | undefined;
  readonly "dry-run"?: boolean | undefined;
  readonly help?: boolean | undefined;
}): UndeployOptions {
  const remoteDb = flags["remote-db"];
  if (remoteDb !== undefined && !/^postgres(ql)?:$/.test(URL.parse(remoteDb)?.protocol ?? "")) {
    // Not shown: a password may be in it.
    throw new StackError("Cannot use --remote-db as it must be a postgresql:// connection string");
  }
  return {
    isHelp: flags.help ?? false,
    isDryRun: flags["dry-run"] ?? false,
    target: { projectRef: flags["project-ref"], remoteDb },
  };
}
