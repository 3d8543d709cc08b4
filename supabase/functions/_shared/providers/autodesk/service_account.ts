import { createPrivateKey } from "node:crypto";
import { importPKCS8, SignJWT } from "jose";
import { SyncError } from "../../errors.ts";
import type { Application } from "./applications.ts";
import { READ_SCOPE } from "./scopes.ts";

/** Autodesk's own name for its token address, whatever address leads there. */
const AUDIENCE = "https://developer.api.autodesk.com/authentication/v2/token";

/** How long an assertion may be used: it is sent at once. */
const ASSERTION_SECONDS = 300;

/** What a {@linkcode ServiceAccount} is made of. */
export interface ServiceAccountOptions {
  /** Under which it is configured. */
  readonly name: string;
  readonly serviceAccountId: string;
  readonly keyId: string;
  /** PEM, of either form: PKCS #1 or PKCS #8. */
  readonly privateKey: string;
  /** The application it belongs to; `null`: that of the endpoint. */
  readonly application: Application | null;
}

/** A Secure Service Account that can sign. Its private key cannot be printed. */
export class ServiceAccount {
  readonly name: string;
  readonly application: Application | null;
  readonly #options: ServiceAccountOptions;
  #imported: Promise<CryptoKey> | undefined;

  constructor(options: ServiceAccountOptions) {
    this.name = options.name;
    this.application = options.application;
    this.#options = options;
  }

  /** A signed JWT by which `clientId` asks for this account's token. */
  async signAssertion(clientId: string, now: Date): Promise<string> {
    const { serviceAccountId, keyId } = this.#options;
    this.#imported ??= importKey(this.#options);
    return await new SignJWT({ scope: [READ_SCOPE] })
      .setProtectedHeader({ alg: "RS256", kid: keyId })
      .setIssuer(clientId)
      .setSubject(serviceAccountId)
      .setAudience(AUDIENCE)
      .setExpirationTime(Math.floor(now.getTime() / 1000) + ASSERTION_SECONDS)
      .sign(await this.#imported);
  }

  toJSON(): string {
    return "[secret]";
  }
}

async function importKey({ name, privateKey }: ServiceAccountOptions): Promise<CryptoKey> {
  try {
    const pem = createPrivateKey(privateKey).export({ type: "pkcs8", format: "pem" });
    return await importPKCS8(pem.toString(), "RS256");
  } catch {
    // The parser's message is not kept: it may quote the key.
    throw new SyncError(
      "credentials_invalid",
      `Cannot use the private_key of the service account "${name}" as it is damaged or not an RSA ` +
        "key: create another key for it, and set that in CONNECTOR_AUTODESK_SERVICE_ACCOUNTS",
    );
  }
}
