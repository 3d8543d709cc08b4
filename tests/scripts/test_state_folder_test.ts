import assert from "node:assert/strict";
import { removeForsaken } from "../../scripts/test_state_folder.ts";

async function leave(
  parent: string,
  name: string,
  ownerPid: number | null,
): Promise<void> {
  await Deno.mkdir(`${parent}/${name}/data`, { recursive: true });
  if (ownerPid === null) return;
  const record = {
    data_directory: `${parent}/${name}/data`,
    server: "embedded",
    major_version: 17,
    owner_pid: ownerPid,
  };
  await Deno.writeTextFile(
    `${parent}/${name}/database.json`,
    JSON.stringify(record),
  );
}

/** The id of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = new Deno.Command("true").spawn();
  await child.status;
  return child.pid;
}

Deno.test("removeForsaken() removes the data of runs that were killed, and nothing that is in use", async () => {
  const parent = await Deno.makeTempDir();
  try {
    const ended = await endedPid();
    await leave(parent, "file_connector_test_killed", ended);
    await leave(parent, "file_connector_test_running", Deno.pid);
    await leave(parent, "file_connector_test_new", null);
    await leave(parent, "file_connector_test_orphan", ended);
    const pidFile = `${parent}/file_connector_test_orphan/data/postmaster.pid`;
    await Deno.writeTextFile(pidFile, `${Deno.pid}\n`);
    await leave(parent, "of_someone_else", ended);
    await removeForsaken(parent);
    const left = (await Array.fromAsync(Deno.readDir(parent))).map(({ name }) => name).sort();
    assert.deepEqual(left, [
      "file_connector_test_new",
      "file_connector_test_orphan",
      "file_connector_test_running",
      "of_someone_else",
    ]);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
