import { Buffer } from "node:buffer";
import { z } from "zod";
import type { DriveState } from "./drive_state.ts";
import { OAuthError } from "./oauth_error.ts";
import { isKnownScope } from "./scopes.ts";
import type { RegisteredServiceAccount } from "./service_account.ts";

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

/** What assertions are checked with. */
export interface AssertionContext {
  readonly model: DriveState;
  readonly serviceAccounts: ReadonlyMap<string, RegisteredServiceAccount>;
  readonly delegations: Delegations;
  readonly now: () => number;
}

/** Checks an assertion: whose token it asks for; throws. `tokenUrl` is where it was sent to. */
export function checkAssertion(
  assertion: string,
  tokenUrl: string,
  context: AssertionContext,
): { readonly email: string; readonly scopes: readonly string[] } {
  const claims = checkClaims(assertion, tokenUrl, context);
  const scopes = checkScopes(claims);
  return { email: checkSubject(claims, scopes, context), scopes };
}

function checkClaims(
  assertion: string,
  tokenUrl: string,
  { serviceAccounts, now }: AssertionContext,
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
  { model, serviceAccounts, delegations }: AssertionContext,
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
