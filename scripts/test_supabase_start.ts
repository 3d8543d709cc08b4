/**
 * Boots the Supabase CLI's own local stack (it needs Docker) against an emulated Google Drive, and
 * runs the end-to-end test on it.
 */
import { join } from "node:path";
import { runCommandLine } from "../local/command.ts";
import { startGoogleDemo } from "../local/demo/google.ts";
import { StackError } from "../local/failure.ts";
import { makeKeys } from "../local/keys.ts";
import { repositoryRoot } from "../local/paths.ts";
import { SUPABASE_CLI } from "../local/supabase_cli.ts";
import { fillServedFolder } from "../tests/e2e/chain.ts";
import { runVisibly } from "./steps.ts";

const API_URL = "http://127.0.0.1:54321";
const DB_URL = "postgresql://postgres:postgres@127.0.0.1:54322/postgres";
/** The gateway as the database's container reaches it. */
const FUNCTIONS_URL = "http://kong:8000/functions/v1";
/** The bridge of Docker: this machine, as containers see it on Linux. */
const HOST_OF_CONTAINERS = "172.17.0.1";

async function main(): Promise<number> {
  await using parts = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "e2e_served_" });
  parts.defer(() => Deno.remove(folder, { recursive: true }));
  await fillServedFolder(folder);
  const google = await startGoogleDemo(
    { type: "folder", path: folder },
    { hostname: "0.0.0.0", publicHost: HOST_OF_CONTAINERS },
  );
  parts.defer(google.stop);

  const keys = await makeKeys();
  const envFile = join(repositoryRoot(), "supabase", "functions", ".env");
  await writeNew(envFile, {
    ...google.settings,
    CONNECTOR_ENVIRONMENT: "local",
    CONNECTOR_TOKEN_KEYS: JSON.stringify(keys.tokenKeys),
    CONNECTOR_DISPATCH_TOKEN: keys.dispatchToken,
  });
  parts.defer(() => Deno.remove(envFile));

  const cli = (...args: string[]) =>
    runVisibly("npx", ["--yes", SUPABASE_CLI, ...args], {
      CONNECTOR_FUNCTIONS_URL: FUNCTIONS_URL,
      CONNECTOR_DISPATCH_TOKEN: keys.dispatchToken,
    });
  parts.defer(async () => void await cli("stop", "--no-backup"));
  if (!await cli("start")) throw new StackError("supabase start failed");
  const isPassed = await runVisibly(
    Deno.execPath(),
    ["test", "-A", "tests/e2e/supabase_start.ts"],
    {
      CONNECTOR_E2E_URL: API_URL,
      CONNECTOR_E2E_DB_URL: DB_URL,
      CONNECTOR_E2E_FOLDER: folder,
      CONNECTOR_E2E_FOLDER_ID: google.folderId,
    },
  );
  return isPassed ? 0 : 1;
}

/** Writes the functions' settings, but never over those of a person. */
async function writeNew(path: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'`);
  try {
    await Deno.writeTextFile(path, `${lines.join("\n")}\n`, { createNew: true, mode: 0o600 });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
    throw new StackError(`Cannot write "${path}" as it exists: move it away first`, { cause });
  }
}

await runCommandLine(main);
