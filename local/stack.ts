/** The embedded stack: every part of a Supabase project that File Connector uses, on this machine. */
import { join } from "node:path";
import { type Database, startDatabase } from "./database.ts";
import { oneLine, StackError } from "./failure.ts";
import { findFunctionsDeno } from "./functions/deno_binary.ts";
import {
  defaultSettings,
  functionEnvironment,
  readSettings,
  type Settings,
} from "./functions/environment.ts";
import { listFunctions } from "./functions/function_list.ts";
import { probeSettings } from "./functions/probe.ts";
import { type Functions, startFunctions } from "./functions/runner.ts";
import { openGatewayPort } from "./gateway/gateway_port.ts";
import { createGatewayHandler, type Handler } from "./gateway/gateway.ts";
import { loadKeys, type StackKeys } from "./keys.ts";
import { registerAnswer } from "./leaks/register.ts";
import { prepareSearch, prepareTables, searchStack } from "./leaks/stack_search.ts";
import { migrate } from "./migrate.ts";
import { repositoryRoot } from "./paths.ts";
import { startRest } from "./rest_api.ts";
import { readStackFile, removeStackFile, type StackFile, writeStackFile } from "./stack_file.ts";
import type { StackOptions } from "./stack_options.ts";
import { writeVaultSecrets } from "./vault.ts";
import type { SupervisedWorker } from "./worker/supervised.ts";

export type { StackOptions };

/** The people `supabase/seed.sql` makes. */
export const DEMO_USERS = [
  { id: "11111111-1111-4111-8111-111111111111", email: "ada@example.com" },
  { id: "22222222-2222-4222-8222-222222222222", email: "grace@example.com" },
] as const;

/** A running stack. */
export interface Stack {
  /** What `stack.json` says. */
  readonly info: StackFile;
  readonly keys: StackKeys;
  readonly database: Database;
  /** Where providers send people back to after their consent. */
  readonly callbackUrl: string;
  /** Ids of the functions' processes, by slug. */
  readonly functionPids: () => Readonly<Record<string, number>>;
  /** Id of the scheduler's process; null where the stack needs or has none. */
  readonly workerPid: () => number | null;
  /** Resolves, with the reason, when a part the stack cannot do without has ended by itself. */
  readonly failed: Promise<StackError>;
  /** Stops every part, in order and in bounded time. May be called again. */
  stop(): Promise<void>;
}

/** What the parts of a stack share while it is being put together. */
interface Assembly {
  readonly options: StackOptions;
  readonly root: string;
  readonly keys: StackKeys;
  readonly parts: AsyncDisposableStack;
  readonly log: (line: string) => void;
  readonly fail: (reason: string) => void;
}

/**
 * Boots a stack: database, migrations and seed by the real CLI, REST, functions, gateway, and the
 * scheduler last. When a part cannot start, those already up are stopped again, and the error is a
 * {@linkcode StackError} of one clear line.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const failed = Promise.withResolvers<StackError>();
  await using parts = new AsyncDisposableStack();
  await prepareStateDir(options);
  const gateway = openGatewayPort(options.apiPort);
  parts.defer(gateway.stop);
  const apiUrl = `http://127.0.0.1:${gateway.port}`;
  const assembly: Assembly = {
    options,
    root: repositoryRoot(),
    keys: await loadKeys(options.stateDir),
    parts,
    log: options.log ?? (() => {}),
    fail: (reason) => failed.resolve(new StackError(reason)),
  };

  const settings = await stackSettings(assembly, apiUrl);
  const database = await addDatabase(assembly, apiUrl, settings);
  const rest = await startRest(database, assembly.keys, assembly.log);
  parts.defer(rest.stop);
  const doorUrl = options.functionsApiUrl?.(apiUrl) ?? apiUrl;
  const functions = await addFunctions(assembly, doorUrl, database, settings);
  const handler = createGatewayHandler({
    keys: assembly.keys,
    findFunction: (slug) => functions?.get(slug),
    rest: rest.handler,
    users: DEMO_USERS,
  });
  gateway.use(observed(handler, options.onAnswer));
  await functions?.ready();
  await probeSettings({
    functions: functions?.all() ?? [],
    settings,
    secretKey: assembly.keys.secretKey,
    onMissing: assembly.log,
  });
  const worker = await addScheduler(assembly, database);

  const info = describeStack(assembly.keys, apiUrl, database, rest.standIns);
  parts.defer(() => removeStackFile(options.stateDir));
  await writeStackFile(options.stateDir, info);
  const owned = parts.move();
  let stopping: Promise<void> | undefined;
  return {
    info,
    keys: assembly.keys,
    database,
    callbackUrl: callbackUrlOf(settings, apiUrl),
    functionPids: () => functions?.pids() ?? {},
    workerPid: () => worker?.pid() ?? null,
    failed: failed.promise,
    stop: () => stopping ??= owned.disposeAsync(),
  };
}

function observed(handler: Handler, onAnswer: StackOptions["onAnswer"]): Handler {
  return async (request) => {
    const response = await handler(request);
    onAnswer?.(request, response);
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/functions/v1/")) {
      void registerAnswer(`answer of ${request.method} ${pathname}`, response);
    }
    return response;
  };
}

async function prepareStateDir({ stateDir, reset }: StackOptions): Promise<void> {
  const running = await readStackFile(stateDir);
  if (running !== null && await answers(running)) {
    throw new StackError(
      `A stack is already running in "${stateDir}" (process ${running.pid}, ${running.api_url}): stop it, or choose --state-dir`,
    );
  }
  try {
    await Deno.mkdir(stateDir, { recursive: true });
    if (!reset) return;
    for (const name of ["keys.json", "logs"]) await removeIfThere(join(stateDir, name));
  } catch (cause) {
    throw new StackError(`Cannot use the folder "${stateDir}": ${oneLine(cause)}`, { cause });
  }
}

/** Tells a running stack from a stranger who has been given the process id of one that was killed. */
async function answers({ api_url: apiUrl }: StackFile): Promise<boolean> {
  try {
    const address = `${apiUrl}/auth/v1/.well-known/jwks.json`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(3_000) });
    await answer.body?.cancel();
    return true;
  } catch {
    // Nothing listens there: the file is all that is left of that stack.
    return false;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

async function stackSettings(assembly: Assembly, apiUrl: string): Promise<Settings> {
  return {
    ...defaultSettings(assembly.keys, apiUrl),
    ...await readSettings(assembly.root),
    ...assembly.options.settings,
  };
}

function callbackUrlOf(settings: Settings, apiUrl: string): string {
  const base = settings["CONNECTOR_PUBLIC_URL"] || apiUrl;
  return `${base.replace(/\/+$/, "")}/functions/v1/oauth/callback`;
}

async function addDatabase(
  { options, root, parts, log, fail }: Assembly,
  apiUrl: string,
  settings: Settings,
): Promise<Database> {
  log("starting the database");
  const database = await startDatabase({
    server: options.server,
    stateDir: options.stateDir,
    port: options.dbPort,
    durable: options.durable ?? true,
    reset: options.reset ?? false,
    isSupervised: true,
    log,
  });
  parts.defer(database.stop);
  const searched = {
    superuserUrl: database.superuserUrl,
    stateDir: options.stateDir,
    isDurable: options.durable ?? true,
  };
  // A server that is not ours keeps what it wants to keep.
  const isOurs = typeof options.server === "string";
  if (isOurs) {
    await prepareSearch(searched);
    parts.defer(() => searchStack(searched));
  }
  void database.ended?.then(() => fail("The database has ended: see postgres.log"));
  log("applying migrations and seed");
  const functionsUrl = `${apiUrl}/functions/v1`;
  const dispatchToken = settings["CONNECTOR_DISPATCH_TOKEN"] ?? "";
  await migrate({
    projectDir: root,
    databaseUrl: database.postgresUrl,
    env: { CONNECTOR_FUNCTIONS_URL: functionsUrl, CONNECTOR_DISPATCH_TOKEN: dispatchToken },
  });
  await writeVaultSecrets(database.postgresUrl, {
    connector_functions_url: functionsUrl,
    connector_dispatch_token: dispatchToken,
  });
  if (isOurs) await prepareTables(searched);
  return database;
}

async function addFunctions(
  { options, root, keys, parts, log }: Assembly,
  apiUrl: string,
  database: Database,
  settings: Settings,
): Promise<Functions | null> {
  if (options.withFunctions === false) return null;
  const deno = await findFunctionsDeno();
  if (deno.note !== undefined) log(`functions run under Deno ${deno.version}: ${deno.note}`);
  log("starting the functions");
  const credentials = settings["CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH"] ?? "";
  const functions = startFunctions({
    deno,
    root,
    functions: await listFunctions(root),
    logFolder: join(options.stateDir, "logs"),
    env: (slug) =>
      functionEnvironment({ slug, apiUrl, dbUrl: database.postgresUrl, keys, settings }),
    readable: [...options.readable ?? [], ...credentials === "" ? [] : [credentials]],
    onCrash: (slug, message) => log(`function ${slug} ${message}`),
  });
  parts.defer(functions.stop);
  return functions;
}

async function addScheduler(
  { options, parts, fail }: Assembly,
  database: Database,
): Promise<SupervisedWorker | null> {
  if (options.withScheduler === false) return null;
  const worker = await database.keepWorker();
  if (worker === null) return null;
  parts.defer(worker.stop);
  void worker.ended.then(() => fail("The scheduler's worker has ended: see worker.log"));
  return worker;
}

function describeStack(
  keys: StackKeys,
  apiUrl: string,
  database: Database,
  restStandIns: readonly string[],
): StackFile {
  return {
    api_url: apiUrl,
    functions_url: `${apiUrl}/functions/v1`,
    rest_url: `${apiUrl}/rest/v1`,
    db_url: database.superuserUrl,
    publishable_key: keys.publishableKey,
    secret_key: keys.secretKey,
    users: DEMO_USERS.map((user) => ({ ...user })),
    pid: Deno.pid,
    stand_ins: [...database.standIns, ...restStandIns],
  };
}
