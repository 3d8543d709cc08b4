import { readFileSync } from "node:fs";
import { SyncError } from "../../errors.ts";
import type { ProviderSettings } from "../types.ts";
import { parseServiceAccount, type ServiceAccount } from "./service_account.ts";

/** Settings of the Google Drive provider. */
export interface GoogleDriveSettings extends ProviderSettings {
  readonly credentials: ServiceAccount;
}

const DEFAULT_API_URL = "https://www.googleapis.com";
const DEFAULT_TOKEN_URL = "https://oauth2.googleapis.com/token";
const CREDENTIALS = "CONNECTOR_GOOGLE_DRIVE_CREDENTIALS";
const CREDENTIALS_PATH = "CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH";

type ReadEnv = (name: string) => string | undefined;

function readUrl(env: ReadEnv, name: string, fallback: string): string {
  const value = env(name)?.trim() || fallback;
  const url = URL.parse(value);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
    url.password === "" && url.search === "" && url.hash === "";
  if (isPlain) return value.replace(/\/+$/, "");
  // The value is not shown: an address may carry a password.
  throw new SyncError(
    "setting_invalid",
    `Cannot read ${name} as it must be an http or https address without user, query or fragment`,
  );
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

function readCredentials(env: ReadEnv, readTextFile: (path: string) => string): ServiceAccount {
  const text = env(CREDENTIALS)?.trim();
  if (text) return parseServiceAccount(text, CREDENTIALS);
  const path = env(CREDENTIALS_PATH)?.trim();
  if (path) return parseServiceAccount(readCredentialsFile(path, readTextFile), CREDENTIALS_PATH);
  throw new SyncError(
    "setting_invalid",
    `Cannot reach Google Drive as ${CREDENTIALS} must hold the JSON key of a service account ` +
      "(locally, " + CREDENTIALS_PATH + " may name its file): current value is empty",
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
  return {
    apiUrl: readUrl(env, "CONNECTOR_GOOGLE_API_URL", DEFAULT_API_URL),
    tokenUrl: readUrl(env, "CONNECTOR_GOOGLE_TOKEN_URL", DEFAULT_TOKEN_URL),
    credentials: readCredentials(env, readTextFile),
  };
}
