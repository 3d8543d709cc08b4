import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";

const SETTINGS = {
  CONNECTOR_AUTODESK_CLIENT_ID: "app",
  CONNECTOR_AUTODESK_CLIENT_SECRET: "hush",
  CONNECTOR_AUTODESK_CLIENTS: '{"other":"secret"}',
  CONNECTOR_AUTODESK_API_URL: "https://aps.test",
};

function profile(more: object = {}, values: Readonly<Record<string, string>> = SETTINGS) {
  const config = autodesk.parseConfig({ project_id: "b.p", ...more });
  return autodesk.oauthProfile(config, autodesk.parseSettings((name) => values[name]));
}

Deno.test("oauthProfile() asks Autodesk for data:read with the application of the settings", () => {
  const { clientSecret, ...rest } = profile();
  equal(clientSecret.reveal(), "hush");
  ok(!JSON.stringify(profile()).includes("hush"));
  deepEqual(rest, {
    authorizeUrl: "https://aps.test/authentication/v2/authorize",
    tokenUrl: "https://aps.test/authentication/v2/token",
    revokeUrl: "https://aps.test/authentication/v2/revoke",
    clientId: "app",
    clientAuthentication: "basic",
    scopes: ["data:read"],
    authorizeParameters: {},
    refreshTokenDays: 15,
    rotatesRefreshToken: true,
  });
});

Deno.test("oauthProfile() takes the application that the endpoint names, or refuses", () => {
  const { clientId, clientSecret } = profile({ client_id: "other" });
  deepEqual([clientId, clientSecret.reveal()], ["other", "secret"]);
  throws(() => profile({ client_id: "foreign" }), { code: "credentials_invalid" });
});
