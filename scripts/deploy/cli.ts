/** Runs the real Supabase CLI against one project. */
import { z } from "zod";
import { StackError } from "../../local/failure.ts";
import { lastLines } from "../../local/processes.ts";
import { SUPABASE_CLI } from "../../local/supabase_cli.ts";

const TIME_LIMIT_MS = 600_000;
const QUOTED_LINES = 4;

const CliError = z.object({ error: z.object({ message: z.string() }) });

/** The CLI, pointed at a project. */
export interface Cli {
  /** Runs a command and returns what it wrote to standard output; throws StackError with its reason. */
  run(args: readonly string[]): Promise<string>;
}

/** What {@linkcode createCli} needs. */
export interface CliOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** `null`: for commands that need no project. */
  readonly projectRef: string | null;
  readonly redact: (text: string) => string;
}

/**
 * Returns the CLI for a project. It is named in the environment and not by `--remote=<ref>`: the CLI
 * uses SUPABASE_DB_PASSWORD for the linked project alone, and this is how it is told which that is.
 */
export function createCli({ root, env, projectRef, redact }: CliOptions): Cli {
  return {
    async run(args) {
      const [command, ...before] = await findCli(env);
      const child = new Deno.Command(command, {
        args: [...before, ...args, "--agent", "no"],
        cwd: root,
        clearEnv: true,
        env: {
          ...env,
          ...(projectRef === null ? {} : { SUPABASE_PROJECT_ID: projectRef }),
          SUPABASE_TELEMETRY_DISABLED: "1",
          SUPABASE_NO_UPDATE_NOTIFIER: "1",
          DO_NOT_TRACK: "1",
          NO_COLOR: "1",
        },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        signal: AbortSignal.timeout(TIME_LIMIT_MS),
      });
      const { success, stdout, stderr } = await child.output();
      const [out, told] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      if (success) return out ?? "";
      throw new StackError(redact(reasonOf(out ?? "", told ?? "")));
    },
  };
}

type CommandLine = readonly [string, ...string[]];
let cliFound: Promise<CommandLine> | null = null;

/** npx takes longer to begin than the CLI to work: it is asked once where it keeps the CLI. */
function findCli(env: Readonly<Record<string, string>>): Promise<CommandLine> {
  return cliFound ??= askNpx(env);
}

async function askNpx(env: Readonly<Record<string, string>>): Promise<CommandLine> {
  const child = new Deno.Command("npx", {
    args: ["--yes", "--package", SUPABASE_CLI, "-c", "command -v supabase"],
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
  });
  const { success, stdout } = await child.output();
  const path = new TextDecoder().decode(stdout).trim();
  // A shell that does not know the question: npx finds the CLI each time then.
  return success && path !== "" ? [path] : ["npx", "--yes", SUPABASE_CLI];
}

function reasonOf(out: string, told: string): string {
  const error = CliError.safeParse(parseJson(out));
  if (error.success) return error.data.error.message;
  // A crash, such as that over a `.env` it cannot parse, prints its own source around this line.
  const crash = /^error: (.+)$/m.exec(told)?.[1];
  if (crash !== undefined) return crash;
  const lines = told.split("\n").filter((line) =>
    !/^npm (warn|notice)|^Target: |^Confirmed by --yes|--debug to troubleshoot/.test(line)
  );
  return lastLines([...lines, out].join("\n"), QUOTED_LINES).join(" · ") || "it said nothing";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text for people: its last lines are quoted.
    return null;
  }
}
