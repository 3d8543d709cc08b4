import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import { z } from "zod";
import { RestFailure } from "./failure.ts";

/** The keys of a project: what tells the roles of a request. */
export interface RestKeys {
  readonly publishable: string;
  readonly secret: string;
  readonly jwks: JSONWebKeySet;
}

/** Who asks: the database role and the claims that SQL sees. */
export interface Caller {
  readonly role: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The role of requests without a user. */
export const ANONYMOUS_ROLE = "anon";

/** PostgREST allows this much difference between clocks. */
const CLOCK_SKEW_SECONDS = 30;

const claimsSchema = z.record(z.string(), z.unknown());

/** Returns the function that tells who sends a request. It throws 401 failures. */
export function createCallerOf(
  keys: RestKeys,
): (headers: Headers, url: URL) => Promise<Caller> {
  const verify = createVerifier(keys.jwks);
  return async (headers, url) => {
    const apiKey = headers.get("apikey") ?? url.searchParams.get("apikey");
    if (apiKey === null) {
      throw keyFailure("No API key found in request", "No `apikey` request header was found.");
    }
    const keyCaller = await callerOfKey(keys, apiKey, verify);
    const token = bearerToken(headers);
    if (token === null || token === apiKey) return keyCaller;
    if (token.startsWith("sb_")) {
      throw keyFailure("Invalid API key", "Authorization holds another key than apikey.");
    }
    return await verify(token);
  };
}

async function callerOfKey(
  keys: RestKeys,
  apiKey: string,
  verify: (token: string) => Promise<Caller>,
): Promise<Caller> {
  if (apiKey === keys.publishable) return keyRole(ANONYMOUS_ROLE);
  if (apiKey === keys.secret) return keyRole("service_role");
  // Keys of the older kind are JWTs that name their role.
  if (apiKey.split(".").length === 3) return await verify(apiKey);
  throw keyFailure("Invalid API key", "Double check your API key.");
}

function keyRole(role: string): Caller {
  return { role, claims: { role } };
}

function keyFailure(message: string, hint: string): RestFailure {
  return new RestFailure(401, "UNAUTHORIZED_API_KEY", message, { hint });
}

function bearerToken(headers: Headers): string | null {
  const match = /^bearer(?:\s+(.*))?$/i.exec(headers.get("authorization") ?? "");
  return match === null ? null : (match[1] ?? "").trim();
}

function createVerifier(jwks: JSONWebKeySet): (token: string) => Promise<Caller> {
  const keySet = createLocalJWKSet(jwks);
  return async (token) => {
    if (token === "") throw decodeFailure("Empty JWT is sent in Authorization header");
    const parts = token.split(".").length;
    if (parts !== 3) throw decodeFailure(`Expected 3 parts in JWT; got ${parts}`);
    const claims = await verifiedClaims(token, keySet);
    const { iat } = claims;
    if (typeof iat === "number" && iat > Date.now() / 1000 + CLOCK_SKEW_SECONDS) {
      throw claimsFailure("JWT issued at future");
    }
    const role = typeof claims.role === "string" ? claims.role : ANONYMOUS_ROLE;
    return { role, claims: { ...claims, role } };
  };
}

async function verifiedClaims(
  token: string,
  keySet: ReturnType<typeof createLocalJWKSet>,
): Promise<Record<string, unknown>> {
  try {
    const options = { algorithms: ["ES256", "RS256"], clockTolerance: CLOCK_SKEW_SECONDS };
    return claimsSchema.parse((await jwtVerify(token, keySet, options)).payload);
  } catch (cause) {
    throw tokenFailure(cause);
  }
}

function tokenFailure(cause: unknown): RestFailure {
  if (cause instanceof errors.JWTExpired) return claimsFailure("JWT expired");
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.reason === "check_failed" && cause.claim === "nbf") {
      return claimsFailure("JWT not yet valid");
    }
    return claimsFailure(`The JWT '${cause.claim}' claim must be a number`);
  }
  if (cause instanceof errors.JOSEAlgNotAllowed || cause instanceof errors.JOSENotSupported) {
    return decodeFailure("Wrong or unsupported encoding algorithm", cause.message);
  }
  if (cause instanceof errors.JWKSNoMatchingKey) {
    return decodeFailure(
      "No suitable key or wrong key type",
      "No suitable key was found to decode the JWT",
    );
  }
  return decodeFailure(
    "No suitable key or wrong key type",
    "None of the keys was able to decode the JWT",
  );
}

function decodeFailure(message: string, details: string | null = null): RestFailure {
  return tokenAnswer("PGRST301", message, details);
}

function claimsFailure(message: string): RestFailure {
  return tokenAnswer("PGRST303", message, null);
}

function tokenAnswer(code: string, message: string, details: string | null): RestFailure {
  const challenge = `Bearer error="invalid_token", error_description=${JSON.stringify(message)}`;
  return new RestFailure(401, code, message, {
    details,
    headers: { "www-authenticate": challenge },
  });
}
