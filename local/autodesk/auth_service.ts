import type { SecretLog } from "../emulator/secret_log.ts";
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from "./access_tokens.ts";
import { gatewayError, invalidToken } from "./api_error.ts";
import type { App, AppRegistry } from "./apps.ts";
import type { ApsState } from "./aps_state.ts";
import { checkAssertion } from "./assertions.ts";
import { authenticateClient } from "./client_authentication.ts";
import type { Consent, Consents } from "./consents.ts";
import { type AuthErrorShape, invalidRequest, OAuthError } from "./oauth_error.ts";
import { narrowScopes, parseScopes } from "./scopes.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** What the authentication service works with. */
export interface AuthContext {
  readonly model: ApsState;
  readonly apps: AppRegistry;
  readonly tokens: AccessTokens;
  readonly consents: Consents;
  readonly secrets: SecretLog;
  readonly errorShape: () => AuthErrorShape;
  /** Counts a call of a client; throws where its quota is spent. */
  readonly spend: (clientId: string, route: string) => void;
}

type Endpoint = (request: Request, context: AuthContext) => Promise<Response> | Response;

const ENDPOINTS: Readonly<Record<string, { readonly name: string; readonly answer: Endpoint }>> = {
  "POST /authentication/v2/token": { name: "token", answer: answerToken },
  "POST /authentication/v2/revoke": { name: "revoke", answer: answerRevoke },
  "POST /authentication/v2/introspect": { name: "introspect", answer: answerIntrospect },
  "GET /authentication/v2/keys": {
    name: "keys",
    answer: (_request, { tokens }) => Response.json(tokens.keys()),
  },
  "GET /userinfo": { name: "userinfo", answer: answerUserInfo },
};

/** The name of the endpoint that a request goes to; `null` where it goes to another service. */
export function authRouteOf(method: string, path: string): string | null {
  return ENDPOINTS[`${method} ${path}`]?.name ?? null;
}

/** Answers a request to the authentication service. */
export async function answerAuth(request: Request, context: AuthContext): Promise<Response> {
  const endpoint = ENDPOINTS[`${request.method} ${new URL(request.url).pathname}`];
  try {
    if (endpoint === undefined) throw gatewayError(404, "ERR-404", "Not Found");
    return await endpoint.answer(request, context);
  } catch (error) {
    if (error instanceof OAuthError) return error.toResponse(context.errorShape());
    throw error;
  }
}

async function answerToken(request: Request, context: AuthContext): Promise<Response> {
  const form = await readForm(request);
  const app = authenticateClient(request.headers.get("authorization"), form, context.apps);
  context.spend(app.clientId, "token");
  const grantType = required(form, "grant_type");
  switch (grantType) {
    case "client_credentials":
      return clientCredentials(app, form, context);
    case "authorization_code":
      return authorizationCode(app, form, context);
    case "refresh_token":
      return refresh(app, form, context);
    case JWT_BEARER:
      return jwtBearer(app, form, context, request.url);
    default:
      throw new OAuthError("unsupported_grant_type", `The grant type is not supported.`);
  }
}

function clientCredentials(app: App, form: URLSearchParams, context: AuthContext): Response {
  requireConfidential(app);
  const scopes = parseScopes(form.get("scope") ?? "");
  const grant = { clientId: app.clientId, scopes, userId: null };
  return tokenResponse(context.tokens.issue(grant));
}

function authorizationCode(app: App, form: URLSearchParams, context: AuthContext): Response {
  const consent = context.consents.takeCode(
    required(form, "code"),
    app.clientId,
    required(form, "redirect_uri"),
    form.get("code_verifier"),
  );
  return threeLegged(consent, consent.scopes, context);
}

function refresh(app: App, form: URLSearchParams, context: AuthContext): Response {
  const token = required(form, "refresh_token");
  const consent = context.consents.findRefreshToken(token, app.clientId);
  const scopes = narrowScopes(form.get("scope"), consent.scopes);
  // Each is good for one use: from here on, only the new one is.
  context.consents.revokeRefreshToken(token, app.clientId);
  return threeLegged(consent, scopes, context);
}

function jwtBearer(
  app: App,
  form: URLSearchParams,
  context: AuthContext,
  tokenUrl: string,
): Response {
  requireConfidential(app);
  const nowMs = context.model.now();
  const { apps, secrets } = context;
  const shown = secrets.note("assertion", required(form, "assertion"));
  const assertion = checkAssertion(shown, app, { apps, tokenUrl, nowMs });
  const granted = parseScopes(assertion.scopes.join(" "));
  const scopes = narrowScopes(form.get("scope"), granted);
  const grant = { clientId: app.clientId, scopes, userId: assertion.userId };
  return tokenResponse(context.tokens.issue(grant));
}

function threeLegged(
  consent: Consent,
  scopes: readonly string[],
  { tokens, consents }: AuthContext,
): Response {
  const { clientId, userId } = consent;
  return tokenResponse(
    tokens.issue({ clientId, userId, scopes }),
    // A narrower scope narrows what comes after it, too.
    { refresh_token: consents.issueRefreshToken({ clientId, userId, scopes }) },
  );
}

function tokenResponse(accessToken: string, more: Readonly<Record<string, string>> = {}): Response {
  return Response.json({
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: ACCESS_TOKEN_SECONDS,
    ...more,
  });
}

async function answerRevoke(request: Request, context: AuthContext): Promise<Response> {
  const form = await readForm(request);
  const app = authenticateClient(request.headers.get("authorization"), form, context.apps);
  context.spend(app.clientId, "revoke");
  const token = required(form, "token");
  const hint = required(form, "token_type_hint");
  if (hint === "refresh_token") {
    context.consents.revokeRefreshToken(token, app.clientId);
  } else if (hint === "access_token") {
    if (context.tokens.find(token)?.clientId === app.clientId) context.tokens.revoke(token);
  } else {
    throw invalidRequest("token_type_hint must be access_token or refresh_token.");
  }
  return new Response(null, { status: 200 });
}

async function answerIntrospect(request: Request, context: AuthContext): Promise<Response> {
  const form = await readForm(request);
  const app = authenticateClient(request.headers.get("authorization"), form, context.apps);
  context.spend(app.clientId, "introspect");
  const grant = context.tokens.find(required(form, "token"));
  if (grant === null || grant.clientId !== app.clientId) return Response.json({ active: false });
  return Response.json({
    active: true,
    scope: grant.scopes.join(" "),
    client_id: grant.clientId,
    exp: Math.floor(grant.expiresMs / 1000),
    ...(grant.userId === null ? {} : { userid: grant.userId }),
  });
}

function answerUserInfo(request: Request, { model, tokens }: AuthContext): Response {
  const { userId } = tokens.check(request.headers.get("authorization"));
  const user = model.users.get(userId ?? "");
  if (user === undefined) throw invalidToken();
  return Response.json({ sub: user.id, name: user.name, email: user.email, email_verified: true });
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) {
    throw invalidRequest("The Content-Type must be application/x-www-form-urlencoded.");
  }
  return new URLSearchParams(await request.text());
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (!value) throw invalidRequest(`The required parameter ${name} is missing.`);
  return value;
}

function requireConfidential(app: App): void {
  if (app.clientSecret !== null) return;
  throw new OAuthError("unauthorized_client", "The client is not allowed to use this grant type.");
}
