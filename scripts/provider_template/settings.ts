import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type { ProviderSettings } from "../../supabase/functions/_shared/providers/types.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";

/** The setting that holds the application's id. */
export const CLIENT_ID = "CONNECTOR_ACME_FILES_CLIENT_ID";
/** The setting that holds its secret. */
export const CLIENT_SECRET = "CONNECTOR_ACME_FILES_CLIENT_SECRET";
const API_URL = "CONNECTOR_ACME_FILES_API_URL";

const OWN_API_URL = "https://api.acme-files.example";

/** The application that reads. */
export class Credentials {
  /** Its id, and its secret, which cannot be printed. */
  constructor(readonly clientId: string, readonly clientSecret: Secret) {}
}

/** Reads the provider's settings from the environment. */
export function parseSettings(env: (name: string) => string | undefined): ProviderSettings {
  const apiUrl = readApiUrl(env(API_URL)?.trim() || OWN_API_URL);
  const [clientId, clientSecret] = [env(CLIENT_ID)?.trim(), env(CLIENT_SECRET)?.trim()];
  if (!clientId || !clientSecret) {
    throw new SyncError(
      "setting_invalid",
      `Cannot reach Acme Files as ${CLIENT_ID} and ${CLIENT_SECRET} must hold an application: ` +
        "current value is empty",
    );
  }
  return {
    apiUrl,
    tokenUrl: `${apiUrl}/oauth/token`,
    credentials: new Credentials(clientId, new Secret(clientSecret)),
  };
}

function readApiUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, "");
  throw new SyncError("setting_invalid", `Cannot use ${API_URL} as it must be an http address`);
}

/** The application of settings that {@linkcode parseSettings} has read. */
export function credentialsOf({ credentials }: ProviderSettings): Credentials {
  if (credentials instanceof Credentials) return credentials;
  throw new SyncError("setting_invalid", `Cannot use ${CLIENT_ID}: the settings were not parsed`);
}
