import { z } from "zod";
import { SyncError } from "../errors.ts";

/** Whose access token an endpoint is read with: a person's who connected an account, or our own. */
const AUTH_MODES = ["application", "user"] as const;

/** One of {@linkcode AUTH_MODES}. */
export type AuthMode = typeof AUTH_MODES[number];

const Config = z.object({ auth: z.enum(AUTH_MODES).optional() });

/**
 * Whose token an endpoint uses: what `endpoint_config.auth` says; else the person's, once an account
 * was connected, and never ours in its place: it might see other files.
 */
export function authModeOf(endpointConfig: unknown, needsGrant: boolean): AuthMode {
  const config = Config.safeParse(endpointConfig ?? {});
  // A config that is no object is the provider's to refuse, with the fields it wants.
  const isOfAuth = config.error?.issues.some(({ path }) => path[0] === "auth") ?? false;
  if (isOfAuth) {
    throw new SyncError(
      "config_invalid",
      `Cannot read auth in endpoint_config as it must be one of ${
        AUTH_MODES.join(", ")
      }, or absent`,
    );
  }
  return config.data?.auth ?? (needsGrant ? "user" : "application");
}

/** Where the owner of an endpoint connects an account for it. */
function connectAddress(publicUrl: string, endpointId: string): string {
  return `${publicUrl}/functions/v1/oauth/authorize?endpoint_id=${encodeURIComponent(endpointId)}`;
}

/** The failure of an endpoint that is to be read as a person, for which nobody connected an account. */
export function grantMissing(publicUrl: string, endpointId: string): SyncError {
  return new SyncError(
    "grant_missing",
    "No account is connected: its owner connects one, signed in, at " +
      `${connectAddress(publicUrl, endpointId)}`,
  );
}
