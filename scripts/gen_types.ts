/** `deno task gen:types`: writes the TypeScript types of the public schema, as the CLI makes them. */
import { join } from "node:path";
import { runCommandLine } from "../local/command.ts";
import { StackError } from "../local/failure.ts";
import { parseFlags } from "../local/flags.ts";
import { repositoryRoot } from "../local/paths.ts";
import { lastLines, runCommand } from "../local/processes.ts";
import { SUPABASE_CLI } from "../local/supabase_cli.ts";
import { createTerminal } from "../local/terminal.ts";
import { startTestDatabase } from "./test_database.ts";

const USAGE = `deno task gen:types

Boots a database with all migrations and writes the types of its public schema to
supabase/functions/_shared/db/database.types.ts.

  --help  this text`;

/** Where the types are committed. */
export const TYPES_FILE = "supabase/functions/_shared/db/database.types.ts";

/** Returns the types of the database that `databaseUrl` leads to. */
export async function generateTypes(databaseUrl: string): Promise<string> {
  const { code, output } = await runCommand({
    command: "npx",
    args: ["--yes", SUPABASE_CLI, "gen", "types", "--schema=public", `--remote=${databaseUrl}`],
    cwd: repositoryRoot(),
    env: { PGSSLMODE: "disable", SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
    signal: AbortSignal.timeout(120_000),
  });
  const start = output.indexOf("export type Json");
  const lastLine = "} as const";
  const end = output.lastIndexOf(lastLine);
  if (code !== 0 || start < 0 || end < start) {
    throw new StackError(`Cannot generate types: ${lastLines(output, 4).join("\n")}`);
  }
  return output.slice(start, end + lastLine.length) + "\n";
}

async function main(): Promise<number> {
  const terminal = createTerminal();
  if (parseFlags(Deno.args, { help: { type: "boolean", short: "h" } }).help) {
    terminal.line(USAGE);
    return 0;
  }
  await using database = await startTestDatabase(
    "embedded",
    (line) => terminal.line(terminal.style("dim", line)),
  );
  const types = await generateTypes(database.postgresUrl);
  await Deno.writeTextFile(join(repositoryRoot(), TYPES_FILE), types);
  terminal.line(`wrote ${TYPES_FILE}`);
  return 0;
}

if (import.meta.main) await runCommandLine(main);
