import { timingSafeEqual } from "node:crypto";

/**
 * Compares two texts without telling by its duration where they differ: their digests are compared,
 * which have one length and share no prefix.
 */
export async function secretsEqual(left: string, right: string): Promise<boolean> {
  const [leftDigest, rightDigest] = await Promise.all([digest(left), digest(right)]);
  return timingSafeEqual(leftDigest, rightDigest);
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
