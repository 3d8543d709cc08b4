import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { ProviderSettings } from "../types.ts";
import { Applications } from "./applications.ts";

/** Settings of the Autodesk Construction Cloud provider. */
export interface AutodeskSettings extends ProviderSettings {
  readonly credentials: Applications;
}

const DEFAULT_API_URL = "https://developer.api.autodesk.com";
const API_URL = "CONNECTOR_AUTODESK_API_URL";
/** The default application. */
export const CLIENT_ID = "CONNECTOR_AUTODESK_CLIENT_ID";
/** Its secret. */
export const CLIENT_SECRET = "CONNECTOR_AUTODESK_CLIENT_SECRET";
/** Any number of further applications. */
export const CLIENTS = "CONNECTOR_AUTODESK_CLIENTS";

type ReadEnv = (name: string) => string | undefined;

// Both go into a header, client id and secret parted by a colon.
const clientId = z.string().regex(/^[!-9;-~]+$/);
const secret = z.string().regex(/^[!-~]+$/);
const clients = z.record(clientId, secret);

function invalid(name: string, rule: string): SyncError {
  // The value is never shown: it is a secret, or may hold one.
  return new SyncError("setting_invalid", `Cannot read ${name} as it must ${rule}`);
}

function readApiUrl(env: ReadEnv): string {
  const value = env(API_URL)?.trim() || DEFAULT_API_URL;
  const url = URL.parse(value);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
    url.password === "" && url.search === "" && url.hash === "";
  if (isPlain) return value.replace(/\/+$/, "");
  throw invalid(API_URL, "be an http or https address without user, query or fragment");
}

function readClients(env: ReadEnv): Map<string, string> {
  const text = env(CLIENTS)?.trim();
  if (!text) return new Map();
  const result = clients.safeParse(parseJson(text));
  if (result.success) return new Map(Object.entries(result.data));
  throw invalid(CLIENTS, 'be a JSON object of client secrets by client id, as {"<id>":"<secret>"}');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds secrets; the schema refuses `null`.
    return null;
  }
}

function readDefault(env: ReadEnv): readonly [string, string] | null {
  const id = env(CLIENT_ID)?.trim() ?? "";
  const value = env(CLIENT_SECRET)?.trim() ?? "";
  if (id === "" && value === "") return null;
  if (!clientId.safeParse(id).success) {
    throw invalid(CLIENT_ID, `be the client id that belongs to ${CLIENT_SECRET}`);
  }
  if (!secret.safeParse(value).success) {
    throw invalid(CLIENT_SECRET, `be the client secret that belongs to ${CLIENT_ID}`);
  }
  return [id, value];
}

/** Reads the provider's settings from the environment. */
export function parseSettings(env: ReadEnv): AutodeskSettings {
  const apiUrl = readApiUrl(env);
  const secrets = readClients(env);
  const chosen = readDefault(env);
  if (chosen !== null) secrets.set(...chosen);
  const [only, ...others] = secrets.keys();
  if (only === undefined) {
    throw new SyncError(
      "setting_invalid",
      `Cannot reach Autodesk as ${CLIENT_ID} and ${CLIENT_SECRET} must hold an application of ` +
        `Autodesk Platform Services (further ones go into ${CLIENTS}): current value is empty`,
    );
  }
  const defaultClientId = chosen?.[0] ?? (others.length === 0 ? only : null);
  return {
    apiUrl,
    tokenUrl: `${apiUrl}/authentication/v2/token`,
    credentials: new Applications(secrets, defaultClientId),
  };
}
