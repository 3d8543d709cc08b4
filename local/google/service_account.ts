import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { dirname } from "node:path";
import { z } from "zod";
import { registerKey } from "../leaks/register.ts";

/** The fields of a service-account key file. */
export const ServiceAccountJson = z.object({
  type: z.literal("service_account"),
  project_id: z.string(),
  private_key_id: z.string(),
  private_key: z.string(),
  client_email: z.string(),
  client_id: z.string(),
  auth_uri: z.string().optional(),
  token_uri: z.string(),
  universe_domain: z.string().optional(),
});

/** A service-account key file. */
export type ServiceAccountJson = z.infer<typeof ServiceAccountJson>;

/** What a new service account is called. */
export interface NewServiceAccount {
  /** The part of its address before the `@`. */
  readonly name?: string;
  readonly projectId?: string;
  readonly tokenUri?: string;
}

/** Makes a service account with a fresh 2048-bit RSA key. `publicKey` is SPKI in PEM. */
export async function createServiceAccount(
  options: NewServiceAccount = {},
): Promise<{ readonly json: ServiceAccountJson; readonly publicKey: string }> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
  const projectId = options.projectId ?? "file-connector-local";
  const clientId = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
  const json: ServiceAccountJson = {
    type: "service_account",
    project_id: projectId,
    private_key_id: hex(crypto.getRandomValues(new Uint8Array(20))),
    private_key: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", privateKey)),
    client_email: `${options.name ?? "file-connector"}@${projectId}.iam.gserviceaccount.com`,
    client_id: `1${String(clientId).padStart(20, "0").slice(0, 20)}`,
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: options.tokenUri ?? "https://oauth2.googleapis.com/token",
    universe_domain: "googleapis.com",
  };
  registerKey("private_key", json.private_key);
  return { json, publicKey: pem("PUBLIC KEY", await crypto.subtle.exportKey("spki", publicKey)) };
}

/** Reads the key file at `path`; where there is none, makes a service account and keeps it there. */
export async function loadOrCreateServiceAccount(
  path: string,
  options: NewServiceAccount = {},
): Promise<ServiceAccountJson> {
  try {
    return ServiceAccountJson.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw new Error(`Cannot read service account key "${path}"`, { cause });
    }
  }
  const { json } = await createServiceAccount(options);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(json, null, 2) + "\n", { mode: 0o600 });
  return json;
}

/** A service account as the token endpoint knows it: who it is, and how its signature is checked. */
export class RegisteredServiceAccount {
  readonly email: string;
  readonly clientId: string;
  readonly keyId: string;
  readonly #publicKey: KeyObject;

  constructor(json: ServiceAccountJson) {
    this.email = json.client_email;
    this.clientId = json.client_id;
    this.keyId = json.private_key_id;
    this.#publicKey = createPublicKey(json.private_key);
  }

  /** Whether `signature` (base64url) is this account's RS256 signature of `signed`. */
  hasSigned(signed: string, signature: string): boolean {
    const bytes = Buffer.from(signature, "base64url");
    return verify("RSA-SHA256", Buffer.from(signed), this.#publicKey, bytes);
  }
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
