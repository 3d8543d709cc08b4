import postgres from "postgres";
import { oneLine, StackError } from "./failure.ts";

/**
 * Writes secrets into the Vault of a database, by name. `supabase db push` does so only together
 * with a pending migration: at a later start, with another port, it would leave the old address.
 */
export async function writeVaultSecrets(
  databaseUrl: string,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    for (const [name, secret] of Object.entries(secrets)) {
      const [known] = await sql`
        select vault.update_secret(s.id, ${secret}) from vault.secrets as s where s.name = ${name}`;
      if (known === undefined) await sql`select vault.create_secret(${secret}, ${name})`;
    }
  } catch (cause) {
    throw new StackError(`Cannot write to the Vault: ${oneLine(cause)}`, { cause });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
