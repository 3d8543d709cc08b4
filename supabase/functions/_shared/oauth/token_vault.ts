import { compactDecrypt, CompactEncrypt, errors } from "jose";
import type { TokenKeys } from "../config_token_keys.ts";
import { SyncError } from "../errors.ts";
import { Secret } from "../secret.ts";

/**
 * Encrypts tokens for storage. A sealed value is a compact JWE whose header names its key (`kid`)
 * and the endpoint it belongs to, so keys can rotate and a value moved to another row does not open.
 */
export interface TokenVault {
  /** Encrypts with the newest key. */
  seal(token: Secret, endpointId: string): Promise<string>;
  /** Decrypts; throws `credentials_invalid` when the key is unknown or a single bit was changed. */
  open(sealed: string, endpointId: string): Promise<Secret>;
}

const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";

/** Creates a vault; each key is imported once, on first use. */
export function createTokenVault(tokenKeys: TokenKeys): TokenVault {
  const imported = new Map<string, Promise<CryptoKey>>();
  const keyOf = (kid: string | undefined): Promise<CryptoKey> => {
    const bytes = kid === undefined ? undefined : tokenKeys.keys.get(kid);
    if (kid === undefined || bytes === undefined) throw unknownKey();
    const known = imported.get(kid) ?? importKey(bytes);
    imported.set(kid, known);
    return known;
  };
  return {
    seal: async (token, endpointId) =>
      await new CompactEncrypt(new TextEncoder().encode(token.reveal()))
        .setProtectedHeader({
          alg: ALGORITHM,
          enc: ENCRYPTION,
          kid: tokenKeys.newest,
          endpoint_id: endpointId,
        })
        .encrypt(await keyOf(tokenKeys.newest)),
    open: (sealed, endpointId) => open(sealed, endpointId, keyOf),
  };
}

async function open(
  sealed: string,
  endpointId: string,
  keyOf: (kid: string | undefined) => Promise<CryptoKey>,
): Promise<Secret> {
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(
      sealed,
      ({ kid }) => keyOf(kid),
      { keyManagementAlgorithms: [ALGORITHM], contentEncryptionAlgorithms: [ENCRYPTION] },
    );
    if (protectedHeader.endpoint_id !== endpointId) throw unreadable();
    return new Secret(new TextDecoder().decode(plaintext));
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw unreadable(cause);
    throw cause;
  }
}

function importKey(bytes: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", Uint8Array.from(bytes), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
}

function unknownKey(): SyncError {
  return new SyncError(
    "credentials_invalid",
    "The stored token was encrypted with a key that is not in CONNECTOR_TOKEN_KEYS: " +
      "add that key again, or connect the account again.",
  );
}

function unreadable(cause?: Error): SyncError {
  return new SyncError(
    "credentials_invalid",
    "The stored token cannot be decrypted: it was changed or belongs to another endpoint. " +
      "Connect the account again.",
    cause === undefined ? {} : { cause },
  );
}
