import { statfs } from "node:fs/promises";
import { readRecord, readServerPid } from "../local/postgres/data_directory.ts";
import { isProcessAlive } from "../local/processes.ts";

const PREFIX = "file_connector_test_";

/** A file system in memory, as Linux has one. */
const MEMORY = "/dev/shm";

/** Several times what a whole run of tests leaves in a database, its log included. */
const ROOM_BYTES = 4 * 1024 ** 3;

/**
 * Makes the folder for a test database, in memory where there is room: nearly every test begins with
 * empty tables, and emptying one makes new files, which takes a multiple of the time on a disk.
 */
export async function makeStateFolder(): Promise<string> {
  if (!await hasRoomInMemory()) {
    return await Deno.makeTempDir({ prefix: PREFIX });
  }
  await removeForsaken(MEMORY);
  const folder = await Deno.makeTempDir({ dir: MEMORY, prefix: PREFIX });
  // The database's own account has to reach its data.
  await Deno.chmod(folder, 0o711);
  return folder;
}

/** Removes what test runs left below `parent` that were killed before they could do it. */
export async function removeForsaken(parent: string): Promise<void> {
  for await (const { name } of Deno.readDir(parent)) {
    const folder = `${parent}/${name}`;
    if (name.startsWith(PREFIX) && await isForsaken(folder)) {
      // Another run may be removing it as well.
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  }
}

/** Tells whether a database was started here of which nothing runs any more. */
async function isForsaken(folder: string): Promise<boolean> {
  // Another account's is none of ours.
  const record = await readRecord(folder).catch(() => null);
  if (record === null || isProcessAlive(record.owner_pid)) return false;
  const server = await readServerPid(record.data_directory);
  return server === null || !isProcessAlive(server);
}

async function hasRoomInMemory(): Promise<boolean> {
  // A machine without it has its disk.
  const free = await statfs(MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return Math.min(free, Deno.systemMemoryInfo().available) >= ROOM_BYTES;
}
