import { Buffer } from "node:buffer";
import { z } from "zod";
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from "./access_tokens.ts";
import type { DriveState } from "./drive_state.ts";
import { isKnownScope } from "./scopes.ts";
import type { RegisteredServiceAccount } from "./service_account.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token";
const LONGEST_LIFE_SECONDS = 65 * 60;
const CLOCK_SKEW_SECONDS = 5 * 60;
const BAD_TIMES = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a " +
  "reasonable timeframe. Check your iat and exp values in the JWT claim.";

const Header = z.object({ alg: z.literal("RS256"), kid: z.string().optional() });
const Claims = z.object({
  iss: z.string(),
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
  scope: z.string().optional(),
  sub: z.string().optional(),
});
type Claims = z.infer<typeof Claims>;

/** Who may impersonate users of the domain, and for which scopes, by numeric client id. */
export type Delegations = ReadonlyMap<string, ReadonlySet<string>>;

/** What the token endpoint works with. */
export interface TokenEndpointContext {
  readonly model: DriveState;
  readonly serviceAccounts: ReadonlyMap<string, RegisteredServiceAccount>;
  readonly delegations: Delegations;
  readonly tokens: AccessTokens;
  readonly now: () => number;
}

class OAuthError extends Error {
  override readonly name = "OAuthError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, description: string, status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }
}

/** Answers a token request; `tokenUrl` is the address it was sent to. */
export async function answerTokenRequest(
  request: Request,
  tokenUrl: string,
  context: TokenEndpointContext,
): Promise<Response> {
  try {
    const form = await readForm(request);
    const claims = checkAssertion(form.get("assertion") ?? "", tokenUrl, context);
    const scopes = checkScopes(claims);
    const email = checkSubject(claims, scopes, context);
    return Response.json({
      access_token: context.tokens.issue({ email, scopes }),
      expires_in: ACCESS_TOKEN_SECONDS,
      token_type: "Bearer",
    });
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    const body = { error: error.code, error_description: error.message };
    return Response.json(body, { status: error.status });
  }
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("content-type") ?? "";
  if (request.method !== "POST" || !type.startsWith("application/x-www-form-urlencoded")) {
    throw new OAuthError("invalid_request", "Bad Request");
  }
  const form = new URLSearchParams(await request.text());
  const grantType = form.get("grant_type");
  if (grantType === null) {
    throw new OAuthError("invalid_request", "Required parameter is missing: grant_type");
  }
  if (grantType !== JWT_BEARER) {
    throw new OAuthError("unsupported_grant_type", `Invalid grant_type: ${grantType}`);
  }
  if (!form.get("assertion")) {
    throw new OAuthError("invalid_request", "Required parameter is missing: assertion");
  }
  return form;
}

function checkAssertion(
  assertion: string,
  tokenUrl: string,
  { serviceAccounts, now }: TokenEndpointContext,
): Claims {
  const [header = "", claims = "", signature = "", ...rest] = assertion.split(".");
  const parsedHeader = Header.safeParse(decodePart(header));
  const parsedClaims = Claims.safeParse(decodePart(claims));
  if (rest.length > 0 || !parsedHeader.success || !parsedClaims.success) {
    throw new OAuthError("invalid_grant", "Invalid JWT: Failed to parse the assertion.");
  }
  const account = serviceAccounts.get(parsedClaims.data.iss);
  if (account === undefined) {
    throw new OAuthError("invalid_grant", "Invalid grant: account not found");
  }
  const { kid } = parsedHeader.data;
  const isSigned = (kid === undefined || kid === account.keyId) &&
    /^[A-Za-z0-9_-]+$/.test(signature) && account.hasSigned(`${header}.${claims}`, signature);
  if (!isSigned) throw new OAuthError("invalid_grant", "Invalid JWT Signature.");
  checkTimes(parsedClaims.data, now() / 1000);
  const { aud } = parsedClaims.data;
  if (aud !== GOOGLE_TOKEN_URL && aud !== tokenUrl) {
    throw new OAuthError("invalid_grant", "Invalid JWT: Failed audience check.");
  }
  return parsedClaims.data;
}

function checkTimes({ iat, exp }: Claims, nowSeconds: number): void {
  const isReasonable = exp >= iat && exp - iat <= LONGEST_LIFE_SECONDS &&
    exp > nowSeconds && iat <= nowSeconds + CLOCK_SKEW_SECONDS;
  if (!isReasonable) throw new OAuthError("invalid_grant", BAD_TIMES);
}

function checkScopes(claims: Claims): string[] {
  const scopes = (claims.scope ?? "").split(" ").filter((scope) => scope !== "");
  if (scopes.length === 0 || !scopes.every(isKnownScope)) {
    throw new OAuthError(
      "invalid_scope",
      "Invalid OAuth scope or ID token audience provided.",
    );
  }
  return scopes;
}

function checkSubject(
  claims: Claims,
  scopes: readonly string[],
  { model, serviceAccounts, delegations }: TokenEndpointContext,
): string {
  if (claims.sub === undefined || claims.sub === claims.iss) return claims.iss;
  const clientId = serviceAccounts.get(claims.iss)?.clientId ?? "";
  const delegated = delegations.get(clientId);
  if (delegated === undefined) {
    throw new OAuthError(
      "unauthorized_client",
      "Client is unauthorized to retrieve access tokens using this method, or client not " +
        "authorized for any of the scopes requested.",
      401,
    );
  }
  if (!scopes.every((scope) => delegated.has(scope))) {
    throw new OAuthError("unauthorized_client", "Unauthorized client or scope in request.", 401);
  }
  const user = model.accounts.get(claims.sub);
  if (user === undefined || user.isServiceAccount) {
    throw new OAuthError(
      "invalid_grant",
      claims.sub.includes("@") ? "Invalid email or User ID" : "Not a valid email",
    );
  }
  return user.email;
}

function decodePart(part: string): unknown {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) return undefined;
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch (cause) {
    // Not JSON: the caller refuses it like any other malformed assertion.
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
