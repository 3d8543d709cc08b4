import { importPKCS8, SignJWT } from "jose";
import { z } from "zod";
import { SyncError } from "../../errors.ts";

/** Longest life Google grants an assertion, and the life of the token it buys. */
const ASSERTION_SECONDS = 3600;

const HOW_TO_GET_A_KEY =
  "Create one in the Google Cloud console (IAM & Admin, Service Accounts, Keys, Add key, JSON) " +
  "and set the whole file as the value";

const keyFile = z.object({
  type: z.literal("service_account"),
  client_email: z.email(),
  private_key: z.string().min(1),
  private_key_id: z.string().min(1).optional(),
});

/** What an assertion says besides who signs it. */
export interface AssertionClaims {
  readonly audience: string;
  readonly scope: string;
  /** The user to act for, or `null` for the service account itself. */
  readonly subject: string | null;
  readonly now: Date;
}

/** What a {@linkcode ServiceAccount} is made of. */
export interface ServiceAccountKey {
  readonly email: string;
  readonly privateKey: string;
  readonly keyId: string | undefined;
  /** Where the key comes from, as messages name it. */
  readonly setting: string;
}

/** A service account that can sign. Its private key cannot be printed, logged or made into JSON. */
export class ServiceAccount {
  readonly email: string;
  /** Where its key comes from, as messages name it. */
  readonly setting: string;
  readonly #keyId: string | undefined;
  readonly #privateKey: string;
  #imported: Promise<CryptoKey> | undefined;

  constructor({ email, privateKey, keyId, setting }: ServiceAccountKey) {
    this.email = email;
    this.setting = setting;
    this.#privateKey = privateKey;
    this.#keyId = keyId;
  }

  /** A signed JWT for the token endpoint. The key is imported once for the life of this object. */
  async signAssertion(claims: AssertionClaims): Promise<string> {
    this.#imported ??= importKey(this.#privateKey, this.setting);
    const issuedAt = Math.floor(claims.now.getTime() / 1000);
    const assertion = new SignJWT({ scope: claims.scope })
      .setProtectedHeader({
        alg: "RS256",
        typ: "JWT",
        ...(this.#keyId === undefined ? {} : { kid: this.#keyId }),
      })
      .setIssuer(this.email)
      .setAudience(claims.audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ASSERTION_SECONDS);
    if (claims.subject !== null) assertion.setSubject(claims.subject);
    return await assertion.sign(await this.#imported);
  }

  toJSON(): string {
    return "[secret]";
  }
}

async function importKey(privateKey: string, setting: string): Promise<CryptoKey> {
  try {
    return await importPKCS8(privateKey, "RS256");
  } catch (cause) {
    throw new SyncError(
      "credentials_invalid",
      "Cannot use the service account's private_key as it is damaged or not an RSA key; " +
        `download a fresh JSON key and set the whole file as ${setting}`,
      { cause },
    );
  }
}

/** Says what else than a service account's key the JSON is, where that can be told. */
function describeOther(value: unknown): string {
  const kind = z.object({ type: z.string() }).safeParse(value);
  const word = kind.success ? kind.data.type : "";
  if (word === "authorized_user") return "a person's own login, made by gcloud";
  if (word === "external_account") return "a workload identity configuration";
  const client = z.union([z.object({ web: z.unknown() }), z.object({ installed: z.unknown() })]);
  if (word === "" && client.safeParse(value).success) return "an OAuth client secret";
  return "something else";
}

function describeProblem(error: z.ZodError, value: unknown): string {
  const fields = [...new Set(error.issues.map((issue) => issue.path.join(".")))];
  if (fields.includes("type") || fields.includes("")) {
    return `it is ${describeOther(value)}. ${HOW_TO_GET_A_KEY}`;
  }
  return `it lacks a valid ${fields.join(" and ")}. ${HOW_TO_GET_A_KEY}`;
}

function describeKeyFormat(privateKey: string): string | null {
  if (/-----BEGIN PRIVATE KEY-----[\s\S]+-----END PRIVATE KEY-----/.test(privateKey)) return null;
  if (privateKey.includes("BEGIN RSA PRIVATE KEY")) return "is in PKCS #1 form";
  if (privateKey.includes("BEGIN ENCRYPTED PRIVATE KEY")) return "is encrypted";
  return "is cut off or not a PEM text";
}

/**
 * Reads a service account's JSON key, parsed or as text. Nothing of it appears in an error, not even
 * as a cause: a JSON parser's message quotes what it stumbled over.
 *
 * @param setting where the key comes from, for the messages
 */
export function parseServiceAccount(source: unknown, setting: string): ServiceAccount {
  const refuse = (problem: string) =>
    new SyncError(
      "setting_invalid",
      `Cannot read ${setting} as it must hold the JSON key of a service account: ${problem}`,
    );
  const value = typeof source === "string" ? parseJson(source) : source;
  if (value === undefined) throw refuse(`it is not JSON. ${HOW_TO_GET_A_KEY}`);
  const result = keyFile.safeParse(value);
  if (!result.success) throw refuse(describeProblem(result.error, value));
  // Copying the file through a .env file often turns its line breaks into a backslash and an n.
  const privateKey = result.data.private_key.replaceAll("\\n", "\n");
  const format = describeKeyFormat(privateKey);
  if (format !== null) {
    throw refuse(`its private_key ${format}, but must be PKCS #8. ${HOW_TO_GET_A_KEY}`);
  }
  const { client_email, private_key_id } = result.data;
  return new ServiceAccount({ email: client_email, privateKey, keyId: private_key_id, setting });
}

/** Parses JSON; `undefined` where it is none, as the parser's own message would quote the secret. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller reports it.
    return undefined;
  }
}
