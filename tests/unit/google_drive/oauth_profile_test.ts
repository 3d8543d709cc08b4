import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { testAccount } from "./keys.ts";

const SCOPE = "https://www.googleapis.com/auth/drive.metadata.readonly";

function profile(values: Readonly<Record<string, string>>) {
  const settings = googleDrive.parseSettings((name) => values[name]);
  return googleDrive.oauthProfile(parseConfig({}), settings);
}

const CLIENT = { CONNECTOR_GOOGLE_CLIENT_ID: "id.example", CONNECTOR_GOOGLE_CLIENT_SECRET: "hush" };

Deno.test("oauthProfile() asks Google for offline access to metadata, by explicit consent", () => {
  const { clientSecret, ...rest } = profile(CLIENT);
  equal(clientSecret.reveal(), "hush");
  ok(!JSON.stringify(profile(CLIENT)).includes("hush"));
  deepEqual(rest, {
    authorizeUrl: "https://accounts.google.com/o/oauth2/v2/auth",
    tokenUrl: "https://oauth2.googleapis.com/token",
    revokeUrl: "https://oauth2.googleapis.com/revoke",
    clientId: "id.example",
    clientAuthentication: "body",
    scopes: [SCOPE],
    authorizeParameters: { access_type: "offline", prompt: "consent" },
    refreshTokenDays: 180,
    rotatesRefreshToken: false,
  });
});

Deno.test("oauthProfile() goes to the configured addresses", () => {
  const { authorizeUrl, tokenUrl, revokeUrl } = profile({
    ...CLIENT,
    CONNECTOR_GOOGLE_AUTH_URL: "http://127.0.0.1:4000/o/oauth2/v2/auth",
    CONNECTOR_GOOGLE_TOKEN_URL: "http://127.0.0.1:4000/token",
  });
  deepEqual([authorizeUrl, tokenUrl, revokeUrl], [
    "http://127.0.0.1:4000/o/oauth2/v2/auth",
    "http://127.0.0.1:4000/token",
    "http://127.0.0.1:4000/revoke",
  ]);
});

Deno.test("oauthProfile() names the settings of the client where there is none", async () => {
  const { json } = await testAccount();
  const message = /CONNECTOR_GOOGLE_CLIENT_ID and CONNECTOR_GOOGLE_CLIENT_SECRET/;
  throws(() => profile({ CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: json }), {
    code: "setting_invalid",
    message,
  });
});
