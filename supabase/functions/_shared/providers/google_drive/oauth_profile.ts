import { SyncError } from "../../errors.ts";
import type { OAuthProfile, ProviderSettings } from "../types.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { CLIENT_ID, CLIENT_SECRET, Credentials } from "./credentials.ts";
import { DRIVE_SCOPE } from "./scopes.ts";

/** A refresh token that nobody used for six months stops working. */
const REFRESH_TOKEN_DAYS = 180;

/**
 * How people connect their Google accounts.
 * https://developers.google.com/identity/protocols/oauth2/web-server
 */
export function oauthProfile(_config: GoogleDriveConfig, settings: ProviderSettings): OAuthProfile {
  const { credentials, tokenUrl } = settings;
  if (!(credentials instanceof Credentials)) {
    throw new TypeError("Cannot tell the OAuth profile as settings must come from parseSettings()");
  }
  const { client, authorizeUrl } = credentials;
  if (client === null) {
    throw new SyncError(
      "setting_invalid",
      `Cannot connect Google accounts as ${CLIENT_ID} and ${CLIENT_SECRET} must hold an OAuth ` +
        "client of type Web application: current value is empty",
    );
  }
  return {
    authorizeUrl,
    tokenUrl,
    revokeUrl: new URL("revoke", tokenUrl).href,
    ...client,
    clientAuthentication: "body",
    scopes: [DRIVE_SCOPE],
    // Only `offline` brings a refresh token, and only an explicit consent brings one again to those
    // who have consented before.
    authorizeParameters: { access_type: "offline", prompt: "consent" },
    refreshTokenDays: REFRESH_TOKEN_DAYS,
    rotatesRefreshToken: false,
  };
}
