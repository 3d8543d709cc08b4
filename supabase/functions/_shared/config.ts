/**
 * The settings of each function, read from its environment once and parsed in full: a missing or
 * malformed setting throws `setting_invalid` with one line that names it, and never shows its value.
 */
import { z } from "zod";
import { SyncError } from "./errors.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";
import { Secret } from "./secret.ts";
import { isLoopback, parseRedirectRules, type RedirectRule } from "./config_redirects.ts";
import { parseTokenKeys, type TokenKeys } from "./config_token_keys.ts";

export type { TokenKeys };

/** Reads one environment variable. */
export type Env = (name: string) => string | undefined;

/** A JSON Web Key Set, or the place to fetch it from. */
export type KeySet = { keys: Record<string, unknown>[] } | URL;

/** What every function needs. */
export interface CommonSettings {
  /** Base URL of the project's API, without a trailing slash. */
  readonly supabaseUrl: string;
  /** Every secret key by name; the legacy service-role key is called `service_role`. */
  readonly secretKeys: ReadonlyMap<string, Secret>;
  /** The key named `default`, else the first one. */
  readonly secretKey: Secret;
  /** What this deployment is called in the logs; `null` where it was given no name. */
  readonly environment: string | null;
  readonly logLevel: LogLevel;
}

/** Settings of the dispatcher. */
export interface DispatcherSettings extends CommonSettings {
  readonly dispatchToken: Secret;
  readonly maxConcurrentSyncs: number;
}

/** Settings of a sync function; the provider reads its own besides. */
export interface SyncSettings extends DispatcherSettings {
  readonly tokenKeys: TokenKeys;
  /** Where browsers reach the project, without a trailing slash. */
  readonly publicUrl: string;
}

/** Settings of the health function. */
export type HealthSettings = CommonSettings;

/** Settings of the status function. */
export interface StatusSettings extends CommonSettings {
  readonly publishableKey: string;
  readonly keySet: KeySet;
}

/** Settings of the oauth function; the providers read their own besides. */
export interface OAuthSettings extends CommonSettings {
  readonly keySet: KeySet;
  readonly tokenKeys: TokenKeys;
  /** Where browsers and providers reach the project, without a trailing slash. */
  readonly publicUrl: string;
  /** Where a browser may be sent after a consent. */
  readonly redirectRules: readonly RedirectRule[];
}

/** How callers are told apart, as far as these settings can be read. */
export interface ReadableCallers {
  readonly settings: Pick<CommonSettings, "supabaseUrl" | "secretKeys"> & {
    readonly dispatchToken?: Secret;
    readonly keySet?: KeySet;
  };
  /** The types of callers that cannot be checked, as their setting is missing or malformed. */
  readonly unknown: ReadonlySet<"dispatch" | "secret" | "user">;
}

const DEFAULT_MAX_CONCURRENT_SYNCS = 10;
const HIGHEST_MAX_CONCURRENT_SYNCS = 1_000;
const SHORTEST_DISPATCH_TOKEN = 32;

const KeysByName = z.record(z.string(), z.string().min(1));
const KeySetSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

/** Reads the dispatcher's settings. */
export function readDispatcherSettings(env: Env): DispatcherSettings {
  return {
    ...readCommonSettings(env),
    dispatchToken: readDispatchToken(env),
    maxConcurrentSyncs: readMaxConcurrentSyncs(env),
  };
}

/** Reads the settings that every sync function shares. */
export function readSyncSettings(env: Env): SyncSettings {
  const dispatcher = readDispatcherSettings(env);
  return {
    ...dispatcher,
    tokenKeys: readTokenKeys(env),
    publicUrl: readPublicUrl(env, dispatcher.supabaseUrl),
  };
}

/** Reads the health function's settings. */
export function readHealthSettings(env: Env): HealthSettings {
  return readCommonSettings(env);
}

/** Reads the status function's settings. */
export function readStatusSettings(env: Env): StatusSettings {
  const common = readCommonSettings(env);
  return {
    ...common,
    publishableKey: readPublishableKey(env),
    keySet: readKeySet(env, common.supabaseUrl),
  };
}

/** Reads the oauth function's settings. */
export function readOAuthSettings(env: Env): OAuthSettings {
  const common = readCommonSettings(env);
  const redirects = "CONNECTOR_OAUTH_REDIRECT_URLS";
  return {
    ...common,
    keySet: readKeySet(env, common.supabaseUrl),
    tokenKeys: readTokenKeys(env),
    publicUrl: readPublicUrl(env, common.supabaseUrl),
    redirectRules: parseRedirectRules(redirects, optional(env, redirects) ?? ""),
  };
}

/** Reads what callers are checked against; what is wrong with the other settings is no matter here. */
export function readCallerSettings(env: Env): ReadableCallers {
  const supabaseUrl = orNull(() => readUrl(env, "SUPABASE_URL")) ?? "";
  const secretKeys = orNull(() => readSecretKeys(env)) ?? new Map<string, Secret>();
  const dispatchToken = orNull(() => readDispatchToken(env));
  const keySet = orNull(() => readKeySet(env, supabaseUrl));
  const unknown = new Set<"dispatch" | "secret" | "user">();
  if (secretKeys.size === 0) unknown.add("secret");
  if (dispatchToken === null) unknown.add("dispatch");
  if (keySet === null) unknown.add("user");
  return {
    settings: {
      supabaseUrl,
      secretKeys,
      ...(dispatchToken === null ? {} : { dispatchToken }),
      ...(keySet === null ? {} : { keySet }),
    },
    unknown,
  };
}

/** Reads only how much to log, so that a broken setting can still be reported. */
export function readLogLevel(env: Env): LogLevel {
  const name = "CONNECTOR_LOG_LEVEL";
  const value = optional(env, name) ?? "info";
  const level = LOG_LEVELS.find((candidate) => candidate === value);
  if (level !== undefined) return level;
  throw invalid(name, `must be one of ${LOG_LEVELS.join(", ")}: current value is "${value}"`);
}

/** Reads what this deployment is called in the logs. */
export function readEnvironmentName(env: Env): string | null {
  return optional(env, "CONNECTOR_ENVIRONMENT") ?? null;
}

/** Says which setting is wrong and what it must be. */
export function invalid(name: string, rule: string, options?: ErrorOptions): SyncError {
  return new SyncError("setting_invalid", `The setting ${name} ${rule}`, options);
}

function orNull<Setting>(read: () => Setting): Setting | null {
  try {
    return read();
  } catch {
    // Reading all settings of the function has reported, or will report, what is wrong with it.
    return null;
  }
}

function readCommonSettings(env: Env): CommonSettings {
  const secretKeys = readSecretKeys(env);
  return {
    supabaseUrl: readUrl(env, "SUPABASE_URL"),
    secretKeys,
    secretKey: pickDefault("SUPABASE_SECRET_KEYS", secretKeys),
    environment: readEnvironmentName(env),
    logLevel: readLogLevel(env),
  };
}

function readSecretKeys(env: Env): Map<string, Secret> {
  const keys = new Map<string, Secret>();
  for (const [name, key] of readKeys(env, "SUPABASE_SECRET_KEYS")) keys.set(name, new Secret(key));
  const legacy = optional(env, "SUPABASE_SERVICE_ROLE_KEY");
  if (legacy !== undefined && !keys.has("service_role")) {
    keys.set("service_role", new Secret(legacy));
  }
  return keys;
}

function readPublishableKey(env: Env): string {
  const keys = new Map(readKeys(env, "SUPABASE_PUBLISHABLE_KEYS"));
  const legacy = optional(env, "SUPABASE_ANON_KEY");
  if (legacy !== undefined && !keys.has("anon")) keys.set("anon", legacy);
  return pickDefault("SUPABASE_PUBLISHABLE_KEYS", keys);
}

function readKeys(env: Env, name: string): [string, string][] {
  const text = optional(env, name);
  if (text === undefined) return [];
  const keys = KeysByName.safeParse(parseJson(name, text));
  if (keys.success) return Object.entries(keys.data);
  throw invalid(name, 'must be a JSON object of keys by name, such as {"default":"sb_…"}');
}

function pickDefault<Key>(name: string, keys: ReadonlyMap<string, Key>): Key {
  const [first] = keys.values();
  const key = keys.get("default") ?? first;
  if (key !== undefined) return key;
  throw invalid(name, "is missing: it must be a JSON object that holds at least one key");
}

function readKeySet(env: Env, supabaseUrl: string): KeySet {
  const name = "SUPABASE_JWKS";
  const text = optional(env, name);
  if (text === undefined) return remoteKeySet(name, supabaseUrl);
  const keySet = KeySetSchema.safeParse(parseJson(name, text));
  if (keySet.success) return keySet.data;
  throw invalid(name, 'must be a JSON Web Key Set, such as {"keys":[…]}');
}

function remoteKeySet(name: string, supabaseUrl: string): URL {
  const url = new URL(`${supabaseUrl}/auth/v1/.well-known/jwks.json`);
  // Whoever can answer for a plain-text address could hand us their own signing keys.
  if (url.protocol === "https:" || isLoopback(url.hostname)) return url;
  throw invalid(name, "is missing, and SUPABASE_URL is no https address to fetch it from");
}

function readDispatchToken(env: Env): Secret {
  const name = "CONNECTOR_DISPATCH_TOKEN";
  const token = required(env, name);
  if (token.length >= SHORTEST_DISPATCH_TOKEN) return new Secret(token);
  throw invalid(name, `must have at least ${SHORTEST_DISPATCH_TOKEN} characters`);
}

function readTokenKeys(env: Env): TokenKeys {
  const name = "CONNECTOR_TOKEN_KEYS";
  return parseTokenKeys(name, required(env, name));
}

function readPublicUrl(env: Env, supabaseUrl: string): string {
  const name = "CONNECTOR_PUBLIC_URL";
  return optional(env, name) === undefined ? supabaseUrl : readUrl(env, name);
}

function readMaxConcurrentSyncs(env: Env): number {
  const name = "CONNECTOR_MAX_CONCURRENT_SYNCS";
  const text = optional(env, name);
  if (text === undefined) return DEFAULT_MAX_CONCURRENT_SYNCS;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= HIGHEST_MAX_CONCURRENT_SYNCS) return count;
  throw invalid(
    name,
    `must be a whole number from 1 to ${HIGHEST_MAX_CONCURRENT_SYNCS}: current value is "${text}"`,
  );
}

function readUrl(env: Env, name: string): string {
  const url = URL.parse(required(env, name));
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, "");
  throw invalid(name, "must be an http or https address");
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and the text is a secret: it goes no further.
    throw invalid(name, "must be JSON: it cannot be parsed");
  }
}

function optional(env: Env, name: string): string | undefined {
  const value = env(name)?.trim();
  return value === undefined || value === "" ? undefined : value;
}

function required(env: Env, name: string): string {
  const value = optional(env, name);
  if (value !== undefined) return value;
  const source = name.startsWith("SUPABASE_")
    ? "the platform that runs the functions provides it"
    : "set it as a secret of the project's functions";
  throw invalid(name, `is missing: ${source}`);
}
