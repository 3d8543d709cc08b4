import type { JSONWebKeySet } from "jose";

/** Where a program may lie, and whether a file can be run. */
export interface BinarySearch {
  /** Value of `POSTGREST_BIN`, which wins. */
  readonly configured: string | undefined;
  /** Value of `PATH`. */
  readonly searchPath: string;
  readonly isExecutable: (path: string) => Promise<boolean>;
}

/** What a real PostgREST has to know. */
export interface PostgrestOptions {
  /** A connection as `authenticator`. */
  readonly databaseUrl: string;
  readonly port: number;
  readonly jwks: JSONWebKeySet;
}

/** How to start a program. */
export interface StartCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Finds a real PostgREST; `null` where there is none. A configured one that cannot be run throws. */
export async function findPostgrest(search: BinarySearch): Promise<string | null> {
  const { configured, searchPath, isExecutable } = search;
  if (configured !== undefined && configured !== "") {
    if (await isExecutable(configured)) return configured;
    throw new Error(`Cannot run POSTGREST_BIN as it must be a program: "${configured}"`);
  }
  for (const folder of searchPath.split(":").filter((part) => part.startsWith("/"))) {
    const path = `${folder}/postgrest`;
    if (await isExecutable(path)) return path;
  }
  return null;
}

/**
 * How to start it with the platform's settings. It understands JWTs only: whoever stands before it
 * has to replace an `sb_` key by a JWT with the key's role.
 * https://docs.postgrest.org/en/stable/references/configuration.html
 */
export function postgrestCommand(binary: string, options: PostgrestOptions): StartCommand {
  return {
    command: binary,
    args: [],
    env: {
      PGRST_DB_URI: options.databaseUrl,
      PGRST_DB_SCHEMAS: "public",
      PGRST_DB_EXTRA_SEARCH_PATH: "public,extensions",
      PGRST_DB_ANON_ROLE: "anon",
      PGRST_DB_MAX_ROWS: "1000",
      PGRST_DB_POOL: "10",
      PGRST_DB_POOL_ACQUISITION_TIMEOUT: "10",
      PGRST_JWT_SECRET: JSON.stringify(options.jwks),
      PGRST_LOG_LEVEL: "warn",
      PGRST_SERVER_HOST: "127.0.0.1",
      PGRST_SERVER_PORT: String(options.port),
    },
  };
}

/** Whether the file at `path` is a program this machine can run. */
export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    // A path that cannot be looked at cannot be run either.
    return false;
  }
}
