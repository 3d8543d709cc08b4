/** The server process: started, waited for, and shut down. */

import postgres from "postgres";
import { oneLine, StackError } from "../failure.ts";
import { type ManagedProcess, readLastLines, startProcess } from "../processes.ts";
import type { Account } from "./account.ts";
import { PASSWORD, SERVER_ENVIRONMENT, SUPERUSER } from "./cluster.ts";
import type { Installation } from "./installation.ts";

const START_DEADLINE_MS = 30_000;

/** How {@linkcode startServer} starts a server. */
export interface ServerOptions {
  readonly installation: Installation;
  readonly dataDirectory: string;
  readonly account: Account | undefined;
  readonly port: number;
  readonly durable: boolean;
  readonly logFile: string;
}

/** Why a server did not come up, where the caller can do something about it. */
export class ServerStartError extends StackError {
  readonly reason: "port_in_use" | "still_stopping" | "other";

  constructor(reason: ServerStartError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Starts the server and waits until it answers on 127.0.0.1. */
export async function startServer(options: ServerOptions): Promise<ManagedProcess> {
  const { installation, account } = options;
  const logStart = await sizeOf(options.logFile);
  const server = await startProcess({
    command: `${installation.binDirectory}/postgres`,
    args: ["-D", options.dataDirectory, ...settings(options).flatMap((line) => ["-c", line])],
    cwd: "/",
    env: SERVER_ENVIRONMENT,
    clearEnv: true,
    logFile: options.logFile,
    ...account,
  });
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!await answers(options.port)) {
    if (!server.isRunning()) throw await startError(options, logStart);
    if (Date.now() > deadline) {
      await stopServer(server);
      throw new StackError(`The database did not answer in time: see ${options.logFile}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  // An answer may come from a stranger who holds the port while ours is giving up.
  if (!server.isRunning()) throw await startError(options, logStart);
  return server;
}

/** Shuts the server down: sessions are cut off, the data is left clean. */
export async function stopServer(server: ManagedProcess): Promise<void> {
  const timer = setTimeout(() => server.signal("SIGQUIT"), 10_000);
  try {
    await server.stop({ signal: "SIGINT", deadlineMs: 15_000 });
  } finally {
    clearTimeout(timer);
  }
}

function settings({ installation, dataDirectory, port, durable }: ServerOptions): string[] {
  const real = new Set(["pg_cron", "pg_net", "supabase_vault"]);
  for (const name of installation.standIns) real.delete(name);
  return [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=100",
    "max_worker_processes=48",
    "shared_buffers=128MB",
    "max_wal_size=1GB",
    "wal_level=logical",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "logging_collector=off",
    "password_encryption=scram-sha-256",
    "jit=off",
    ...(durable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]),
    ...(real.size > 0 ? [`shared_preload_libraries=${[...real].join(",")}`] : []),
    ...(real.has("pg_cron")
      ? ["cron.database_name=postgres", "cron.use_background_workers=on"]
      : []),
    ...(real.has("pg_net") ? ["pg_net.database_name=postgres"] : []),
    ...(real.has("supabase_vault") ? [`vault.getkey_script=${dataDirectory}/vault_getkey`] : []),
  ];
}

async function answers(port: number): Promise<boolean> {
  const sql = postgres({
    host: "127.0.0.1",
    port,
    user: SUPERUSER,
    password: PASSWORD,
    database: "postgres",
    max: 1,
    connect_timeout: 5,
    fetch_types: false,
  });
  try {
    await sql`select 1`;
    return true;
  } catch {
    // Not yet up: the caller looks at the process and at the clock.
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** What a person is told whose port is taken. */
export function portInUse(port: number): string {
  return `Port ${port} is in use by another program: stop it, or choose --db-port`;
}

async function startError(options: ServerOptions, logStart: number): Promise<StackError> {
  const lines = (await readLastLines(options.logFile, 200, logStart))
    .filter((line) => /\b(FATAL|ERROR|LOG|HINT):/.test(line));
  const text = lines.join("\n");
  if (/Address already in use/.test(text)) {
    return new ServerStartError("port_in_use", portInUse(options.port));
  }
  if (/still in use|is another (postmaster|postgres)/.test(text)) {
    return new ServerStartError("still_stopping", "The previous database is still stopping");
  }
  const fatal = lines.findLast((line) => line.includes("FATAL:")) ?? lines.at(-1);
  const reason = fatal === undefined ? "it wrote no reason" : oneLine(fatal);
  return new ServerStartError("other", `The database did not start: ${reason}`);
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then(({ size }) => size, () => 0);
}
