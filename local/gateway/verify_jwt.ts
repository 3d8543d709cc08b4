import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type { StackKeys } from "../keys.ts";
import { oneLine } from "../failure.ts";

/** The platform's codes for a caller that `verify_jwt` turns away. */
export type UnauthorizedCode =
  | "UNAUTHORIZED_NO_AUTH_HEADER"
  | "UNAUTHORIZED_INVALID_JWT_FORMAT"
  | "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM"
  | "UNAUTHORIZED_ASYMMETRIC_JWT";

/** Why a caller is turned away. */
export interface Unauthorized {
  readonly code: UnauthorizedCode;
  readonly message: string;
}

/** Checks a request's headers; null lets it pass. */
export type JwtCheck = (headers: Headers) => Promise<Unauthorized | null>;

function bearerOf(headers: Headers): string | null {
  const match = /^bearer\s+(.+)$/i.exec(headers.get("authorization") ?? "");
  return match?.[1]?.trim() ?? null;
}

function algorithmOf(token: string): string | null {
  try {
    return decodeProtectedHeader(token).alg ?? null;
  } catch {
    // Not a JWT at all: the caller is told so.
    return null;
  }
}

/**
 * Returns the check a function with `verify_jwt = true` is given: a JWT signed by this project, or,
 * as the platform still allows for migration, one of its API keys. Passing it proves no identity.
 */
export function createJwtCheck(keys: StackKeys): JwtCheck {
  const keySet = createLocalJWKSet({ keys: [...keys.jwks.keys] });
  const apiKeys = new Set<string | null>([keys.publishableKey, keys.secretKey]);

  return async (headers) => {
    const bearer = bearerOf(headers);
    if (apiKeys.has(bearer)) return null;
    if (bearer === null) {
      if (apiKeys.has(headers.get("apikey"))) return null;
      return { code: "UNAUTHORIZED_NO_AUTH_HEADER", message: "Missing authorization header" };
    }
    const algorithm = algorithmOf(bearer);
    if (algorithm === null) {
      return { code: "UNAUTHORIZED_INVALID_JWT_FORMAT", message: "Invalid JWT" };
    }
    if (algorithm !== "ES256") {
      const message = `Unsupported JWT algorithm ${algorithm}`;
      return { code: "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM", message };
    }
    try {
      await jwtVerify(bearer, keySet, { algorithms: ["ES256"] });
      return null;
    } catch (cause) {
      const message = `Invalid JWT: ${oneLine(cause)}`;
      return { code: "UNAUTHORIZED_ASYMMETRIC_JWT", message };
    }
  };
}
