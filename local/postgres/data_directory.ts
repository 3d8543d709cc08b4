/** Where a server's data lies, and what the state directory remembers about it. */

import { z } from "zod";
import { isProcessAlive } from "../processes.ts";
import { type Account, canReach } from "./account.ts";
import { sharedDirectory } from "./directories.ts";
import type { ServerSource } from "./installation.ts";

/** The record `database.json` of a state directory. */
const DatabaseRecord = z.object({
  data_directory: z.string(),
  server: z.enum(["embedded", "system"]),
  major_version: z.number(),
  /** The process that started the server and looks after it. */
  owner_pid: z.number(),
});

/** What {@linkcode DatabaseRecord} holds. */
export type DatabaseRecord = z.infer<typeof DatabaseRecord>;

const MOVED_PREFIX = "file-connector-data-";
const BACK_REFERENCE = "state_directory";

/** Returns the record of `stateDirectory`, or null when no server was ever started there. */
export async function readRecord(stateDirectory: string): Promise<DatabaseRecord | null> {
  try {
    const text = await Deno.readTextFile(`${stateDirectory}/database.json`);
    return DatabaseRecord.parse(JSON.parse(text));
  } catch (cause) {
    // A first start.
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  }
}

/** Writes the record of `stateDirectory`. */
export async function writeRecord(stateDirectory: string, record: DatabaseRecord): Promise<void> {
  const path = `${stateDirectory}/database.json`;
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(record, null, 2) + "\n");
  await Deno.rename(`${path}.new`, path);
}

/** Removes the data and the record of it. */
export async function removeData(stateDirectory: string): Promise<void> {
  const record = await readRecord(stateDirectory);
  if (record === null) return;
  const isMoved = record.data_directory.split("/").at(-2)?.startsWith(MOVED_PREFIX) ?? false;
  const path = isMoved ? parentOf(record.data_directory) : record.data_directory;
  await removeIfPresent(path);
  await removeIfPresent(`${stateDirectory}/database.json`);
}

/**
 * Returns the folder for new data: inside the state directory, or, when the account of the server
 * cannot walk there (a home of root is closed), in a folder of its own that everyone can reach.
 */
export async function newDataDirectory(
  stateDirectory: string,
  source: ServerSource,
  majorVersion: number,
  account: Account | undefined,
): Promise<string> {
  const name = `postgres-${source}-${majorVersion}`;
  const inside = `${stateDirectory}/${name}`;
  if (account === undefined || await canReach(inside, account)) return inside;
  await removeForsakenData();
  const parent = await Deno.makeTempDir({ dir: await sharedDirectory(), prefix: MOVED_PREFIX });
  await Deno.chmod(parent, 0o711);
  await Deno.writeTextFile(`${parent}/${BACK_REFERENCE}`, stateDirectory);
  return `${parent}/${name}`;
}

/** Removes moved data whose state directory is gone: nothing leads to it any more. */
async function removeForsakenData(): Promise<void> {
  const shared = await sharedDirectory();
  for await (const entry of Deno.readDir(shared)) {
    if (!entry.isDirectory || !entry.name.startsWith(MOVED_PREFIX)) continue;
    const path = `${shared}/${entry.name}`;
    const home = await Deno.readTextFile(`${path}/${BACK_REFERENCE}`).catch(() => null);
    // Without a back reference it is another's, or one that is just being made.
    if (home === null || await exists(home) || await hasServer(path)) continue;
    await removeIfPresent(path);
  }
}

async function hasServer(parent: string): Promise<boolean> {
  for await (const entry of Deno.readDir(parent)) {
    if (!entry.isDirectory) continue;
    const pid = await readServerPid(`${parent}/${entry.name}`);
    if (pid !== null && isProcessAlive(pid)) return true;
  }
  return false;
}

/** Returns the process id a server left in its data directory; it may be long gone. */
export async function readServerPid(dataDirectory: string): Promise<number | null> {
  try {
    const text = await Deno.readTextFile(`${dataDirectory}/postmaster.pid`);
    const pid = Number.parseInt(text);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch (cause) {
    // A server that was shut down left none.
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function removeIfPresent(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((cause) => {
    // Someone else has removed it: that was the aim.
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  });
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
