import type { OAuthProfile } from "../../supabase/functions/_shared/providers/types.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";

/** How a provider that is nobody's lets accounts be connected; refresh tokens are used once. */
export const PROFILE: OAuthProfile = {
  authorizeUrl: "https://provider.example/authorize",
  tokenUrl: "https://provider.example/token",
  revokeUrl: "https://provider.example/revoke",
  clientId: "client",
  clientSecret: new Secret("hush"),
  clientAuthentication: "basic",
  scopes: ["read"],
  authorizeParameters: {},
  refreshTokenDays: 15,
  rotatesRefreshToken: true,
};
