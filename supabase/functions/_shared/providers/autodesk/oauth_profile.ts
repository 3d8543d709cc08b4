import type { OAuthProfile, ProviderSettings } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { credentialsOf } from "./credentials.ts";
import { READ_SCOPE } from "./scopes.ts";

/** A refresh token that nobody used for so long is worthless. */
const REFRESH_TOKEN_DAYS = 15;

/**
 * How people connect their Autodesk accounts (three-legged), with the application of the endpoint.
 * https://aps.autodesk.com/en/docs/oauth/v2/reference/http/authorize-GET/
 */
export function oauthProfile(config: AutodeskConfig, settings: ProviderSettings): OAuthProfile {
  const { clientId, clientSecret } = credentialsOf(settings).chooseApplication(config);
  return {
    authorizeUrl: `${settings.apiUrl}/authentication/v2/authorize`,
    tokenUrl: settings.tokenUrl,
    revokeUrl: `${settings.apiUrl}/authentication/v2/revoke`,
    clientId,
    clientSecret,
    clientAuthentication: "basic",
    scopes: [READ_SCOPE],
    authorizeParameters: {},
    refreshTokenDays: REFRESH_TOKEN_DAYS,
    rotatesRefreshToken: true,
  };
}
