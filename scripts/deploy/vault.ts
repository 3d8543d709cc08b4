/**
 * What `connector.tick()` reads from Vault. `supabase db push` writes it only together with a pending
 * migration; here it is compared each time, by digest, and written where it differs.
 */
import { z } from "zod";
import { type Database, literal } from "./database.ts";

/** Values of Vault by name. */
export type VaultSecrets = Readonly<Record<string, string>>;

/** One entry that is not as it should be. */
export interface VaultDifference {
  readonly name: string;
  readonly state: "missing" | "different";
}

const Digests = z.array(z.object({ name: z.string(), digest: z.string().nullable() }));

/** Compares; no value leaves the database. */
export async function compareVault(
  database: Database,
  secrets: VaultSecrets,
): Promise<readonly VaultDifference[]> {
  const names = Object.keys(secrets).map(literal).join(", ");
  const rows = Digests.parse(
    await database.query(
      `select name, encode(sha256(convert_to(decrypted_secret, 'UTF8')), 'hex') as digest
       from vault.decrypted_secrets where name in (${names})`,
    ),
  );
  const digests = new Map(rows.map(({ name, digest }) => [name, digest]));
  const differences: VaultDifference[] = [];
  for (const [name, value] of Object.entries(secrets)) {
    const digest = digests.get(name);
    if (digest === undefined) differences.push({ name, state: "missing" });
    else if (digest !== await sha256(value)) differences.push({ name, state: "different" });
  }
  return differences;
}

/** Writes the entries that differ. */
export async function writeVault(
  database: Database,
  secrets: VaultSecrets,
  differences: readonly VaultDifference[],
): Promise<void> {
  for (const { name, state } of differences) {
    const value = literal(secrets[name] ?? "");
    await database.query(
      state === "missing"
        ? `select vault.create_secret(${value}, ${literal(name)})`
        : `select vault.update_secret(id, ${value}, name) from vault.secrets where name = ${
          literal(name)
        }`,
    );
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
