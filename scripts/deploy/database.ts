/** The project's database, as the role `postgres`: directly, or through the Supabase CLI. */
import { join } from "node:path";
import postgres from "postgres";
import { z } from "zod";
import { oneLine, StackError } from "../../local/failure.ts";
import type { Cli } from "./cli.ts";

/** Runs one statement and returns its rows. */
export interface Database extends AsyncDisposable {
  query(statement: string): Promise<unknown>;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const CONNECT_SECONDS = 15;

/** Connects by a connection string; encrypted, unless it says otherwise or leads to this machine. */
export function connectDirectly(
  url: string,
  redact: (text: string) => string,
): Database {
  const parsed = URL.parse(url);
  const isPlain = parsed?.searchParams.has("sslmode") || LOOPBACK.test(parsed?.hostname ?? "");
  const sql = postgres(url, {
    max: 1,
    connect_timeout: CONNECT_SECONDS,
    onnotice: () => {},
    ...(isPlain ? {} : { ssl: "require" as const }),
  });
  return {
    async query(statement) {
      try {
        return [...await sql.unsafe(statement)];
      } catch (cause) {
        throw new StackError(redact(oneLine(cause)), { cause });
      }
    },
    [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }),
  };
}

/**
 * Asks through `supabase db query`, that is the Management API. Reading goes without `--read-only`:
 * that would run as a role that may not open the Vault.
 */
export function connectThroughCli(cli: Cli): Database {
  return {
    async query(statement) {
      // In a file, as a statement may hold a secret, and everyone sees the arguments of a process.
      return await withPrivateFile(statement, async (file) => {
        const args = [
          "db",
          "query",
          "--remote",
          "--yes",
          "--output-format",
          "json",
          "--file",
          file,
        ];
        const out = await cli.run(args);
        return JSON.parse(out.trim() === "" ? "[]" : out);
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Runs `work` with a file that only this user can read, and removes it. */
export async function withPrivateFile<Result>(
  content: string,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  const folder = await Deno.makeTempDir({ prefix: "file_connector_deploy_" });
  try {
    const path = join(folder, "content");
    await Deno.writeTextFile(path, content, { mode: 0o600 });
    return await work(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A text as a literal of SQL. */
export function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

const Relations = z.array(z.object({
  migrations: z.boolean(),
  vault: z.boolean(),
  cron: z.boolean(),
})).length(1);

/** Which parts the database has already. */
export type Relations = z.infer<typeof Relations>[number];

/** Asks which parts the database has: a fresh project has none of them. */
export async function readRelations(database: Database): Promise<Relations> {
  const rows = await database.query(
    `select to_regclass('supabase_migrations.schema_migrations') is not null as migrations,
            to_regclass('vault.decrypted_secrets') is not null as vault,
            to_regclass('cron.job') is not null as cron`,
  );
  const [relations] = Relations.parse(rows);
  return relations ?? { migrations: false, vault: false, cron: false };
}
