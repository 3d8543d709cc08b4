import { base64url } from "jose";
import { Secret } from "../secret.ts";

const VERIFIER_BYTES = 32;

/** Makes `length` random bytes. */
export type RandomBytes = (length: number) => Uint8Array;

/** Makes a code verifier: what shows at the exchange that the consent was asked for by us (RFC 7636). */
export function createVerifier(randomBytes: RandomBytes): Secret {
  return new Secret(base64url.encode(randomBytes(VERIFIER_BYTES)));
}

/** The S256 challenge of a verifier. */
export async function challengeOf(verifier: Secret): Promise<string> {
  const bytes = new TextEncoder().encode(verifier.reveal());
  return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
