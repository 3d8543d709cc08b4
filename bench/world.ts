/** What every measurement works with: the embedded stack, whole, and emulated providers beside it. */
import { join } from "node:path";
import postgres from "postgres";
import { findFunctionsDeno } from "../local/functions/deno_binary.ts";
import { loadOrCreateServiceAccount } from "../local/google/service_account.ts";
import { DEMO_USERS, type Stack, startStack } from "../local/stack.ts";
import { type Aps, APS_CLIENT_ID, APS_CLIENT_SECRET, startAps } from "./aps.ts";
import { CallCounter } from "./call_counter.ts";
import { type Drive, startDrive } from "./drive.ts";
import { createSyncs, type Syncs } from "./syncs.ts";

/** The slug of the function that is measured. */
export const SYNC_FUNCTION = "sync-google-drive";

/** How much is measured. */
export interface Sizes {
  readonly rounds: number;
  /** Numbers of files are multiplied by this. */
  readonly scale: number;
}

/** The stack and what can be done with it. */
export interface World extends AsyncDisposable {
  readonly sizes: Sizes;
  readonly sql: postgres.Sql;
  readonly stack: Stack;
  readonly calls: CallCounter;
  readonly syncs: Syncs;
  /** The Deno that runs the functions, and the programs they are compared with. */
  readonly deno: string;
  readonly denoVersion: string;
  /** Says what is being done. */
  readonly say: (line: string) => void;
  /** Removes every endpoint and what hangs on it, and lets the database settle. */
  clear(): Promise<void>;
  /** An emulated Drive of this many files; the one before it is stopped. */
  drive(files: number): Promise<Drive>;
  /** An emulated Autodesk project of this many items and folders; the one before it is stopped. */
  project(items: number, folders: number): Promise<Aps>;
  /** Ends the sync function's process and waits for the next one. */
  restartFunction(): Promise<void>;
  functionPid(): number;
}

/** Boots everything in a folder of its own. Nothing ticks: the measurements dispatch by hand. */
export async function createWorld(sizes: Sizes, say: (line: string) => void): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "file_connector_bench_" });
  parts.defer(() => Deno.remove(folder, { recursive: true }));
  const keyFile = join(folder, "service_account.json");
  const credentials = JSON.stringify(await loadOrCreateServiceAccount(keyFile));
  const drivePort = freePort();
  const driveUrl = `http://127.0.0.1:${drivePort}`;
  const apsPort = freePort();
  const calls = new CallCounter();
  const deno = await findFunctionsDeno();
  const stack = await startStack({
    stateDir: folder,
    apiPort: 0,
    dbPort: 0,
    server: "embedded",
    withScheduler: false,
    onAnswer: (request) => calls.note(request),
    settings: {
      CONNECTOR_GOOGLE_API_URL: driveUrl,
      CONNECTOR_GOOGLE_TOKEN_URL: `${driveUrl}/token`,
      CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: credentials,
      CONNECTOR_AUTODESK_API_URL: `http://127.0.0.1:${apsPort}`,
      CONNECTOR_AUTODESK_CLIENT_ID: APS_CLIENT_ID,
      CONNECTOR_AUTODESK_CLIENT_SECRET: APS_CLIENT_SECRET,
    },
    log: say,
  });
  parts.defer(() => stack.database.remove());
  parts.defer(() => stack.stop());
  const sql = postgres(stack.info.db_url, { max: 2, onnotice: () => {} });
  parts.defer(() => sql.end({ timeout: 5 }));
  let current: Drive | Aps | null = null;
  parts.defer(async () => await current?.stop());
  const owned = parts.move();
  const functionPid = () => stack.functionPids()[SYNC_FUNCTION] ?? 0;
  return {
    sizes,
    sql,
    stack,
    calls,
    syncs: createSyncs({ sql, stack, calls, owner: DEMO_USERS[0].id }),
    deno: deno.path,
    denoVersion: deno.version,
    say,
    async clear() {
      await sql`truncate public.endpoints, connector.rate_limits cascade`;
      await sql`vacuum analyze`;
      await sql`checkpoint`;
    },
    async drive(files) {
      await current?.stop();
      current = null;
      const drive = await startDrive({ port: drivePort, files, keyFile });
      current = drive;
      return drive;
    },
    async project(items, folders) {
      await current?.stop();
      current = null;
      const aps = await startAps({ port: apsPort, items, folders });
      current = aps;
      return aps;
    },
    async restartFunction() {
      const before = functionPid();
      Deno.kill(before, "SIGTERM");
      while (functionPid() === before || functionPid() === 0) await pause(20);
      // It answers, if only with a refusal, once it listens.
      const answer = await fetch(`${stack.info.functions_url}/${SYNC_FUNCTION}`);
      await answer.body?.cancel();
    },
    functionPid,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
