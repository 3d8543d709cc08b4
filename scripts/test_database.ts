import { join } from "node:path";
import postgres from "postgres";
import type { StackOptions } from "../local/stack.ts";
import { startStack } from "../local/stack.ts";
import { makeStateFolder } from "./test_state_folder.ts";

/** The database and the REST API the tests share. */
export interface TestDatabase extends AsyncDisposable {
  /** Value of CONNECTOR_TEST_STACK: a file with the coordinates, for tests/support/test_stack.ts. */
  readonly coordinates: string;
  /** Connects as the role of migrations. */
  readonly postgresUrl: string;
  readonly standIns: readonly string[];
}

/** A real pg_cron ticks by itself, which would take the work out of a test's hands. */
async function pauseCron(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const names = await sql`select from pg_extension where extname = 'pg_cron'
      and obj_description(oid, 'pg_extension') not like 'stand-in for %'`;
    if (names.length > 0) await sql`select cron.alter_job(jobid, active := false) from cron.job`;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Boots a database of its own, with migrations and REST; nothing ticks in it. */
export async function startTestDatabase(
  server: StackOptions["server"],
  log: (line: string) => void,
): Promise<TestDatabase> {
  const folder = await makeStateFolder();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const stack = await startStack({
    stateDir: folder,
    apiPort: 0,
    dbPort: 0,
    server,
    durable: false,
    withFunctions: false,
    withScheduler: false,
    log,
  });
  cleanup.defer(() => stack.database.remove());
  cleanup.defer(() => stack.stop());
  await pauseCron(stack.database.superuserUrl);
  const coordinates = join(folder, "test_stack.json");
  const content = {
    superuser_url: stack.database.superuserUrl,
    postgres_url: stack.database.postgresUrl,
    api_url: stack.info.api_url,
    publishable_key: stack.keys.publishableKey,
    secret_key: stack.keys.secretKey,
    signing_key: stack.keys.signingKey,
    stand_ins: stack.info.stand_ins,
  };
  await Deno.writeTextFile(coordinates, JSON.stringify(content), { mode: 0o600 });
  const owned = cleanup.move();
  return {
    coordinates,
    postgresUrl: stack.database.postgresUrl,
    standIns: stack.info.stand_ins,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
