/** Where the commands find CONNECTOR_TOKEN_KEYS. */
import { join } from "node:path";
import { parseEnv } from "node:util";
import { oneLine, StackError } from "../local/failure.ts";
import { loadKeys } from "../local/keys.ts";
import { readStackFile } from "../local/stack_file.ts";
import { parseTokenKeys, type TokenKeys } from "../supabase/functions/_shared/config_token_keys.ts";
import { SyncError } from "../supabase/functions/_shared/errors.ts";

/** The name of the setting. */
export const TOKEN_KEYS = "CONNECTOR_TOKEN_KEYS";

/** Where to look. */
export interface TokenKeysSources {
  readonly env: (name: string) => string | undefined;
  readonly root: string;
  /** Where the local stack keeps its state; absent: its own keys are not meant. */
  readonly stateDir?: string;
}

/** The setting as it is written, and where. */
export interface FoundTokenKeys {
  readonly text: string;
  readonly source: string;
}

/** Finds the setting in the environment, a file, or the stack that runs on this machine. */
export async function findTokenKeys(
  { env, root, stateDir }: TokenKeysSources,
): Promise<FoundTokenKeys | null> {
  const own = env(TOKEN_KEYS)?.trim();
  if (own) return { text: own, source: "the environment" };
  for (const file of [".env", "supabase/functions/.env"]) {
    const text = await readFrom(join(root, file));
    if (text) return { text, source: file };
  }
  if (stateDir === undefined || await readStackFile(stateDir) === null) return null;
  const { tokenKeys } = await loadKeys(stateDir);
  return { text: JSON.stringify(tokenKeys), source: "the local stack" };
}

async function readFrom(path: string): Promise<string | undefined> {
  try {
    return parseEnv(await Deno.readTextFile(path))[TOKEN_KEYS]?.trim();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new StackError(`Cannot read "${path}": ${oneLine(cause)}`, { cause });
  }
}

/** Parses the setting; what is wrong with it is for the person at the terminal. */
export function parseKeys(text: string, source: string): TokenKeys {
  try {
    return parseTokenKeys(TOKEN_KEYS, text);
  } catch (cause) {
    if (!(cause instanceof SyncError)) throw cause;
    throw new StackError(`${cause.message} (in ${source})`, { cause });
  }
}
