import type { ProviderSettings } from "../types.ts";
import { Applications } from "./applications.ts";
import type { AutodeskConfig } from "./config.ts";

/** The client id that reads for an endpoint: the one an account's admin is to let in. */
export function readerName(
  { clientId }: AutodeskConfig,
  { credentials }: ProviderSettings,
): string | null {
  if (clientId !== null) return clientId;
  return credentials instanceof Applications ? credentials.defaultClientId : null;
}
