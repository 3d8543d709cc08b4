import { SyncError } from "../errors.ts";
import { autodesk } from "./autodesk/index.ts";
import { googleDrive } from "./google_drive/index.ts";
import type { Provider } from "./types.ts";

/**
 * Every provider there is. The type of a provider's own configuration ends here: the engine hands
 * back to a provider what that provider parsed, and never looks inside.
 */
export const PROVIDERS: readonly Provider<unknown>[] = [googleDrive, autodesk];

/** Returns the provider of an `endpoint_type`; throws `config_invalid` for an unknown one. */
export function getProvider(key: string): Provider<unknown> {
  const provider = PROVIDERS.find((candidate) => candidate.key === key);
  if (provider !== undefined) return provider;
  const known = PROVIDERS.map((candidate) => `"${candidate.key}"`).join(" or ");
  throw new SyncError(
    "config_invalid",
    `Cannot sync an endpoint as endpoint_type must be ${known}: current value is "${key}"`,
  );
}
