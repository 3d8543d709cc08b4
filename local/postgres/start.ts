/** Bringing up the server of a state directory: what an earlier start left is taken up again. */

import process from "node:process";
import { StackError } from "../failure.ts";
import {
  isProcessAlive,
  type ManagedProcess,
  signalProcess,
  waitForProcessEnd,
} from "../processes.ts";
import { type Account, serverAccount } from "./account.ts";
import { createCluster } from "./cluster.ts";
import {
  newDataDirectory,
  readRecord,
  readServerPid,
  removeData,
  writeRecord,
} from "./data_directory.ts";
import { type Installation, installPostgres, type ServerSource } from "./installation.ts";
import { isPortFree, pickFreePort } from "./ports.ts";
import { portInUse, type ServerOptions, ServerStartError, startServer } from "./server.ts";

/** What {@linkcode startLocalServer} needs to know. */
export interface LocalServerOptions {
  readonly source: ServerSource;
  readonly stateDirectory: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly durable: boolean;
  readonly reset: boolean;
  readonly log: (line: string) => void;
}

/** A running server of this machine. */
export interface LocalServer {
  readonly process: ManagedProcess;
  readonly port: number;
  readonly dataDirectory: string;
  /** Starts it anew after a crash: the same data, the same port. */
  restart(): Promise<ManagedProcess>;
}

/** Starts the server of a state directory, making its data on the first start. */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const { stateDirectory, source, durable, log } = options;
  await Deno.mkdir(stateDirectory, { recursive: true });
  await takeOver(stateDirectory, log);
  if (options.reset) await removeData(stateDirectory);
  if (options.port !== 0 && !isPortFree(options.port)) {
    throw new StackError(portInUse(options.port));
  }
  const account = await serverAccount();
  const installation = await installPostgres(source);
  const dataDirectory = await openData(options, installation, account);
  const settings = {
    installation,
    dataDirectory,
    account,
    durable,
    logFile: `${stateDirectory}/postgres.log`,
  };
  const server = await startWithRetries({ ...settings, port: options.port });
  const { port } = server;
  const restart = async () => (await startWithRetries({ ...settings, port })).process;
  return { ...server, dataDirectory, restart };
}

/** Returns the data directory of the record, or a new one. */
async function openData(
  { stateDirectory, source, durable, log }: LocalServerOptions,
  installation: Installation,
  account: Account | undefined,
): Promise<string> {
  const { majorVersion } = installation;
  const record = await readRecord(stateDirectory);
  const isSameServer = record?.server === source && record.major_version === majorVersion;
  if (record !== null && !isSameServer) {
    throw new StackError(
      `${stateDirectory} holds the data of another server ` +
        `(${record.server}, PostgreSQL ${record.major_version}): use --reset or another folder`,
    );
  }
  const isKept = record !== null && await hasCluster(record.data_directory);
  if (!isKept) await removeData(stateDirectory);
  const dataDirectory = isKept
    ? record.data_directory
    : await newDataDirectory(stateDirectory, source, majorVersion, account);
  // Written first: what a start that dies half way leaves can be found and removed.
  await writeRecord(stateDirectory, {
    data_directory: dataDirectory,
    server: source,
    major_version: majorVersion,
    owner_pid: process.pid,
  });
  if (isKept) return dataDirectory;
  if (!dataDirectory.startsWith(`${stateDirectory}/`)) {
    log(
      `the database keeps its data in ${dataDirectory}: its account cannot reach the state folder`,
    );
  }
  await Deno.remove(dataDirectory, { recursive: true }).catch(() => {
    // Nothing was there: initdb wants an empty folder.
  });
  await createCluster(installation, dataDirectory, account, durable);
  return dataDirectory;
}

/** How long a server may take to be gone after it was killed. */
const DYING_MS = 2_000;

/** Stops a server whose starter has died; refuses when the starter still lives. */
async function takeOver(stateDirectory: string, log: (line: string) => void): Promise<void> {
  const record = await readRecord(stateDirectory);
  if (record === null) return;
  const pid = await readServerPid(record.data_directory);
  if (pid === null || !isProcessAlive(pid)) return;
  if (!await isServerOf(pid, record.data_directory)) {
    // The number was given to another program since: the file is all that is left of the server.
    await Deno.remove(`${record.data_directory}/postmaster.pid`);
    return;
  }
  if (isProcessAlive(record.owner_pid)) {
    // A server that was killed just now is still there for a moment.
    if (await waitForProcessEnd(pid, DYING_MS)) return;
    throw new StackError(
      `The database of ${stateDirectory} is in use by process ${record.owner_pid}`,
    );
  }
  log(`stopping the database that process ${record.owner_pid} left behind`);
  signalProcess(pid, "SIGINT");
  if (await waitForProcessEnd(pid, 10_000)) return;
  signalProcess(pid, "SIGQUIT");
  if (await waitForProcessEnd(pid, 5_000)) return;
  throw new StackError(`The database process ${pid} of ${stateDirectory} does not stop`);
}

/** Tells whether `pid` is a server on `dataDirectory`, where the system lets us see. */
async function isServerOf(pid: number, dataDirectory: string): Promise<boolean> {
  if (Deno.build.os !== "linux") return true;
  const command = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  return command.split("\0").includes(dataDirectory);
}

async function hasCluster(dataDirectory: string): Promise<boolean> {
  // The key is the last file of a new cluster: without it, making it was cut short.
  return await Deno.stat(`${dataDirectory}/vault_getkey`).then(() => true, () => false);
}

/** Starts the server; waits for a dying predecessor and changes a free port that was snatched. */
async function startWithRetries(
  options: ServerOptions,
): Promise<{ process: ManagedProcess; port: number }> {
  for (let attempt = 1;; attempt += 1) {
    const port = options.port === 0 ? pickFreePort() : options.port;
    try {
      return { process: await startServer({ ...options, port }), port };
    } catch (cause) {
      if (!(cause instanceof ServerStartError) || attempt >= 20) throw cause;
      const canRetry = cause.reason === "still_stopping" ||
        (cause.reason === "port_in_use" && options.port === 0);
      if (!canRetry) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
