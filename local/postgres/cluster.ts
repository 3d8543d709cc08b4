/** Making a new database cluster. */

import { StackError } from "../failure.ts";
import { lastLines, runCommand } from "../processes.ts";
import type { Account } from "./account.ts";
import type { Installation } from "./installation.ts";

/** The superuser of the cluster, and the password of every role that can log in: local only. */
export const SUPERUSER = "supabase_admin";
/** The password of the roles, as in the Supabase CLI's local stack. */
export const PASSWORD = "postgres";

/** Environment of the server's programs: nothing of ours, PG* variables least of all. */
export const SERVER_ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/bin:/bin", TZ: "UTC" } as const;

/** Fills an empty or missing `dataDirectory` with a new cluster owned by `account`. */
export async function createCluster(
  installation: Installation,
  dataDirectory: string,
  account: Account | undefined,
  durable: boolean,
): Promise<void> {
  await Deno.mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const passwordFile = `${dataDirectory}.password`;
  await Deno.writeTextFile(passwordFile, PASSWORD, { mode: 0o600 });
  try {
    await handOver(dataDirectory, account);
    await handOver(passwordFile, account);
    const { code, output } = await runCommand({
      command: `${installation.binDirectory}/initdb`,
      args: initdbArguments(installation, dataDirectory, passwordFile, durable),
      cwd: "/",
      env: SERVER_ENVIRONMENT,
      clearEnv: true,
      ...account,
    });
    if (code !== 0) {
      throw new StackError(`Cannot create a database: ${lastLines(output, 3).join(" ")}`);
    }
  } finally {
    await Deno.remove(passwordFile);
  }
  await writeVaultKey(dataDirectory, account);
}

function initdbArguments(
  { majorVersion }: Installation,
  dataDirectory: string,
  passwordFile: string,
  durable: boolean,
): string[] {
  return [
    `--pgdata=${dataDirectory}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // Unicode letters have case in every locale of this machine; 17 brings its own.
    ...(majorVersion >= 17
      ? ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
      : ["--locale=C.UTF-8"]),
    ...(durable ? [] : ["--no-sync"]),
  ];
}

/** The root key of the Vault, one for each cluster, readable by the server alone. */
async function writeVaultKey(dataDirectory: string, account: Account | undefined): Promise<void> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const key = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const path = `${dataDirectory}/vault.key`;
  await Deno.writeTextFile(path, key, { mode: 0o600 });
  await handOver(path, account);
  // The real Vault asks a program for its key.
  const program = `${dataDirectory}/vault_getkey`;
  await Deno.writeTextFile(program, `#!/bin/sh\ncat '${path}'\n`, { mode: 0o700 });
  await handOver(program, account);
}

async function handOver(path: string, account: Account | undefined): Promise<void> {
  if (account !== undefined) await Deno.chown(path, account.uid, account.gid);
}
