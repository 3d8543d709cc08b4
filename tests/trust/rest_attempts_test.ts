/** What a signed-in user can try on another's rows with the official client, over REST. */
import assert from "node:assert/strict";
import { createClient, type PostgrestError, type SupabaseClient } from "@supabase/supabase-js";
import { signUserToken } from "../../local/keys.ts";
import { ADA, addEndpoint, GRACE, type Sql, withDatabase } from "../support/database.ts";
import { readTestStack } from "../support/test_stack.ts";

/** What every attempt is made with. */
interface Scene {
  readonly sql: Sql;
  /** Signed in as Grace, who attacks. */
  readonly grace: SupabaseClient;
  /** Signed in as nobody. */
  readonly anon: SupabaseClient;
  readonly adas: string;
  readonly graces: string;
  readonly adasFile: string;
}

async function signIn(userId: string, email: string): Promise<SupabaseClient> {
  const { api_url, publishable_key, signing_key } = readTestStack();
  const keys = { signingKey: signing_key };
  const token = await signUserToken(keys, { id: userId, email }, { apiUrl: api_url });
  return createClient(api_url, publishable_key, { accessToken: () => Promise.resolve(token) });
}

async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  await withDatabase(async (sql) => {
    const adas = await addEndpoint(sql, { name: "Ada's", endpoint_config: { folder_id: "a" } });
    const graces = await addEndpoint(sql, { name: "Grace's", user_id: GRACE });
    for (const id of [adas, graces]) {
      await sql`
        insert into public.files (endpoint_id, external_file_id, file_name, file_link)
        values (${id}, 'f', ${`file of ${id}`}, 'l')`;
      await sql`
        insert into public.sync_logs (endpoint_id, status, trigger, mode, finished_at)
        values (${id}, 'completed', 'schedule', 'full', now())`;
      await sql`
        insert into public.oauth_tokens (endpoint_id, access_token, expires_at)
        values (${id}, ${`sealed ${id}`}, now())`;
    }
    const [file] = await sql`select id from public.files where endpoint_id = ${adas}`;
    const { api_url, publishable_key } = readTestStack();
    const before = await snapshot(sql);
    await test({
      sql,
      adas,
      graces,
      adasFile: String(file?.id),
      grace: await signIn(GRACE, "grace@example.com"),
      anon: createClient(api_url, publishable_key),
    });
    assert.deepEqual(await snapshot(sql), before, "what is Ada's is as it was");
  });
}

/** Everything of Ada's, as it stands in the tables. */
async function snapshot(sql: Sql): Promise<string> {
  const [row] = await sql`
    with own as (select id from public.endpoints where name like 'Ada%' or user_id = ${ADA})
    select (select jsonb_agg(to_jsonb(e)) from public.endpoints as e
            where e.id in (select id from own)) as endpoints,
      (select jsonb_agg(to_jsonb(f)) from public.files as f
       where f.endpoint_id in (select id from own)) as files,
      (select jsonb_agg(to_jsonb(l)) from public.sync_logs as l
       where l.endpoint_id in (select id from own)) as runs,
      (select jsonb_agg(to_jsonb(t)) from public.oauth_tokens as t
       where t.endpoint_id in (select id from own)) as tokens,
      (select jsonb_agg(to_jsonb(s)) from connector.endpoint_states as s
       where s.endpoint_id in (select id from own)) as states`;
  return JSON.stringify(row);
}

type Answer = { readonly data: unknown; readonly error: PostgrestError | null };

/** The attempt is refused by the database or by PostgREST, and the refusal names nothing of Ada's. */
function assertRefused({ data, error }: Answer, scene: Scene, codes = ["42501"]): void {
  assert.ok(error !== null, `not refused: ${JSON.stringify(data)}`);
  assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
  assert.ok(!JSON.stringify(error).includes(`file of ${scene.adas}`));
  assert.ok(!JSON.stringify(error).includes("sealed"));
}

/** The attempt is let through and reaches nothing. */
function assertNothing({ data, error }: Answer): void {
  assert.equal(error, null, error?.message);
  assert.deepEqual(data, []);
}

Deno.test("another's ids in a filter find nothing", () =>
  withScene(async ({ grace, adas, adasFile }) => {
    assertNothing(await grace.from("endpoints").select().eq("id", adas));
    assertNothing(await grace.from("files").select().eq("id", adasFile));
    assertNothing(await grace.from("files").select().in("endpoint_id", [adas]));
    assertNothing(
      await grace.from("files").select().or(`endpoint_id.eq.${adas},id.eq.${adasFile}`)
        .eq("endpoint_id", adas),
    );
    assertNothing(await grace.from("sync_logs").select().eq("endpoint_id", adas));
    assertNothing(await grace.from("oauth_tokens").select("id").eq("endpoint_id", adas));
    assertNothing(await grace.from("endpoint_overview").select().eq("id", adas));
  }));

Deno.test("a negated filter, a count and an aggregate speak of one's own rows", () =>
  withScene(async ({ grace, graces }) => {
    const files = await grace.from("files").select("endpoint_id").neq("endpoint_id", graces);
    assertNothing(files);
    const { count } = await grace.from("files").select("*", { count: "exact", head: true });
    assert.equal(count, 1);
    const { data } = await grace.rpc("sync_status");
    assert.equal(data.totals.endpoints, 1);
  }));

Deno.test("embedded resources do not reach over to another's rows", () =>
  withScene(async ({ grace, adas }) => {
    const { data, error } = await grace.from("endpoints").select("id, files(endpoint_id)");
    // A REST interface may refuse embedding; it may not answer with what is another's.
    if (error === null) assert.ok(!JSON.stringify(data).includes(adas));
    else assert.equal(error.message.includes(adas), false);
  }));

Deno.test("updates and deletes of another's rows change nothing", () =>
  withScene(async ({ grace, adas }) => {
    assertNothing(
      await grace.from("endpoints").update({ name: "Grace's now" }).eq("id", adas).select(),
    );
    assertNothing(await grace.from("endpoints").delete().eq("id", adas).select());
  }));

Deno.test("an upsert over another's endpoint is refused", () =>
  withScene(async (scene) => {
    const row = {
      id: scene.adas,
      name: "taken",
      endpoint_type: "google_drive",
      project_id: "p",
      user_id: GRACE,
    };
    assertRefused(await scene.grace.from("endpoints").upsert(row).select(), scene);
    assertRefused(
      await scene.grace.from("endpoints").upsert({ ...row, user_id: ADA }).select(),
      scene,
    );
    const insert = await scene.grace.from("endpoints").insert(row).select();
    assertRefused(insert, scene, ["23505"]);
    const ignored = await scene.grace.from("endpoints")
      .upsert(row, { onConflict: "id", ignoreDuplicates: true }).select();
    assertNothing(ignored);
  }));

Deno.test("an endpoint cannot be given away, nor made in another's name", () =>
  withScene(async (scene) => {
    const { grace, graces } = scene;
    assertRefused(await grace.from("endpoints").update({ user_id: ADA }).eq("id", graces), scene);
    const row = { name: "n", endpoint_type: "google_drive", project_id: "p", user_id: ADA };
    assertRefused(await grace.from("endpoints").insert(row), scene);
  }));

Deno.test("files, runs and tokens are not written, whosever they are", () =>
  withScene(async (scene) => {
    const { grace, adas, graces } = scene;
    for (const endpoint_id of [adas, graces]) {
      const file = { endpoint_id, external_file_id: "x", file_name: "x", file_link: "x" };
      assertRefused(await grace.from("files").insert(file), scene);
      assertRefused(
        await grace.from("files").upsert(file, { onConflict: "endpoint_id,external_file_id" }),
        scene,
      );
      assertRefused(
        await grace.from("files").update({ file_name: "x" }).eq("endpoint_id", endpoint_id),
        scene,
      );
      assertRefused(await grace.from("files").delete().eq("endpoint_id", endpoint_id), scene);
      assertRefused(await grace.from("sync_logs").delete().eq("endpoint_id", endpoint_id), scene);
      assertRefused(
        await grace.from("oauth_tokens").insert({
          endpoint_id,
          access_token: "x",
          expires_at: "now",
        }),
        scene,
      );
      assertRefused(
        await grace.from("oauth_tokens").update({ is_active: false }).eq(
          "endpoint_id",
          endpoint_id,
        ),
        scene,
      );
    }
  }));

Deno.test("the machinery's columns of one's own endpoint are not written", () =>
  withScene(async (scene) => {
    const columns = {
      last_sync_status: "completed",
      last_sync_at: "2020-01-01T00:00:00Z",
      last_error_code: null,
      last_error_message: "x",
      created_at: "2020-01-01T00:00:00Z",
      updated_at: "2020-01-01T00:00:00Z",
      id: crypto.randomUUID(),
    };
    for (const [column, value] of Object.entries(columns)) {
      const update = scene.grace.from("endpoints").update({ [column]: value });
      assertRefused(await update.eq("id", scene.graces), scene);
    }
  }));

Deno.test("a token's value is seen by nobody, its owner included", () =>
  withScene(async (scene) => {
    for (const columns of ["*", "access_token", "refresh_token", "id, access_token"]) {
      assertRefused(await scene.grace.from("oauth_tokens").select(columns), scene);
    }
    const filtered = scene.grace.from("oauth_tokens").select("id").like("access_token", "sealed%");
    assertRefused(await filtered, scene);
    const ordered = scene.grace.from("oauth_tokens").select("id").order("access_token");
    assertRefused(await ordered, scene);
  }));

Deno.test("rpc with another's ids is answered as if there were no such endpoint", () =>
  withScene(async (scene) => {
    const { grace, adas } = scene;
    const unknown = crypto.randomUUID();
    for (const name of ["request_sync", "approve_deletions"]) {
      const another = await grace.rpc(name, { endpoint_id: adas });
      const none = await grace.rpc(name, { endpoint_id: unknown });
      assertRefused(another, scene, ["PT404"]);
      assert.deepEqual(
        { ...another.error, name },
        { ...none.error, name },
        "nobody can tell another's endpoint from none",
      );
    }
  }));

Deno.test("the machinery's functions are closed to users and to anon", () =>
  withScene(async (scene) => {
    const names = await scene.sql<{ name: string }[]>`
      select p.proname as name from pg_proc as p
      where p.pronamespace = 'public'::regnamespace and p.proname like 'connector\\_%'`;
    assert.ok(names.length > 20);
    for (const client of [scene.grace, scene.anon]) {
      for (const { name } of names) {
        const [row] = await scene.sql`
          select proargnames[1:pronargs] as names, oidvectortypes(proargtypes) as types
          from pg_proc where pronamespace = 'public'::regnamespace and proname = ${name}`;
        const types: string[] = String(row?.types).split(", ");
        const values: Record<string, unknown> = {};
        for (const [n, argument] of (row?.names ?? []).entries()) {
          values[argument] = exampleOf(types[n] ?? "", scene.adas);
        }
        assertRefused(await client.rpc(name, values), scene);
      }
    }
  }));

function exampleOf(type: string, id: string): unknown {
  if (type === "uuid") return id;
  if (type === "jsonb") return { endpoint_id: id };
  if (type === "text") return "google_drive";
  return 1;
}

Deno.test("other schemas are out of reach", () =>
  withScene(async (scene) => {
    for (const schema of ["connector", "vault", "cron", "net", "auth"]) {
      const answer = await scene.grace.schema(schema).from("endpoint_states").select();
      assertRefused(answer, scene, ["PGRST106"]);
    }
  }));

Deno.test("anon sees and does nothing", () =>
  withScene(async (scene) => {
    for (const table of ["endpoints", "files", "sync_logs", "oauth_tokens", "endpoint_overview"]) {
      assertRefused(await scene.anon.from(table).select(), scene);
    }
    for (const name of ["request_sync", "approve_deletions"]) {
      assertRefused(await scene.anon.rpc(name, { endpoint_id: scene.adas }), scene);
    }
    assertRefused(await scene.anon.rpc("sync_status"), scene);
  }));
