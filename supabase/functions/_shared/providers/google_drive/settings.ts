import { readFileSync } from "node:fs";
import { z } from "zod";
import { SyncError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import type { ProviderSettings } from "../types.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  CREDENTIALS,
  Credentials,
  type OAuthClient,
  SERVICE_ACCOUNTS,
} from "./credentials.ts";
import { IMPERSONATE, parseImpersonation } from "./impersonation.ts";
import { parseJson, parseServiceAccount, type ServiceAccount } from "./service_account.ts";

/** Settings of the Google Drive provider. */
export interface GoogleDriveSettings extends ProviderSettings {
  readonly credentials: Credentials;
}

const DEFAULT_API_URL = "https://www.googleapis.com";
const DEFAULT_TOKEN_URL = "https://oauth2.googleapis.com/token";
const DEFAULT_AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth";
const CREDENTIALS_PATH = "CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH";

type ReadEnv = (name: string) => string | undefined;

// Visible characters of ASCII: what else a copy brings along is not part of either.
const visible = /^[!-~]+$/;
const accountName = z.string().regex(/^[A-Za-z0-9._-]{1,100}$/);
const accountsByName = z.record(accountName, z.union([z.string(), z.looseObject({})]));

function invalid(name: string, rule: string): SyncError {
  // The value is never shown: it is a secret, or may hold one.
  return new SyncError("setting_invalid", `Cannot read ${name} as it must ${rule}`);
}

function readUrl(env: ReadEnv, name: string, fallback: string): string {
  const value = env(name)?.trim() || fallback;
  const url = URL.parse(value);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
    url.password === "" && url.search === "" && url.hash === "";
  if (isPlain) return value.replace(/\/+$/, "");
  throw invalid(name, "be an http or https address without user, query or fragment");
}

function readCredentialsFile(path: string, readTextFile: (path: string) => string): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    throw new SyncError(
      "setting_invalid",
      `Cannot read ${CREDENTIALS_PATH} as it must name a readable file; ` +
        `deployed functions have no such file, so set ${CREDENTIALS} there`,
      { cause },
    );
  }
}

function readDefaultAccount(
  env: ReadEnv,
  readTextFile: (path: string) => string,
): ServiceAccount | null {
  const text = env(CREDENTIALS)?.trim();
  if (text) return parseServiceAccount(text, CREDENTIALS);
  const path = env(CREDENTIALS_PATH)?.trim();
  if (!path) return null;
  return parseServiceAccount(readCredentialsFile(path, readTextFile), CREDENTIALS_PATH);
}

function readNamedAccounts(env: ReadEnv): ReadonlyMap<string, ServiceAccount> {
  const text = env(SERVICE_ACCOUNTS)?.trim();
  if (!text) return new Map();
  const result = accountsByName.safeParse(parseJson(text));
  if (!result.success) {
    throw invalid(
      SERVICE_ACCOUNTS,
      'be a JSON object of service accounts\' keys by name, as {"<name>":{…}}; names have 1 to ' +
        "100 letters, digits, dots, hyphens and underscores",
    );
  }
  const accounts = new Map<string, ServiceAccount>();
  for (const [name, key] of Object.entries(result.data)) {
    accounts.set(name, parseServiceAccount(key, `the entry "${name}" of ${SERVICE_ACCOUNTS}`));
  }
  return accounts;
}

function readClient(env: ReadEnv): OAuthClient | null {
  const clientId = env(CLIENT_ID)?.trim() ?? "";
  const secret = env(CLIENT_SECRET)?.trim() ?? "";
  if (clientId === "" && secret === "") return null;
  if (!visible.test(clientId)) {
    throw invalid(CLIENT_ID, `be the client id that belongs to ${CLIENT_SECRET}`);
  }
  if (!visible.test(secret)) {
    throw invalid(CLIENT_SECRET, `be the client secret that belongs to ${CLIENT_ID}`);
  }
  return { clientId, clientSecret: new Secret(secret) };
}

function nothingConfigured(): SyncError {
  return new SyncError(
    "setting_invalid",
    `Cannot reach Google Drive as ${CREDENTIALS} must hold the JSON key of a service account ` +
      `(locally, ${CREDENTIALS_PATH} may name its file), or ${CLIENT_ID} and ${CLIENT_SECRET} an ` +
      "OAuth client with which people connect their accounts: current value is empty",
  );
}

/**
 * Reads the provider's settings from the environment.
 *
 * The contract hands over nothing but the environment, and a path is only of use with the file
 * behind it; so reading it is the second argument, with the real file system as the default. It is
 * called only where the path is set, which is on developers' machines. Reading is synchronous
 * because it happens once, when a function starts.
 */
export function parseSettings(
  env: ReadEnv,
  readTextFile: (path: string) => string = (path) => readFileSync(path, "utf8"),
): GoogleDriveSettings {
  const accounts = readNamedAccounts(env);
  const [only, ...others] = accounts.values();
  const defaultAccount = readDefaultAccount(env, readTextFile) ??
    (only !== undefined && others.length === 0 ? only : null);
  const client = readClient(env);
  if (defaultAccount === null && accounts.size === 0 && client === null) throw nothingConfigured();
  return {
    apiUrl: readUrl(env, "CONNECTOR_GOOGLE_API_URL", DEFAULT_API_URL),
    tokenUrl: readUrl(env, "CONNECTOR_GOOGLE_TOKEN_URL", DEFAULT_TOKEN_URL),
    credentials: new Credentials({
      accounts,
      defaultAccount,
      client,
      authorizeUrl: readUrl(env, "CONNECTOR_GOOGLE_AUTH_URL", DEFAULT_AUTHORIZE_URL),
      impersonation: parseImpersonation(env(IMPERSONATE)),
    }),
  };
}
