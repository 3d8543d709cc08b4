import type { App, AppRegistry } from "./apps.ts";
import { invalidRequest, OAuthError } from "./oauth_error.ts";

/** Finds the app that sends a form, by the header or by the form but never by both; throws. */
export function authenticateClient(
  authorization: string | null,
  form: URLSearchParams,
  apps: AppRegistry,
): App {
  const bodyId = form.get("client_id");
  const bodySecret = form.get("client_secret");
  if (authorization === null) {
    if (!bodyId) {
      throw new OAuthError("invalid_client", "No client credentials found.", 401);
    }
    return checkSecret(apps.find(bodyId), bodySecret);
  }
  if (bodyId !== null || bodySecret !== null) {
    throw invalidRequest(
      "client_id is not supported in the request body when Authorization headers are present",
    );
  }
  const [, encoded = ""] = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? [];
  const [, clientId = "", secret = ""] = /^([^:]+):(.*)$/.exec(decode(encoded)) ?? [];
  const app = checkSecret(apps.find(clientId), secret);
  if (app.clientSecret === null) throw badCredentials();
  return app;
}

function checkSecret(app: App | undefined, secret: string | null): App {
  if (app === undefined) throw badCredentials();
  // A public client has no secret and must not send one.
  if (app.clientSecret !== secret) throw badCredentials();
  return app;
}

function badCredentials(): OAuthError {
  return new OAuthError("invalid_client", "The client credentials are invalid.", 401);
}

function decode(text: string): string {
  try {
    return atob(text);
  } catch {
    // Not base64: no app has such credentials.
    return "";
  }
}
