import type { SecretLog } from "../emulator/secret_log.ts";
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from "./access_tokens.ts";
import { type AssertionContext, checkAssertion } from "./assertion.ts";
import type { OAuthClient, OAuthClients } from "./oauth_clients.ts";
import { invalidRequest, OAuthError } from "./oauth_error.ts";
import type { UserGrants } from "./user_grants.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** What the token and revocation endpoints work with. */
export interface TokenEndpointContext extends AssertionContext {
  readonly clients: OAuthClients;
  readonly grants: UserGrants;
  readonly tokens: AccessTokens;
  readonly secrets: SecretLog;
}

/** Answers a token request; `tokenUrl` is the address it was sent to. */
export async function answerTokenRequest(
  request: Request,
  tokenUrl: string,
  context: TokenEndpointContext,
): Promise<Response> {
  return await answering(async () => {
    const form = await readForm(request);
    const grantType = required(form, "grant_type");
    if (grantType === JWT_BEARER) return byAssertion(form, tokenUrl, context);
    if (grantType !== "authorization_code" && grantType !== "refresh_token") {
      throw new OAuthError("unsupported_grant_type", `Invalid grant_type: ${grantType}`);
    }
    const client = context.clients.authenticate(request.headers.get("authorization"), form);
    const answer = grantType === "refresh_token" ? byRefreshToken : byCode;
    return answer(client, form, context);
  });
}

/** Answers a request to revoke a token, and with it all that the account gave the client. */
export async function answerRevocation(
  request: Request,
  { grants, tokens }: TokenEndpointContext,
): Promise<Response> {
  return await answering(async () => {
    if (request.method !== "POST") throw invalidRequest("Bad Request");
    // The official clients write it into the address and send an empty body.
    const inAddress = new URL(request.url).searchParams.get("token");
    const token = inAddress ?? (await readForm(request)).get("token");
    if (!token) throw invalidRequest("Missing required parameter: token");
    const grant = grants.findRefreshToken(token) ?? tokens.find(token);
    if (grant?.clientId === undefined) {
      throw new OAuthError("invalid_token", "Token expired or revoked");
    }
    const { email, clientId } = grant;
    grants.revoke({ email, clientId });
    tokens.revoke({ email, clientId });
    return Response.json({});
  });
}

async function answering(answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof OAuthError) return error.toResponse();
    throw error;
  }
}

function byAssertion(
  form: URLSearchParams,
  tokenUrl: string,
  context: TokenEndpointContext,
): Response {
  const assertion = context.secrets.note("assertion", required(form, "assertion"));
  const grant = checkAssertion(assertion, tokenUrl, context);
  return tokenResponse(context.tokens.issue(grant));
}

function byCode(
  client: OAuthClient,
  form: URLSearchParams,
  { grants, tokens, secrets }: TokenEndpointContext,
): Response {
  const code = required(form, "code");
  const verifier = form.get("code_verifier");
  secrets.note("code_verifier", verifier ?? "");
  const { clientId, refreshTokenSeconds } = client;
  const redirectUri = form.get("redirect_uri") ?? "";
  const { email, scopes, hasRefreshToken } = grants.takeCode(code, {
    clientId,
    redirectUri,
    verifier,
  });
  const grant = { clientId, email, scopes };
  const token = hasRefreshToken ? grants.issueRefreshToken(grant, refreshTokenSeconds) : null;
  return tokenResponse(tokens.issue(grant), {
    ...(token === null ? {} : { refresh_token: token }),
    ...(token === null ? {} : termOf(refreshTokenSeconds)),
    scope: scopes.join(" "),
  });
}

function byRefreshToken(
  { clientId }: OAuthClient,
  form: URLSearchParams,
  { grants, tokens }: TokenEndpointContext,
): Response {
  const { grant, secondsLeft } = grants.useRefreshToken(required(form, "refresh_token"), clientId);
  const asked = (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  if (!asked.every((scope) => grant.scopes.includes(scope))) {
    throw new OAuthError("invalid_scope", "Bad Request");
  }
  const scopes = asked.length === 0 ? grant.scopes : asked;
  return tokenResponse(tokens.issue({ clientId, email: grant.email, scopes }), {
    ...termOf(secondsLeft),
    scope: scopes.join(" "),
  });
}

function termOf(seconds: number | null): Readonly<Record<string, number>> {
  return seconds === null ? {} : { refresh_token_expires_in: seconds };
}

function tokenResponse(
  accessToken: string,
  more: Readonly<Record<string, string | number>> = {},
): Response {
  return Response.json({
    access_token: accessToken,
    expires_in: ACCESS_TOKEN_SECONDS,
    ...more,
    token_type: "Bearer",
  });
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("content-type") ?? "";
  if (request.method !== "POST" || !type.startsWith("application/x-www-form-urlencoded")) {
    throw invalidRequest("Bad Request");
  }
  return new URLSearchParams(await request.text());
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value) return value;
  throw invalidRequest(`Required parameter is missing: ${name}`);
}
