import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { join } from "node:path";
import { z } from "zod";
import { StackError } from "./failure.ts";
import { registerSecret } from "./leaks/register.ts";

const ALGORITHM = "ES256";

const StoredKeys = z.object({
  /** Signs the users' JWTs: an ES256 private key with its key id. */
  signing_key: z.looseObject({ kid: z.string(), kty: z.literal("EC"), d: z.string() }),
  publishable_key: z.string().startsWith("sb_publishable_"),
  secret_key: z.string().startsWith("sb_secret_"),
  dispatch_token: z.string().min(32),
  /** Value of CONNECTOR_TOKEN_KEYS: encryption keys by id. */
  token_keys: z.record(z.string(), z.string()),
});

/** The keys of one embedded stack, made once and kept in its state directory. */
export interface StackKeys {
  readonly signingKey: JWK & { readonly kid: string };
  /** The public half, as SUPABASE_JWKS and the well-known address publish it. */
  readonly jwks: { readonly keys: readonly JWK[] };
  readonly publishableKey: string;
  readonly secretKey: string;
  readonly dispatchToken: string;
  readonly tokenKeys: Readonly<Record<string, string>>;
}

/** A signed-in user, as far as a JWT speaks of one. */
export interface TokenUser {
  readonly id: string;
  readonly email?: string;
}

/** Options of {@linkcode signUserToken}. */
export interface SignOptions {
  /** Base address of the API; the issuer is `<api>/auth/v1`. */
  readonly apiUrl: string;
  readonly lifetimeSeconds?: number;
}

function randomText(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

async function makeStoredKeys(): Promise<z.infer<typeof StoredKeys>> {
  const pair = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  const kid = crypto.randomUUID();
  return StoredKeys.parse({
    signing_key: { ...jwk, kid, alg: ALGORITHM, use: "sig" },
    publishable_key: `sb_publishable_${randomText(24)}`,
    secret_key: `sb_secret_${randomText(24)}`,
    dispatch_token: randomText(32),
    token_keys: { local: randomText(32) },
  });
}

function present(stored: z.infer<typeof StoredKeys>): StackKeys {
  const { d: privateKey, ...publicKey } = stored.signing_key;
  registerSecret("signing_key", privateKey);
  registerSecret("secret_key", stored.secret_key);
  registerSecret("dispatch_token", stored.dispatch_token);
  for (const key of Object.values(stored.token_keys)) registerSecret("token_key", key);
  return {
    signingKey: stored.signing_key,
    jwks: { keys: [{ ...publicKey, key_ops: ["verify"] }] },
    publishableKey: stored.publishable_key,
    secretKey: stored.secret_key,
    dispatchToken: stored.dispatch_token,
    tokenKeys: stored.token_keys,
  };
}

/** Makes a set of keys that is kept nowhere: for tests. */
export async function makeKeys(): Promise<StackKeys> {
  return present(await makeStoredKeys());
}

/**
 * Returns the keys of the stack whose state is in `stateDir`, making them at the first call. The
 * file is readable by its owner alone.
 */
export async function loadKeys(stateDir: string): Promise<StackKeys> {
  const path = join(stateDir, "keys.json");
  const existing = await readKeys(path);
  if (existing !== null) return existing;
  const made = await makeStoredKeys();
  // Written beside and renamed: a start that is interrupted leaves no half file behind.
  const draft = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(draft, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  await Deno.rename(draft, path);
  return present(made);
}

async function readKeys(path: string): Promise<StackKeys | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw new StackError(`Cannot read "${path}": ${String(cause)}`, { cause });
  }
  return parseKeys(text, path);
}

function parseKeys(text: string, path: string): StackKeys {
  try {
    return present(StoredKeys.parse(JSON.parse(text)));
  } catch (cause) {
    throw new StackError(
      `Cannot use the keys in "${path}" as the file is damaged: delete it, or start with --reset`,
      { cause },
    );
  }
}

/** Signs the JWT of a user, shaped as the platform's Auth service does. */
export async function signUserToken(
  keys: Pick<StackKeys, "signingKey">,
  user: TokenUser,
  options: SignOptions,
): Promise<string> {
  const key = await importJWK(keys.signingKey, ALGORITHM);
  const claims = {
    role: "authenticated",
    ...(user.email === undefined ? {} : { email: user.email }),
  };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: keys.signingKey.kid, typ: "JWT" })
    .setSubject(user.id)
    .setAudience("authenticated")
    .setIssuer(`${options.apiUrl}/auth/v1`)
    .setIssuedAt()
    .setExpirationTime(`${options.lifetimeSeconds ?? 3600}s`)
    .sign(key);
  registerSecret("user_token", token);
  return token;
}
