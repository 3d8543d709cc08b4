/** Applies the project's migrations and seed with the real Supabase CLI. */

import { StackError } from "./failure.ts";
import { lastLines, runCommand } from "./processes.ts";
import { SUPABASE_CLI } from "./supabase_cli.ts";

const TIME_LIMIT_MS = 300_000;

/** What {@linkcode migrate} applies, and where. */
export interface MigrateOptions {
  /** The folder that holds `supabase/`. */
  readonly projectDir: string;
  /** Connects as the role of migrations, `postgres`. */
  readonly databaseUrl: string;
  /** Values that `config.toml` reads from the environment, `[db.vault]` above all. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Returns what the CLI printed. Throws StackError with its last lines when it failed. */
export async function migrate(options: MigrateOptions): Promise<string> {
  const { code, output } = await runCommand({
    command: "npx",
    args: [
      "--yes",
      SUPABASE_CLI,
      "db",
      "push",
      `--remote=${options.databaseUrl}`,
      "--yes",
      "--include-seed",
    ],
    cwd: options.projectDir,
    env: {
      ...options.env,
      PGSSLMODE: "disable",
      SUPABASE_TELEMETRY_DISABLED: "1",
      DO_NOT_TRACK: "1",
    },
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
  });
  if (code === 0) return output;
  throw new StackError(`Cannot apply the migrations: ${lastLines(output, 6).join("\n")}`);
}
