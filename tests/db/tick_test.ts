import assert from "node:assert/strict";
import { addEndpoint, claim, failureOf, type Sql, withDatabase } from "../support/database.ts";

async function tick(sql: Sql): Promise<string> {
  const [row] = await sql<{ tick: string }[]>`select connector.tick()`;
  return row?.tick ?? "";
}

/** Puts the two secrets into Vault within a transaction that is rolled back afterwards. */
async function withSecrets(
  sql: Sql,
  secrets: { readonly [name: string]: string },
  test: (transaction: Sql) => Promise<void>,
): Promise<void> {
  const reserved = await sql.reserve();
  try {
    await reserved`begin`;
    await reserved`delete from vault.secrets where name like 'connector_%'`;
    for (const [name, secret] of Object.entries(secrets)) {
      await reserved`select vault.create_secret(${secret}, ${name})`;
    }
    await test(reserved);
  } finally {
    await reserved`rollback`;
    reserved.release();
  }
}

const SECRETS = {
  connector_functions_url: "http://functions.example/functions/v1/",
  connector_dispatch_token: "the-dispatch-token",
};

Deno.test("a hundred ticks with nothing due send no request", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql, { schedule_type: "manual" });
    await addEndpoint(sql, { enabled: false });
    await withSecrets(sql, SECRETS, async (as) => {
      for (let count = 0; count < 100; count++) assert.equal(await tick(as), "idle");
      const [row] = await as`select count(*)::int as queued from net.http_request_queue`;
      assert.equal(row?.queued, 0);
    });
  }));

Deno.test("a tick with something due posts once to the dispatcher, with the token and a short time-out", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    await addEndpoint(sql);
    await withSecrets(sql, SECRETS, async (as) => {
      assert.equal(await tick(as), "dispatched");
      const queued =
        await as`select url, headers, timeout_milliseconds from net.http_request_queue`;
      assert.equal(queued.length, 1);
      assert.equal(queued[0]?.url, "http://functions.example/functions/v1/dispatcher");
      assert.equal(queued[0]?.headers["x-connector-token"], "the-dispatch-token");
      assert.ok(queued[0]?.timeout_milliseconds <= 5000);
    });
  }));

Deno.test("tick() raises when a Vault secret is missing, naming it and how to set it", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    await withSecrets(sql, { connector_functions_url: "http://x" }, async (as) => {
      const failure = await failureOf(as`select connector.tick()`);
      assert.equal(failure.code, "FC004");
      assert.match(failure.message, /connector_dispatch_token/);
      assert.match(failure.hint, /vault\.create_secret/);
    });
  }));

Deno.test("tick() records its heartbeat even when nothing is due", () =>
  withDatabase(async (sql) => {
    await tick(sql);
    const [row] = await sql`
      select (public.connector_health() ->> 'last_tick_age_seconds')::float < 5 as is_fresh`;
    assert.equal(row?.is_fresh, true);
  }));

Deno.test("tick() returns an expired lease, so that the endpoint is due again", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    await claim(sql, 1, 1);
    await sql`update connector.endpoint_states set lease_expires_at = now() - interval '1 second'`;
    await withSecrets(sql, SECRETS, async (as) => {
      assert.equal(await tick(as), "dispatched");
      const [row] = await as`select lease_token from connector.endpoint_states`;
      assert.equal(row?.lease_token, null);
    });
  }));

Deno.test("a cron schedule waiting to be planned makes a tick call the dispatcher", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    await sql`update connector.endpoint_states set next_run_at = now() + interval '1 hour'`;
    await sql`update public.endpoints set schedule_type = 'cron' where id = ${id}`;
    await withSecrets(sql, SECRETS, async (as) => assert.equal(await tick(as), "dispatched"));
  }));

Deno.test("the two scheduled jobs are there, once each, as one named call", () =>
  withDatabase(async (sql) => {
    const jobs = await sql`
      select jobname, schedule, command from cron.job where jobname like 'connector-%' order by 1`;
    assert.deepEqual(jobs.map((job) => ({ ...job })), [
      {
        jobname: "connector-retention",
        schedule: "*/5 * * * *",
        command: "select connector.apply_retention(), connector.delete_detached_listings()",
      },
      { jobname: "connector-tick", schedule: "* * * * *", command: "select connector.tick()" },
    ]);
  }));

Deno.test("apply_retention() deletes old runs, tombstones and cron history, at most a batch a call", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    await sql`
      insert into public.sync_logs (endpoint_id, status, trigger, mode, finished_at)
      select ${id}, 'completed', 'schedule', 'full', now() - interval '100 days'
      from generate_series(1, 15)`;
    await sql`
      insert into public.sync_logs (endpoint_id, status, trigger, mode, finished_at)
      values (${id}, 'completed', 'schedule', 'full', now())`;
    await sql`
      insert into public.files (endpoint_id, external_file_id, file_name, file_link, sync_status,
        deleted_at, deletion_reason)
      values (${id}, 'old', 'old', 'l', 'deleted', now() - interval '100 days', 'trashed'),
             (${id}, 'young', 'young', 'l', 'deleted', now(), 'trashed')`;
    await sql`
      insert into public.files (endpoint_id, external_file_id, file_name, file_link)
      values (${id}, 'alive', 'alive', 'l')`;
    const [first] = await sql`select connector.apply_retention(10) as gone`;
    assert.equal(first?.gone.sync_logs, 10);
    await sql`select connector.apply_retention(10)`;
    await sql`select public.connector_take_calls('retention test', 60, 1)`;
    await sql`
      update connector.rate_limits set refilled_at = now() - interval '2 days'
      where bucket = 'retention test'`;
    const [buckets] = await sql`select connector.apply_retention(10) ->> 'rate_limits' as gone`;
    assert.equal(buckets?.gone, "1");
    const [left] = await sql`
      select (select count(*)::int from public.sync_logs) as runs,
        (select string_agg(external_file_id, ' ' order by external_file_id) from public.files) as files`;
    assert.deepEqual({ ...left }, { runs: 1, files: "alive young" });
  }));

Deno.test("apply_retention() deletes tokens retired long ago and consents that nobody finished", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    await sql`
      insert into public.oauth_tokens (endpoint_id, access_token, expires_at, is_active, updated_at)
      values (${id}, '', now(), false, now() - interval '100 days'),
             (${id}, '', now(), false, now()),
             (${id}, 'sealed', now(), true, now() - interval '100 days')`;
    await sql`
      insert into connector.consents (consent_id, endpoint_id, user_id, code_verifier, expires_at)
      values (gen_random_uuid(), ${id}, gen_random_uuid(), 'sealed', now() - interval '1 minute'),
             (gen_random_uuid(), ${id}, gen_random_uuid(), 'sealed', now() + interval '1 minute')`;
    const [row] = await sql`select connector.apply_retention(10) as gone`;
    assert.equal(row?.gone.oauth_tokens, 1);
    assert.equal(row?.gone.consents, 1);
    assert.equal((await sql`select from public.oauth_tokens`).length, 2);
    assert.equal((await sql`select from connector.consents`).length, 1);
  }));
