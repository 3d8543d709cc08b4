import { Buffer } from "node:buffer";
import { verify } from "node:crypto";
import { z } from "zod";
import type { App, AppRegistry } from "./apps.ts";
import { invalidGrant } from "./oauth_error.ts";

const TOKEN_URL = "https://developer.api.autodesk.com/authentication/v2/token";

const Header = z.object({ alg: z.literal("RS256"), kid: z.string() });
const Claims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: z.number(),
  scope: z.array(z.string()),
});

/** What an assertion of a service account says. */
export interface Assertion {
  readonly userId: string;
  readonly scopes: readonly string[];
}

/** Checks an assertion; throws `invalid_grant`. `tokenUrl` is the address it was sent to. */
export function checkAssertion(
  assertion: string,
  app: App,
  context: { readonly apps: AppRegistry; readonly tokenUrl: string; readonly nowMs: number },
): Assertion {
  const [header = "", claims = "", signature = "", ...rest] = assertion.split(".");
  const parsedHeader = Header.safeParse(decodePart(header));
  const parsedClaims = Claims.safeParse(decodePart(claims));
  if (rest.length > 0 || !parsedHeader.success || !parsedClaims.success) {
    throw invalidGrant("The assertion is malformed.");
  }
  const key = context.apps.findKey(parsedHeader.data.kid);
  const { iss, sub, aud, exp, scope } = parsedClaims.data;
  const isSigned = key !== undefined && key.clientId === app.clientId && key.userId === sub &&
    verify(
      "RSA-SHA256",
      Buffer.from(`${header}.${claims}`),
      key.key,
      Buffer.from(signature, "base64url"),
    );
  if (!isSigned || iss !== app.clientId) {
    throw invalidGrant("The assertion's signature is invalid.");
  }
  if (aud !== TOKEN_URL && aud !== context.tokenUrl) {
    throw invalidGrant("The assertion's audience is invalid.");
  }
  if (exp * 1000 <= context.nowMs) throw invalidGrant("The assertion has expired.");
  return { userId: sub, scopes: scope };
}

function decodePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch (cause) {
    // Not JSON: the caller refuses it like any other malformed assertion.
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
