import assert from "node:assert/strict";
import {
  ADA,
  addEndpoint,
  asUser,
  failureOf,
  GRACE,
  type Sql,
  withDatabase,
} from "../support/database.ts";

/** One endpoint with a file, a run and a token for each of two people. */
async function twoTenants(sql: Sql): Promise<{ adas: string; graces: string }> {
  const adas = await addEndpoint(sql, { name: "Ada's" });
  const graces = await addEndpoint(sql, { name: "Grace's", user_id: GRACE });
  for (const id of [adas, graces]) {
    await sql`
      insert into public.files (endpoint_id, external_file_id, file_name, file_link)
      values (${id}, 'f', 'f', 'l')`;
    await sql`
      insert into public.sync_logs (endpoint_id, status, trigger, mode, finished_at, error_code)
      values (${id}, 'failed', 'schedule', 'full', now(), 'unavailable')`;
    await sql`
      insert into public.oauth_tokens (endpoint_id, access_token, expires_at)
      values (${id}, 'sealed', now())`;
  }
  return { adas, graces };
}

const READINGS = {
  endpoints: "select id as endpoint_id from public.endpoints",
  files: "select endpoint_id from public.files",
  sync_logs: "select endpoint_id from public.sync_logs",
  oauth_tokens: "select endpoint_id from public.oauth_tokens",
  endpoint_overview: "select id as endpoint_id from public.endpoint_overview",
  "connector.endpoint_states": "select endpoint_id from connector.endpoint_states",
} as const;

for (const [name, query] of Object.entries(READINGS)) {
  Deno.test(`a user sees their own rows of ${name}, and nobody else's`, () =>
    withDatabase(async (sql) => {
      const { adas, graces } = await twoTenants(sql);
      const seen = async (userId: string) =>
        (await asUser(sql, userId, (as) => as.unsafe(query))).map((row) => row.endpoint_id);
      assert.deepEqual(await seen(ADA), [adas]);
      assert.deepEqual(await seen(GRACE), [graces]);
    }));

  Deno.test(`anon is refused ${name}`, () =>
    withDatabase(async (sql) => {
      await twoTenants(sql);
      assert.equal((await failureOf(asUser(sql, null, (as) => as.unsafe(query)))).code, "42501");
    }));
}

Deno.test("sync_status() counts and names only the caller's own", () =>
  withDatabase(async (sql) => {
    const { graces } = await twoTenants(sql);
    const [row] = await asUser(sql, GRACE, (as) => as`select public.sync_status() as status`);
    assert.equal(row?.status.totals.endpoints, 1);
    assert.deepEqual(row?.status.endpoints.map((each: { id: string }) => each.id), [graces]);
    assert.deepEqual(
      row?.status.errors.map((each: { endpoint_id: string }) => each.endpoint_id),
      [graces],
    );
    assert.equal(JSON.stringify(row?.status).includes("sealed"), false);
  }));

Deno.test("sync_status() of the service role is about everybody", () =>
  withDatabase(async (sql) => {
    await twoTenants(sql);
    const [row] = await sql`select public.sync_status(1) as status`;
    assert.equal(row?.status.totals.endpoints, 2);
    assert.equal(row?.status.endpoints.length, 1, "p_limit bounds the list");
    assert.deepEqual(row?.status.by_status, { pending: 2 });
    assert.equal(row?.status.due, 2);
  }));

Deno.test("a user can neither change, delete nor take over another's endpoint", () =>
  withDatabase(async (sql) => {
    const { graces } = await twoTenants(sql);
    const before = await sql`select * from public.endpoints where id = ${graces}`;
    const changed = await asUser(sql, ADA, async (as) => [
      (await as`update public.endpoints set name = 'mine' where id = ${graces}`).count,
      (await as`delete from public.endpoints where id = ${graces}`).count,
    ]);
    assert.deepEqual(changed, [0, 0]);
    const upsert = await failureOf(
      asUser(
        sql,
        ADA,
        (as) =>
          as`insert into public.endpoints (id, name, endpoint_type, project_id, user_id)
         values (${graces}, 'mine', 'google_drive', 'p', ${ADA})
         on conflict (id) do update set name = excluded.name`,
      ),
    );
    assert.equal(upsert.code, "42501");
    assert.deepEqual(await sql`select * from public.endpoints where id = ${graces}`, before);
  }));

Deno.test("a change without a condition reaches the user's own endpoints alone", () =>
  withDatabase(async (sql) => {
    await twoTenants(sql);
    const changed = await asUser(sql, ADA, async (as) => [
      (await as`update public.endpoints set description = 'mine'`).count,
      (await as`delete from public.endpoints`).count,
    ]);
    assert.deepEqual(changed, [1, 1]);
    const [row] =
      await sql`select count(*)::int as left, min(description) as said from public.endpoints`;
    assert.deepEqual({ ...row }, { left: 1, said: null });
  }));

Deno.test("a user can make endpoints for nobody but themselves, nor give one away", () =>
  withDatabase(async (sql) => {
    const { adas } = await twoTenants(sql);
    const forGrace = await failureOf(
      asUser(
        sql,
        ADA,
        (as) =>
          as`insert into public.endpoints (name, endpoint_type, project_id, user_id)
         values ('x', 'google_drive', 'p', ${GRACE})`,
      ),
    );
    assert.equal(forGrace.code, "42501");
    const away = await failureOf(
      asUser(
        sql,
        ADA,
        (as) => as`update public.endpoints set user_id = ${GRACE} where id = ${adas}`,
      ),
    );
    assert.equal(away.code, "42501");
  }));

for (
  const statement of [
    "update public.endpoints set last_sync_status = 'completed'",
    "update public.files set file_name = 'x'",
    "delete from public.files",
    "insert into public.files (endpoint_id, external_file_id, file_name, file_link) select id, 'x', 'x', 'x' from public.endpoints",
    "update public.sync_logs set status = 'completed'",
    "delete from public.sync_logs",
    "update public.oauth_tokens set is_active = false",
    "select access_token from public.oauth_tokens",
    "select * from public.oauth_tokens",
    "select lease_token from connector.endpoint_states",
    "update connector.endpoint_states set next_run_at = now()",
    "select * from connector.folders",
    "select connector.tick()",
    "select public.connector_claim(1, 1)",
    "select public.connector_health()",
    "select decrypted_secret from vault.decrypted_secrets",
  ]
) {
  Deno.test(`a signed-in user is refused: ${statement}`, () =>
    withDatabase(async (sql) => {
      await twoTenants(sql);
      assert.equal((await failureOf(asUser(sql, ADA, (as) => as.unsafe(statement)))).code, "42501");
    }));
}

Deno.test("an owner works with their endpoint: insert, read, change, delete", () =>
  withDatabase(async (sql) => {
    const [added] = await asUser(
      sql,
      ADA,
      (as) =>
        as`insert into public.endpoints (name, endpoint_type, project_id, user_id, endpoint_config)
         values ('mine', 'google_drive', 'p', ${ADA}, '{"folder_id": "abc"}') returning id`,
    );
    const id = added?.id;
    const counts = await asUser(sql, ADA, async (as) => [
      (await as`update public.endpoints set name = 'renamed', enabled = false where id = ${id}`)
        .count,
      (await as`select * from public.endpoints where name = 'renamed'`).count,
      (await as`delete from public.endpoints where id = ${id}`).count,
    ]);
    assert.deepEqual(counts, [1, 1, 1]);
    const [left] = await sql`select count(*)::int as states from connector.endpoint_states`;
    assert.equal(left?.states, 0, "the machinery's row goes with the endpoint");
  }));

for (
  const [name, query] of Object.entries({
    files:
      "select count(*), sum(file_size), max(updated_at) from public.files group by endpoint_id",
    "files by path": "select file_path from public.files order by file_path limit 50",
    sync_logs: "select status, count(*) from public.sync_logs group by status",
  })
) {
  Deno.test(`a user's query of ${name} reads no row of others, however many there are`, () =>
    withDatabase(async (sql) => {
      await twoTenants(sql);
      await sql`
        insert into public.endpoints (name, endpoint_type, project_id, user_id)
        select 'another', 'google_drive', 'p', ${ADA} from generate_series(1, 50)`;
      await sql`
        insert into public.files (endpoint_id, external_file_id, file_name, file_link)
        select e.id, 'f' || n, 'f', 'l' from public.endpoints as e, generate_series(1, 200) as n
        where e.name = 'another'`;
      await sql`
        insert into public.sync_logs (endpoint_id, status, trigger, mode, finished_at)
        select e.id, 'completed', 'schedule', 'full', now()
        from public.endpoints as e, generate_series(1, 200) as n where e.name = 'another'`;
      await sql`analyze public.endpoints, public.files, public.sync_logs`;
      const explain = `explain (analyze, costs off, timing off, summary off, format text) ${query}`;
      const plan = (await asUser(sql, GRACE, (as) => as.unsafe(explain)))
        .map((row) => String(row["QUERY PLAN"])).join("\n");
      assert.doesNotMatch(plan, /Seq Scan on (?:files|sync_logs)/, plan);
      assert.doesNotMatch(plan, /Rows Removed by Filter: [1-9]\d{3}/, plan);
    }));
}
