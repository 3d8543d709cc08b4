import assert from "node:assert/strict";
import { generateKeyPair, SignJWT } from "jose";
import { waitFor } from "../../support/wait_for.ts";
import { ADA, GRACE, PUBLISHABLE_KEY, SECRET_KEY, withRest } from "./rest_fixture.ts";

Deno.test("who may do what through the REST stand-in", async (context) => {
  await withRest(async (rest) => {
    const { send, service, sql, tokenOf } = rest;
    const asked = async (headers: Record<string, string>) => {
      const answer = await send("/rpc/who_am_i", { headers });
      return {
        status: answer.status,
        challenge: answer.headers.get("www-authenticate"),
        body: await answer.json(),
      };
    };

    await context.step("keys and tokens decide the role", async () => {
      const token = await tokenOf(ADA);
      const roles = [
        [{ apikey: PUBLISHABLE_KEY }, "anon", null],
        [{ apikey: SECRET_KEY }, "service_role", null],
        [{ apikey: PUBLISHABLE_KEY, authorization: `Bearer ${PUBLISHABLE_KEY}` }, "anon", null],
        [{ apikey: SECRET_KEY, authorization: `Bearer ${SECRET_KEY}` }, "service_role", null],
        [{ apikey: PUBLISHABLE_KEY, authorization: `Bearer ${token}` }, "authenticated", ADA],
        [{ apikey: SECRET_KEY, authorization: `Bearer ${token}` }, "authenticated", ADA],
      ] as const;
      for (const [headers, role, uid] of roles) {
        const { status, body } = await asked(headers);
        if (role === "service_role") assert.equal(body.role, "service_role");
        assert.deepEqual([status, body.role, body.claims.role, body.uid], [200, role, role, uid]);
      }
      const byQuery = await rest.handler.fetch(
        new Request(`http://rest.test/rest/v1/rpc/who_am_i?apikey=${PUBLISHABLE_KEY}`),
      );
      assert.equal((await byQuery.json()).role, "anon");
    });

    await context.step("a request without a known key is refused", async () => {
      const without = await rest.handler.fetch(new Request("http://rest.test/rest/v1/books"));
      assert.equal(without.status, 401);
      assert.match((await without.json()).message, /No API key/);
      for (
        const headers of [
          { apikey: "sb_secret_other" },
          { apikey: "" },
          { apikey: PUBLISHABLE_KEY, authorization: "Bearer sb_secret_other" },
          { apikey: PUBLISHABLE_KEY, authorization: `Bearer ${SECRET_KEY}` },
        ]
      ) {
        assert.equal((await asked(headers)).status, 401);
      }
    });

    await context.step("a bad token is refused with the code of its fault", async () => {
      const now = Math.floor(Date.now() / 1000);
      const { privateKey } = await generateKeyPair("ES256");
      const sign = (kid: string) =>
        new SignJWT({ role: "service_role" }).setProtectedHeader({ alg: "ES256", kid })
          .setExpirationTime("1h").sign(privateKey);
      const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"role":"service_role"}')}.`.replaceAll(
        "=",
        "",
      );
      const good = await tokenOf(ADA);
      const cases = [
        [
          await tokenOf(ADA, { issuedAt: now - 900, expiresAt: now - 60 }),
          "PGRST303",
          "JWT expired",
        ],
        [await tokenOf(ADA, { notBefore: now + 300 }), "PGRST303", "JWT not yet valid"],
        [await tokenOf(ADA, { issuedAt: now + 300 }), "PGRST303", "JWT issued at future"],
        [await sign("test"), "PGRST301", "No suitable key or wrong key type"],
        [await sign("other"), "PGRST301", "No suitable key or wrong key type"],
        [good.slice(0, -6) + "AAAAAA", "PGRST301", "No suitable key or wrong key type"],
        [unsigned, "PGRST301", "Wrong or unsupported encoding algorithm"],
        ["not-a-token", "PGRST301", "Expected 3 parts in JWT; got 1"],
        ["", "PGRST301", "Empty JWT is sent in Authorization header"],
      ] as const;
      for (const [token, code, message] of cases) {
        const { status, body, challenge } = await asked({
          apikey: PUBLISHABLE_KEY,
          authorization: `Bearer ${token}`,
        });
        assert.deepEqual([status, body.code, body.message], [401, code, message]);
        assert.match(challenge ?? "", /^Bearer error="invalid_token"/);
      }
      const withinSkew = await tokenOf(ADA, { issuedAt: now - 900, expiresAt: now - 10 });
      assert.equal((await asked({ authorization: `Bearer ${withinSkew}` })).status, 200);
    });

    await context.step("a token names no role that authenticator may not take on", async () => {
      for (
        const role of [
          "postgres",
          "supabase_admin",
          "authenticator; reset role",
          "pg_read_all_data",
        ]
      ) {
        const { status, body } = await asked({
          authorization: `Bearer ${await tokenOf(ADA, { role })}`,
        });
        assert.deepEqual([status, body.code], [403, "42501"], role);
      }
      const superuser = rest.open({
        databaseUrl: rest.databaseUrl.replace("authenticator", "supabase_admin"),
      });
      const headers = {
        apikey: SECRET_KEY,
        authorization: `Bearer ${await tokenOf(ADA, { role: "postgres" })}`,
      };
      const answer = await superuser.fetch(
        new Request("http://rest.test/rest/v1/rpc/who_am_i", { headers }),
      );
      assert.equal(answer.status, 403);
      const plain = await superuser.fetch(
        new Request("http://rest.test/rest/v1/rpc/who_am_i", {
          headers: { apikey: PUBLISHABLE_KEY },
        }),
      );
      assert.equal((await plain.json()).role, "anon");
    });

    await context.step("two users see and change their own rows alone", async () => {
      const ada = await rest.clientOf(ADA);
      const grace = await rest.clientOf(GRACE);
      const nobody = await rest.clientOf(null);
      const idsOf = async (client: typeof ada) =>
        (await client.from("shelves").select("id").order("id")).data?.map((row) => row.id);
      assert.deepEqual([await idsOf(ada), await idsOf(grace)], [[1], [2, 3]]);
      const anonymous = await nobody.from("shelves").select("id");
      assert.deepEqual([anonymous.status, anonymous.error?.code], [401, "42501"]);
      const stolen = await ada.from("shelves").update({ name: "mine" }).eq("id", 2).select();
      assert.deepEqual(stolen.data, []);
      const removed = await ada.from("shelves").delete().eq("id", 3).select();
      assert.deepEqual(removed.data, []);
      const forged = await ada.from("shelves").insert({ id: 9, owner_id: GRACE, name: "x" });
      assert.deepEqual([forged.status, forged.error?.code], [403, "42501"]);
      const own = await ada.from("shelves").insert({ id: 9, owner_id: ADA, name: "x" }).select("id")
        .single();
      assert.deepEqual(own.data, { id: 9 });
      const embedded = await ada.from("books").select("id,shelves(id)").order("id");
      assert.equal(embedded.error?.code, "42501");
      const hidden = await ada.from("books").select("isbn");
      assert.deepEqual([hidden.status, hidden.error?.code], [403, "42501"]);
      const allowed = await ada.from("books").select("id,title").eq("id", 1).single();
      assert.deepEqual(allowed.data, { id: 1, title: "Compilers" });
    });

    await context.step(
      "nothing of one request is left for the next on its connection",
      async () => {
        const single = rest.open({ poolSize: 1 });
        const ask = async (headers: Record<string, string>) => {
          const answer = await single.fetch(
            new Request("http://rest.test/rest/v1/rpc/who_am_i", { headers }),
          );
          return await answer.json();
        };
        const first = await ask({
          apikey: PUBLISHABLE_KEY,
          authorization: `Bearer ${await tokenOf(ADA)}`,
        });
        const second = await ask({ apikey: PUBLISHABLE_KEY });
        assert.deepEqual([first.uid, second.uid, second.role], [ADA, null, "anon"]);
      },
    );

    await context.step("only the schema public is exposed", async () => {
      const other = await service.schema("auth").from("users").select("id");
      assert.deepEqual([other.status, other.error?.code], [406, "PGRST106"]);
      const write = await service.schema("auth").from("users").insert({ id: ADA });
      assert.deepEqual([write.status, write.error?.code], [406, "PGRST106"]);
      for (const name of ["pg_class", "pg_catalog.pg_class", "auth.users", "rpc"]) {
        assert.equal((await service.from(name).select("*")).status, 404, name);
      }
      assert.equal((await service.rpc("pg_sleep", { x: 1 })).status, 404);
    });

    await context.step("tables and functions made later are found", async () => {
      await sql.unsafe(`create table public.latecomers (id integer primary key, name text);
        grant all on public.latecomers to service_role`).simple();
      assert.equal((await service.from("latecomers").insert({ id: 1 })).status, 201);
      await sql`alter table public.latecomers add column extra text`;
      assert.equal(
        (await service.from("latecomers").update({ extra: "x" }).eq("id", 1)).status,
        204,
      );
      await sql`alter table public.latecomers rename column name to title`;
      await waitFor("the catalog to be read again", async () => {
        const { error } = await service.from("latecomers").select("name");
        return error?.code === "42703";
      });
      const { data } = await service.from("latecomers").select("*").single();
      assert.deepEqual(data, { id: 1, title: null, extra: "x" });
    });

    await context.step("a request that finds no free connection in time gets 504", async () => {
      const narrow = rest.open({ poolSize: 1, acquisitionTimeoutMs: 500 });
      await narrow.ready();
      const call = (path: string, body: string) =>
        narrow.fetch(
          new Request(`http://rest.test/rest/v1/rpc/${path}`, {
            method: "POST",
            body,
            headers: { apikey: SECRET_KEY, "content-type": "application/json" },
          }),
        );
      const slow = call("wait", '{"p_seconds":3}');
      const refused = await call("nothing", "");
      assert.deepEqual([refused.status, (await refused.json()).code], [504, "PGRST003"]);
      assert.equal((await slow).status, 204);
      const next = await call("nothing", "");
      assert.deepEqual([next.status, await next.text()], [200, "null"]);
    });

    await context.step("a database out of reach answers 503", async () => {
      const lost = rest.open({ databaseUrl: "postgresql://authenticator@127.0.0.1:1/postgres" });
      const answer = await lost.fetch(
        new Request("http://rest.test/rest/v1/books", { headers: { apikey: SECRET_KEY } }),
      );
      assert.deepEqual([answer.status, (await answer.json()).code], [503, "PGRST000"]);
    });
  });
});
