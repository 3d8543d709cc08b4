import assert from "node:assert/strict";
import { migrate } from "../../../local/migrate.ts";
import { withDatabase, withStateDir } from "./with_database.ts";

const CONFIG = `
project_id = "probe"
[db]
major_version = 17
[db.vault]
probe_url = "env(PROBE_URL)"
`;

async function writeProject(directory: string, migration: string): Promise<void> {
  await Deno.mkdir(`${directory}/supabase/migrations`, { recursive: true });
  await Deno.writeTextFile(`${directory}/supabase/config.toml`, CONFIG);
  await Deno.writeTextFile(
    `${directory}/supabase/migrations/20260101000000_probe.sql`,
    migration,
  );
  await Deno.writeTextFile(
    `${directory}/supabase/seed.sql`,
    "insert into public.things values (1);",
  );
}

Deno.test("migrate() applies migrations, seed and Vault secrets, and may be repeated", async () => {
  await withDatabase(async ({ database, sql }) => {
    await withStateDir(async (projectDir) => {
      await writeProject(projectDir, "create table public.things (id integer);");
      const options = {
        projectDir,
        databaseUrl: database.postgresUrl,
        env: { PROBE_URL: "http://127.0.0.1:1" },
      };
      await migrate(options);
      await migrate(options);
      assert.equal((await sql`select from public.things`).length, 1);
      const [owner] = await sql`select tableowner from pg_tables where tablename = 'things'`;
      assert.equal(owner?.["tableowner"], "postgres");
      const [secret] = await sql`
        select decrypted_secret from vault.decrypted_secrets where name = 'probe_url'`;
      assert.equal(secret?.["decrypted_secret"], "http://127.0.0.1:1");
    });
  });
});

Deno.test("migrate() fails with what the CLI said", async () => {
  await withDatabase(async ({ database }) => {
    await withStateDir(async (projectDir) => {
      await writeProject(projectDir, "create table public.things (id no_such_type);");
      await assert.rejects(migrate({ projectDir, databaseUrl: database.postgresUrl }), {
        name: "StackError",
        message: /no_such_type/,
      });
    });
  });
});
