import assert from "node:assert/strict";
import { connected, sqlStateOf, withDatabase } from "./with_database.ts";

Deno.test("the stand-in for Vault keeps secrets as Vault does", async (t) => {
  await withDatabase(async ({ database, sql }) => {
    const secretNamed = async (name: string) => {
      const [row] = await sql`
        select decrypted_secret from vault.decrypted_secrets where name = ${name}`;
      return row?.["decrypted_secret"];
    };

    await t.step("what is stored can be read again, and is not stored in the clear", async () => {
      await sql`select vault.create_secret('grüße', 'greeting', 'a greeting')`;
      assert.equal(await secretNamed("greeting"), "grüße");
      const [stored] = await sql`select secret from vault.secrets where name = 'greeting'`;
      assert.doesNotMatch(atob(String(stored?.["secret"]).replaceAll("\n", "")), /gr/);
    });

    await t.step("a name is given once", async () => {
      assert.equal(await sqlStateOf(sql`select vault.create_secret('x', 'greeting')`), "23505");
    });

    await t.step("update_secret() changes what is given and leaves the rest", async () => {
      await sql`
        select vault.update_secret(id, 'hello') from vault.secrets where name = 'greeting'`;
      assert.equal(await secretNamed("greeting"), "hello");
      const [row] = await sql`select description from vault.secrets where name = 'greeting'`;
      assert.equal(row?.["description"], "a greeting");
    });

    await t.step("a cipher text moved to another row cannot be read", async () => {
      await connected(database.superuserUrl, async (superuser) => {
        await sql`select vault.create_secret('other', 'other')`;
        await superuser`
          update vault.secrets set secret = (select secret from vault.secrets where name = 'other')
          where name = 'greeting'`;
        assert.equal(
          await sqlStateOf(sql`select decrypted_secret from vault.decrypted_secrets`),
          "39000",
        );
      });
    });

    await t.step("neither the root key nor the table's rows are anyone's to take", async () => {
      assert.equal(await sqlStateOf(sql`select vault._root_key()`), "42501");
      assert.equal(await sqlStateOf(sql`insert into vault.secrets (secret) values ('x')`), "42501");
      await sql.begin(async (transaction) => {
        await transaction`set local role authenticated`;
        assert.equal(
          await sqlStateOf(transaction.savepoint((inner) => inner`select from vault.secrets`)),
          "42501",
        );
      });
    });
  });
});
