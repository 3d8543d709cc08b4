import type { ProviderSettings } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { Credentials } from "./credentials.ts";

/** The client id that reads for an endpoint: the one an account's admin is to let in. */
export function readerName(
  config: AutodeskConfig,
  { credentials }: ProviderSettings,
): string | null {
  if (!(credentials instanceof Credentials)) return config.clientId;
  return credentials.clientIdOf(config) || null;
}
