import assert from "node:assert/strict";
import { connected, sqlStateOf, withDatabase } from "./with_database.ts";

const USER = "33333333-3333-4333-8333-333333333333";

Deno.test("a new database has the roles, schemas and rights of a Supabase project", async (t) => {
  await withDatabase(async ({ database, sql }) => {
    await t.step("migrations run as a postgres that is no superuser", async () => {
      const [role] = await sql`
        select current_user as name, rolsuper, rolcreaterole, rolbypassrls
        from pg_roles where rolname = current_user`;
      assert.deepEqual({ ...role }, {
        name: "postgres",
        rolsuper: false,
        rolcreaterole: true,
        rolbypassrls: true,
      });
    });

    await t.step("create extension if not exists does nothing for the platform's own", async () => {
      await sql`create extension if not exists pg_cron with schema pg_catalog`;
      await sql`create extension if not exists pg_net with schema extensions`;
      await sql`create extension if not exists supabase_vault with schema vault`;
      const code = await sqlStateOf(sql`create extension postgres_fdw`);
      assert.equal(code, "42501");
    });

    await t.step("a new table is closed to the API roles until a grant opens it", async () => {
      await sql`create table public.things (id integer)`;
      for (const role of ["anon", "authenticated", "service_role"]) {
        const [right] = await sql`
          select has_table_privilege(${role}, 'public.things', 'select') as can_select,
            has_table_privilege(${role}, 'public.things', 'truncate') as can_truncate`;
        assert.deepEqual({ ...right }, { can_select: false, can_truncate: true }, role);
      }
    });

    await t.step("auth.uid() is the subject of the request's claims", async () => {
      await sql`create table public.owned (user_id uuid references auth.users (id))`;
      await sql`insert into auth.users (id, email) values (${USER}, 'a@example.com')`;
      const seen = await sql.begin(async (transaction) => {
        const claims = JSON.stringify({ sub: USER, role: "authenticated", email: "a@example.com" });
        await transaction`select set_config('request.jwt.claims', ${claims}, true)`;
        await transaction`set local role authenticated`;
        return [
          ...await transaction`
            select auth.uid(), auth.role(), auth.email(), auth.jwt() ->> 'sub' as sub`,
        ];
      });
      assert.deepEqual({ ...seen[0] }, {
        uid: USER,
        role: "authenticated",
        email: "a@example.com",
        sub: USER,
      });
    });

    await t.step(
      "authenticator logs in, has no rights of its own, and may change role",
      async () => {
        assert.ok(database.authenticatorUrl);
        await connected(database.authenticatorUrl, async (authenticator) => {
          assert.equal(await sqlStateOf(authenticator`select from auth.users`), "42501");
          const [row] = await authenticator`
          select set_config('role', 'service_role', false),
            current_setting('statement_timeout') as statement_timeout`;
          assert.equal(row?.["statement_timeout"], "8s");
        });
      },
    );

    await t.step("it says which extensions are stand-ins", () => {
      assert.deepEqual(database.standIns, ["pg_cron", "pg_net", "supabase_vault"]);
    });
  });
});
