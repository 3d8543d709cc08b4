import { join } from "node:path";
import { parseEnv } from "node:util";
import { StackError } from "../failure.ts";
import type { StackKeys } from "../keys.ts";

/** Settings of the commands themselves, which no function has a use for. */
const TOOL_SETTINGS = [
  "CONNECTOR_E2E_",
  "CONNECTOR_FUNCTIONS_DENO",
  "CONNECTOR_TEST_",
] as const;

/** Where the development servers of web applications listen: people are sent back there. */
const LOCAL_APPLICATIONS = [3000, 5173, 8080].flatMap((port) => [
  `http://localhost:${port}`,
  `http://127.0.0.1:${port}`,
]);

/** The `CONNECTOR_…` settings, by name. */
export type Settings = Readonly<Record<string, string>>;

/** What {@linkcode functionEnvironment} is made of. */
export interface EnvironmentInput {
  readonly slug: string;
  readonly apiUrl: string;
  /** A direct connection, as the platform gives it. */
  readonly dbUrl: string;
  readonly keys: StackKeys;
  readonly settings: Settings;
}

function ours(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (!name.startsWith("CONNECTOR_") || value === undefined) continue;
    if (TOOL_SETTINGS.some((tool) => name.startsWith(tool))) continue;
    found[name] = value;
  }
  return found;
}

async function readEnvFile(path: string): Promise<Record<string, string | undefined>> {
  try {
    return { ...parseEnv(await Deno.readTextFile(path)) };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return {};
    throw new StackError(`Cannot read "${path}": ${String(cause)}`, { cause });
  }
}

/**
 * Reads the settings a person gave: those of `supabase/functions/.env`, overridden by those of the
 * environment.
 */
export async function readSettings(
  root: string,
  environment: Readonly<Record<string, string>> = Deno.env.toObject(),
): Promise<Settings> {
  const file = await readEnvFile(join(root, "supabase", "functions", ".env"));
  return { ...ours(file), ...ours(environment) };
}

/** Returns the settings a stack gives its functions where a person gave none. */
export function defaultSettings(keys: StackKeys, apiUrl: string): Settings {
  return {
    CONNECTOR_ENVIRONMENT: "local",
    CONNECTOR_TOKEN_KEYS: JSON.stringify(keys.tokenKeys),
    CONNECTOR_DISPATCH_TOKEN: keys.dispatchToken,
    CONNECTOR_PUBLIC_URL: apiUrl,
    CONNECTOR_OAUTH_REDIRECT_URLS: LOCAL_APPLICATIONS.join(","),
  };
}

/** Returns the whole environment of one function: what the platform injects, and the settings. */
export function functionEnvironment(input: EnvironmentInput): Record<string, string> {
  return {
    ...input.settings,
    SUPABASE_URL: input.apiUrl,
    SUPABASE_DB_URL: input.dbUrl,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: input.keys.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: input.keys.secretKey }),
    SUPABASE_JWKS: JSON.stringify(input.keys.jwks),
    SUPABASE_FUNCTION_SLUG: input.slug,
    SB_EXECUTION_ID: crypto.randomUUID(),
  };
}
