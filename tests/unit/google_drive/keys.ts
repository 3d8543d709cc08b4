import { exportPKCS8, generateKeyPair } from "jose";

/** A service account made for the tests. */
export interface TestAccount {
  readonly json: string;
  readonly pem: string;
  readonly publicKey: CryptoKey;
}

export const ACCOUNT_EMAIL = "reader@project.example";

let made: Promise<TestAccount> | undefined;

async function make(): Promise<TestAccount> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const pem = await exportPKCS8(privateKey);
  return { json: keyFile(pem), pem, publicKey };
}

/** One key pair for all tests of a file: making one takes long. */
export function testAccount(): Promise<TestAccount> {
  return made ??= make();
}

/** The text of a key file. */
export function keyFile(pem: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    type: "service_account",
    project_id: "project",
    private_key_id: "key-1",
    private_key: pem,
    client_email: ACCOUNT_EMAIL,
    token_uri: "https://elsewhere.example/token",
    ...more,
  });
}
