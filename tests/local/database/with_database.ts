import postgres from "postgres";
import { type Database, type DatabaseOptions, startDatabase } from "../../../local/database.ts";

/** What a test of the database gets. */
export interface TestDatabase {
  readonly database: Database;
  readonly stateDir: string;
  /** A pool as `postgres`, the role of migrations. */
  readonly sql: postgres.Sql;
}

/** Runs `test` with a new database, and removes it afterwards. */
export async function withDatabase(
  test: (context: TestDatabase) => Promise<void>,
  options: Pick<DatabaseOptions, "server"> = { server: "embedded" },
): Promise<void> {
  await withStateDir(async (stateDir) => {
    const database = await startDatabase({ ...options, stateDir, durable: false });
    const sql = connect(database.postgresUrl);
    try {
      await test({ database, stateDir, sql });
    } finally {
      await sql.end({ timeout: 5 });
      await database.remove();
    }
  });
}

/** As {@linkcode withDatabase}, with the worker running. */
export async function withWorker(test: (context: TestDatabase) => Promise<void>): Promise<void> {
  await withDatabase(async (context) => {
    const worker = await context.database.startWorker();
    try {
      await test(context);
    } finally {
      await worker?.stop();
    }
  });
}

/** Runs `test` with an empty folder. */
export async function withStateDir(test: (stateDir: string) => Promise<void>): Promise<void> {
  const stateDir = await Deno.makeTempDir({ prefix: "database-test-" });
  try {
    await test(stateDir);
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
}

/** Opens a small pool; the caller ends it. */
export function connect(url: string): postgres.Sql {
  return postgres(url, { max: 3, onnotice: () => {} });
}

/** Opens a pool for the time of `use`. */
export async function connected<T>(
  url: string,
  use: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = connect(url);
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The SQLSTATE that `work` fails with; fails itself when `work` succeeds. */
export async function sqlStateOf(work: PromiseLike<unknown>): Promise<string> {
  try {
    await work;
  } catch (cause) {
    if (cause instanceof postgres.PostgresError) return cause.code;
    throw cause;
  }
  throw new Error("The statement should have failed");
}
