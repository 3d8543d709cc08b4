import { z } from "zod";
import { SyncError } from "./errors.ts";

/** The keys that encrypt tokens at rest, by their id. */
export interface TokenKeys {
  /** Seals new values: the key listed last in the setting. */
  readonly newest: string;
  /** Opens values; an older key stays listed until nothing is sealed with it any more. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

const KEY_BYTES = 32;
const KEY_ID = /^[\w.-]{1,64}$/;
const KeysById = z.record(z.string(), z.string()).refine((keys) => Object.keys(keys).length > 0);

/**
 * Parses the encryption keys: a JSON object of key id to 32 bytes in base64url (or base64). The key
 * listed last is the newest. To rotate, append a key; remove an old one when no token uses it.
 */
export function parseTokenKeys(name: string, text: string): TokenKeys {
  const entries = Object.entries(parseObject(name, text));
  const keys = new Map<string, Uint8Array>();
  for (const [id, encoded] of entries) keys.set(id, parseKey(name, id, encoded));
  const newest = entries.at(-1)?.[0];
  if (newest === undefined) throw invalid(name, "must hold at least one key");
  // JavaScript lists such names by value, not as written: which key is newest would be a guess.
  const numeric = entries.find(([id]) => /^\d+$/.test(id));
  if (entries.length > 1 && numeric !== undefined) {
    throw invalid(name, `must have key ids with a letter, such as "k${numeric[0]}"`);
  }
  return { newest, keys };
}

function parseObject(name: string, text: string): Record<string, string> {
  try {
    return KeysById.parse(JSON.parse(text));
  } catch {
    // Neither parser's message is kept: both may quote a key.
    throw invalid(
      name,
      'must be a JSON object of keys by id, such as {"k1":"<32 bytes base64url>"}',
    );
  }
}

function parseKey(name: string, id: string, encoded: string): Uint8Array {
  if (!KEY_ID.test(id)) {
    throw invalid(name, "must have key ids of 1 to 64 letters, digits, dots, hyphens, underscores");
  }
  const bytes = decodeBase64(encoded);
  if (bytes?.length === KEY_BYTES) return bytes;
  throw invalid(name, `must hold ${KEY_BYTES} bytes in base64url for key "${id}"`);
}

function decodeBase64(encoded: string): Uint8Array | null {
  try {
    const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    // Not base64: the caller says which key it is.
    return null;
  }
}

function invalid(name: string, rule: string): SyncError {
  return new SyncError("setting_invalid", `The setting ${name} ${rule}`);
}
