import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { TokenKeys } from "../config_token_keys.ts";
import { HttpError } from "../http/http_error.ts";

/** Which consent a redirect of the provider belongs to, and whose it is. */
export interface ConsentReference {
  readonly consentId: string;
  readonly endpointId: string;
  readonly userId: string;
  /** The application that the person was asked to trust: no other one may exchange the code. */
  readonly clientId: string;
}

/**
 * Signs what goes to the provider and comes back through the browser. The signature keeps made-up
 * states away from the database; that a state is used once, the database sees to.
 */
export interface ConsentStates {
  /** Signs with the newest key. */
  sign(consent: ConsentReference, expiresAt: Date): Promise<string>;
  /** Throws `state_invalid` for one that is altered, expired or not ours. */
  verify(state: string): Promise<ConsentReference>;
}

const ALGORITHM = "HS256";
const TYPE = "consent+jwt";
const LONGEST_STATE = 2_000;
// Keeps the key apart from the one that seals tokens, and from any other made of the same secret.
const PURPOSE = "file-connector consent state v1";

const Payload = z.object({
  jti: z.guid(),
  sub: z.string().min(1),
  endpoint_id: z.guid(),
  client_id: z.string().min(1),
});

/** Creates the states; the keys are derived from those that seal tokens, each on first use. */
export function createConsentStates(tokenKeys: TokenKeys, now: () => Date): ConsentStates {
  const derived = new Map<string, Promise<CryptoKey>>();
  const keyOf = (kid: string | undefined): Promise<CryptoKey> => {
    const bytes = kid === undefined ? undefined : tokenKeys.keys.get(kid);
    if (kid === undefined || bytes === undefined) throw notOurs();
    const known = derived.get(kid) ?? deriveKey(bytes);
    derived.set(kid, known);
    return known;
  };
  return {
    sign: async ({ consentId, endpointId, userId, clientId }, expiresAt) =>
      await new SignJWT({ endpoint_id: endpointId, client_id: clientId })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: tokenKeys.newest })
        .setJti(consentId)
        .setSubject(userId)
        .setExpirationTime(expiresAt)
        .sign(await keyOf(tokenKeys.newest)),
    verify: (state) => verify(state, keyOf, now()),
  };
}

async function verify(
  state: string,
  keyOf: (kid: string | undefined) => Promise<CryptoKey>,
  now: Date,
): Promise<ConsentReference> {
  if (state.length > LONGEST_STATE) throw notOurs();
  try {
    const { payload } = await jwtVerify(state, ({ kid }) => keyOf(kid), {
      algorithms: [ALGORITHM],
      typ: TYPE,
      requiredClaims: ["exp"],
      currentDate: now,
    });
    const claims = Payload.safeParse(payload);
    if (!claims.success) throw notOurs(claims.error);
    const { jti, sub, endpoint_id, client_id } = claims.data;
    return { consentId: jti, userId: sub, endpointId: endpoint_id, clientId: client_id };
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw stateUsedUp(cause);
    if (cause instanceof errors.JOSEError) throw notOurs(cause);
    throw cause;
  }
}

async function deriveKey(bytes: Uint8Array): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey("raw", Uint8Array.from(bytes), "HKDF", false, [
    "deriveKey",
  ]);
  const info = new TextEncoder().encode(PURPOSE);
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
    secret,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign", "verify"],
  );
}

/** The refusal of a state that was ours, but is worth nothing any more. */
export function stateUsedUp(cause?: Error): HttpError {
  return new HttpError(
    "state_invalid",
    "This consent was used already, has expired, or its endpoint is gone: connect the account again.",
    { cause },
  );
}

function notOurs(cause?: Error): HttpError {
  return new HttpError(
    "state_invalid",
    "The state is not one that this project has signed: connect the account again, from its " +
      "beginning.",
    { cause },
  );
}
