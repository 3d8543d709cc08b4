import { escapeHtml, hiddenFields } from "../emulator/html.ts";
import type { AuthContext } from "./auth_service.ts";
import type { App } from "./apps.ts";
import { OAuthError } from "./oauth_error.ts";
import { parseScopes } from "./scopes.ts";

/** The path at which people are asked for their consent. */
export const AUTHORIZE_PATH = "/authentication/v2/authorize";

const LONGEST_SCOPE_TEXT = 2000;
const HTML = { "content-type": "text/html; charset=UTF-8" };

/** What is asked of a user. */
interface Asked {
  readonly app: App;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | null;
  readonly challenge: string | null;
}

/**
 * `GET` shows a page that asks for consent; its form comes back by `POST` with `user_id` and
 * `decision` (`allow` or `deny`), and the answer leads to the app's redirect address.
 */
export async function answerAuthorize(request: Request, context: AuthContext): Promise<Response> {
  const url = new URL(request.url);
  const isDecision = request.method === "POST";
  const given = isDecision ? new URLSearchParams(await request.text()) : url.searchParams;
  const target = redirectTarget(given, context);
  if (typeof target === "string") return new Response(page(target), { status: 400, headers: HTML });
  try {
    const asked = readAsked(given, target.app, target.redirectUri);
    if (!isDecision) return new Response(consentPage(asked, given, context), { headers: HTML });
    return redirect(asked, decide(asked, given, context));
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    const fields = { error: error.code, error_description: error.message };
    return redirect({ redirectUri: target.redirectUri, state: given.get("state") }, fields);
  }
}

// Without an app and an address that belongs to it, nobody may be sent anywhere.
function redirectTarget(
  given: URLSearchParams,
  { apps }: AuthContext,
): string | { readonly app: App; readonly redirectUri: string } {
  const app = apps.find(given.get("client_id") ?? "");
  if (app === undefined) return "The client id is not valid.";
  const redirectUri = given.get("redirect_uri") ?? "";
  if (!app.redirectUris.includes(redirectUri)) {
    return "The redirect_uri does not match the Callback URL of the application.";
  }
  return { app, redirectUri };
}

function readAsked(given: URLSearchParams, app: App, redirectUri: string): Asked {
  if (given.get("response_type") !== "code") {
    throw new OAuthError("unsupported_response_type", "The response_type must be code.");
  }
  const state = given.get("state");
  if (state !== null && !/^[A-Za-z0-9,._-]*$/.test(state)) {
    throw new OAuthError("invalid_request", "The state has characters that are not allowed.");
  }
  const challenge = given.get("code_challenge");
  if (challenge !== null && given.get("code_challenge_method") !== "S256") {
    throw new OAuthError("invalid_request", "The code_challenge_method must be S256.");
  }
  if (challenge === null && app.clientSecret === null) {
    throw new OAuthError("invalid_request", "A public client must send a code_challenge.");
  }
  const scopes = parseScopes(given.get("scope") ?? "", LONGEST_SCOPE_TEXT);
  return { app, redirectUri, scopes, state, challenge };
}

function decide(
  asked: Asked,
  given: URLSearchParams,
  { model, consents }: AuthContext,
): Record<string, string> {
  const user = model.users.get(given.get("user_id") ?? "");
  if (given.get("decision") !== "allow" || user === undefined) {
    throw new OAuthError("access_denied", "The resource owner denied the request.");
  }
  const { app, scopes, redirectUri, challenge } = asked;
  const consent = { clientId: app.clientId, userId: user.id, scopes, redirectUri, challenge };
  return { code: consents.issueCode(consent) };
}

function redirect(
  to: { readonly redirectUri: string; readonly state: string | null },
  fields: Readonly<Record<string, string>>,
): Response {
  const url = new URL(to.redirectUri);
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  if (to.state !== null) url.searchParams.set("state", to.state);
  return new Response(null, { status: 302, headers: { location: url.href } });
}

function consentPage(asked: Asked, given: URLSearchParams, { model }: AuthContext): string {
  const users = [...model.users.values()].map(({ id, name, email }) =>
    `<option value="${escapeHtml(id)}">${escapeHtml(name)} (${escapeHtml(email)})</option>`
  );
  return page(
    `<b>${escapeHtml(asked.app.name)}</b> would like to use: ${
      escapeHtml(asked.scopes.join(", "))
    }.`,
    `<form method="post" action="${AUTHORIZE_PATH}">${hiddenFields(given)}
<p><label>Sign in as <select name="user_id">${users.join("")}</select></label></p>
<p><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button></p></form>`,
  );
}

function page(message: string, form = ""): string {
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Authorize application` +
    `</title></head><body><h1>Authorize application</h1><p>${message}</p>${form}</body></html>`;
}
