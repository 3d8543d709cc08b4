/** Nobody waits for another in a circle, and who works for many owners waits for none of them. */
import assert from "node:assert/strict";
import {
  ADA,
  addEndpoint,
  beginSlice,
  claim,
  failureOf,
  finishSlice,
  GRACE,
  type Lease,
  type Sql,
  startListing,
  withDatabase,
} from "../support/database.ts";
import { beside, untilWaiting, whileLocked } from "../support/locking.ts";

const REMOVE = (id: string) => `delete from public.endpoints where id = '${id}'`;

/** An endpoint whose connected account is being refreshed by the third worker in a row that was lost. */
async function lostThrice(sql: Sql): Promise<string> {
  const id = await addEndpoint(sql);
  await sql`select public.connector_store_grant(${
    sql.json({
      endpoint_id: id,
      user_id: ADA,
      access_token: "a",
      refresh_token: "r",
      expires_at: "2026-01-01T00:00:00Z",
    })
  })`;
  await sql`
    insert into connector.token_refreshes (oauth_token_id, lease_token, lease_expires_at, unknown_outcomes)
    select id, gen_random_uuid(), now() - interval '1 second', 2 from public.oauth_tokens`;
  return id;
}

const ENDS_OF_GRANTS = {
  connector_begin_refresh: { margin_seconds: 300, lease_seconds: 40 },
  connector_fail_refresh: { generation: 1, is_final: true, code: "grant_revoked", message: "m" },
};

const DEEDS = {
  removed: REMOVE,
  disconnected: (id: string) => `select public.connector_disconnect('${id}')`,
};

for (const [name, request] of Object.entries(ENDS_OF_GRANTS)) {
  for (const [deed, statement] of Object.entries(DEEDS)) {
    Deno.test(`an endpoint is ${deed} while ${name}() ends its grant, and neither fails`, () =>
      withDatabase(async (sql) => {
        const id = await lostThrice(sql);
        let doing: Promise<unknown> = Promise.resolve();
        const [row] = await whileLocked(
          sql,
          "select from connector.token_refreshes for update",
          async () =>
            await sql.unsafe(`select public.${name}($1::jsonb) ->> 'type' as type`, [
              sql.json({ endpoint_id: id, ...request }),
            ]),
          async () => {
            doing = sql.unsafe(statement(id)).execute();
            doing.catch(() => {});
            await untilWaiting(sql, 2);
          },
        );
        await doing;
        assert.equal(row?.type, "ended");
        assert.deepEqual([...await sql`select from public.oauth_tokens where is_active`], []);
      }));
  }
}

Deno.test("connector_begin_consent() leaves old consents to who has them in hand", () =>
  withDatabase(async (sql) => {
    const [mine, other] = [await addEndpoint(sql), await addEndpoint(sql)];
    await sql`
      insert into connector.consents (consent_id, endpoint_id, user_id, code_verifier, expires_at)
      select gen_random_uuid(), e.id, ${ADA}, 'sealed', now() - interval '1 minute'
      from public.endpoints as e, generate_series(1, 6)`;
    const begin = (connection: Sql) =>
      connection`select public.connector_begin_consent(${
        sql.json({
          consent_id: crypto.randomUUID(),
          endpoint_id: mine,
          user_id: ADA,
          code_verifier: "sealed",
          lifetime_seconds: 600,
        })
      })`;
    await beside(REMOVE(other), "rollback", begin);
    const left = await sql`select endpoint_id from connector.consents order by expires_at`;
    assert.deepEqual(left.map((row) => row.endpoint_id), [...Array(6).fill(other), mine]);
    const ours = `select from connector.consents where endpoint_id = '${mine}' for update`;
    await beside(ours, "commit", begin);
    assert.equal((await sql`select from connector.consents`).length, 2);
  }));

/** What retention takes away, one of each kind. */
async function addHistory(sql: Sql, endpointId: string): Promise<void> {
  await sql`
    insert into public.sync_logs (endpoint_id, status, trigger, mode, finished_at)
    values (${endpointId}, 'completed', 'schedule', 'full', now() - interval '100 days')`;
  await sql`
    insert into public.files (endpoint_id, external_file_id, file_name, file_link, sync_status,
      deleted_at, deletion_reason)
    values (${endpointId}, 'f', 'f', 'l', 'deleted', now() - interval '100 days', 'trashed')`;
  await sql`
    insert into public.oauth_tokens (endpoint_id, access_token, expires_at, is_active, updated_at)
    values (${endpointId}, '', now(), false, now() - interval '100 days')`;
  await sql`
    insert into connector.consents (consent_id, endpoint_id, user_id, code_verifier, expires_at)
    values (gen_random_uuid(), ${endpointId}, ${ADA}, 'sealed', now() - interval '1 minute')`;
  await sql`select public.connector_take_calls(${endpointId}, 60, 1)`;
  await sql`update connector.rate_limits set refilled_at = now() - interval '2 days'`;
}

Deno.test("apply_retention() waits for nobody, and takes the next time what it passed over", () =>
  withDatabase(async (sql) => {
    const [kept, other] = [await addEndpoint(sql), await addEndpoint(sql)];
    await addHistory(sql, kept);
    await addHistory(sql, other);
    // Its batch is filled with what can be had.
    const retain = async (connection: Sql) => {
      const [row] = await connection`select connector.apply_retention(1) - 'cron_runs' as gone`;
      return row?.gone;
    };
    const one = { sync_logs: 1, files: 1, rate_limits: 1, oauth_tokens: 1, consents: 1 };
    const hold = `select from connector.rate_limits where bucket = '${kept}' for update;
      ${REMOVE(kept)}`;
    assert.deepEqual(await beside(hold, "rollback", retain), one);
    const [left] = await sql`
      select array[(select endpoint_id from public.sync_logs), (select endpoint_id from public.files),
        (select endpoint_id from public.oauth_tokens), (select endpoint_id from connector.consents),
        (select bucket::uuid from connector.rate_limits)] as ids`;
    assert.deepEqual(left?.ids, Array(5).fill(kept));
    assert.deepEqual(await retain(sql), one);
  }));

Deno.test("connector_claim() passes over endpoints that their owner has in hand, and takes others", () =>
  withDatabase(async (sql) => {
    const older = [await addEndpoint(sql), await addEndpoint(sql)];
    const younger = await addEndpoint(sql);
    await sql`
      update connector.endpoint_states set next_run_at = now() - interval '1 hour'
      where endpoint_id <> ${younger}`;
    for (const lock of [`delete from public.endpoints where id <> '${younger}'`, EDIT(older)]) {
      const leases = await beside(lock, "rollback", (hurried) => claim(hurried, 1, 1));
      assert.deepEqual(leases.map(({ endpoint_id }) => endpoint_id), [younger]);
      await returnLeases(sql);
    }
    assert.ok(older.includes((await claim(sql, 1, 1))[0]?.endpoint_id ?? ""));
  }));

const EDIT = (ids: readonly string[]) =>
  `update public.endpoints set name = 'renamed' where id in ('${ids.join("', '")}')`;

/** Lets the leases that are held lapse, and returns them as the next tick does. */
async function returnLeases(sql: Sql): Promise<void> {
  await sql`
    update connector.endpoint_states set lease_expires_at = now() where lease_token is not null`;
  await sql`select connector.return_expired_leases()`;
}

async function begin(sql: Sql, leases: readonly Lease[]) {
  const [row] = await sql<
    { contexts: { endpoint_id: string; run: { mode: string; trigger: string } }[] }[]
  >`
    select public.connector_begin_slice(${sql.json([...leases])}) as contexts`;
  return row?.contexts ?? [];
}

/** Three endpoints that were claimed: an idle one, one in a run, and one whose owner asked for a sync. */
async function claimedThree(sql: Sql) {
  const running = await addEndpoint(sql);
  await finishSlice(sql, await beginSlice(sql), { type: "continue", provider_calls: 1 });
  const asked = await addEndpoint(sql);
  await finishSlice(sql, await beginSliceOf(sql, asked), {
    type: "failed",
    code: "unavailable",
    message: "m",
    remedy: "retry",
  });
  await sql`select public.request_sync(${asked}, 'full')`;
  const idle = await addEndpoint(sql, { user_id: GRACE });
  const leases = await claim(sql, 10, 10);
  assert.equal(leases.length, 3);
  return { running, asked, idle, leases };
}

async function beginSliceOf(sql: Sql, id: string): Promise<Lease> {
  const leases = await claim(sql, 10, 10);
  const lease = leases.find(({ endpoint_id }) => endpoint_id === id);
  assert.ok(lease);
  await begin(sql, [lease]);
  await sql`
    update connector.endpoint_states set lease_token = null, lease_expires_at = null
    where endpoint_id <> ${id}`;
  return lease;
}

/** Endpoints with a run that is under way. */
async function runs(sql: Sql): Promise<string[]> {
  const rows = await sql`select endpoint_id from public.sync_logs where status = 'running'`;
  return rows.map((row) => row.endpoint_id);
}

const HOLDS: Record<string, (ids: readonly string[]) => string> = {
  "removes them": (ids) => `delete from public.endpoints where id in ('${ids.join("', '")}')`,
  "edits them": EDIT,
  "keeps their states": (ids) =>
    `select from connector.endpoint_states where endpoint_id in ('${ids.join("', '")}') for update`,
};

for (const [deed, hold] of Object.entries(HOLDS)) {
  Deno.test(`a batch is begun without the endpoints of an owner who ${deed}, and they lose nothing`, () =>
    withDatabase(async (sql) => {
      const { running, asked, idle, leases } = await claimedThree(sql);
      const contexts = await beside(
        hold([running, asked]),
        "rollback",
        (hurried) => begin(hurried, leases),
      );
      assert.deepEqual(contexts.map(({ endpoint_id }) => endpoint_id), [idle]);
      assert.deepEqual((await runs(sql)).sort(), [running, idle].sort());
      await returnLeases(sql);
      const again = await begin(sql, await claim(sql, 10, 10));
      assert.equal(again.length, 3);
      const { mode, trigger } = again.find((each) => each.endpoint_id === asked)?.run ?? {};
      assert.deepEqual({ mode, trigger }, { mode: "full", trigger: "request" });
      assert.deepEqual((await runs(sql)).sort(), [running, asked, idle].sort());
    }));
}

Deno.test("a batch is given back without the endpoints of an owner who removes them", () =>
  withDatabase(async (sql) => {
    const { running, asked, idle, leases } = await claimedThree(sql);
    const [row] = await beside(
      `delete from public.endpoints where id in ('${running}', '${asked}')`,
      "rollback",
      async (hurried) =>
        await hurried`
          select public.connector_release(${sql.json(leases)}, 'unavailable', 'm') as count`,
    );
    assert.equal(row?.count, 1);
    await returnLeases(sql);
    const again = await claim(sql, 10, 10);
    assert.deepEqual(again.map((lease) => lease.endpoint_id).sort(), [running, asked].sort());
    const states = await sql`
      select requested_mode from connector.endpoint_states where endpoint_id <> ${idle}
      order by requested_mode nulls last`;
    assert.deepEqual(states.map((state) => state.requested_mode), ["full", null]);
  }));

Deno.test("an endpoint is not begun while a worker that lost it still writes", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const lost = await beginSlice(sql);
    await startListing(sql, lost);
    let leases: Lease[] = [];
    const failure = await whileLocked(
      sql,
      "lock table connector.tasks in share mode",
      () => failureOf(startListing(sql, lost)),
      async (holder) => {
        await holder`update public.endpoints set enabled = false where id = ${id}`;
        await holder`update public.endpoints set enabled = true where id = ${id}`;
        await holder`select public.request_sync(${id}, 'full')`;
        leases = await claim(holder, 10, 10);
        assert.deepEqual(await begin(holder, leases), []);
      },
    );
    assert.equal(failure.code, "FC001");
    assert.equal((await begin(sql, leases)).length, 1);
  }));

Deno.test("an endpoint is disabled while a listing of it begins, and neither fails for the other", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const lease = await beginSlice(sql);
    const starting: Promise<{ code: string }>[] = [];
    await whileLocked(
      sql,
      "select from connector.endpoint_states for update",
      async () => await sql`update public.endpoints set enabled = false where id = ${id}`,
      async () => {
        starting.push(failureOf(startListing(sql, lease)));
        await untilWaiting(sql, 2);
      },
    );
    assert.equal((await starting[0])?.code, "FC001");
    assert.deepEqual(await runs(sql), []);
  }));

Deno.test("a schedule whose endpoint its owner has in hand is planned the next time", () =>
  withDatabase(async (sql) => {
    const cron = { schedule_type: "cron", schedule_cron: "0 3 1 1 *" };
    const [first, held] = [await addEndpoint(sql, cron), await addEndpoint(sql, cron)];
    await sql`update connector.endpoint_states set needs_planning = true, next_run_at = null`;
    const plan = async (connection: Sql, error: string | null) => {
      const [row] = await connection`
        select public.connector_plan_schedules((
          select jsonb_agg(u || jsonb_build_object('next_run_at', '2030-01-01T03:00:00Z', 'error', ${error}::text))
          from jsonb_array_elements(public.connector_unplanned_schedules(10)) as u)) as count`;
      return row?.count;
    };
    const unplanned = async () =>
      (await sql`select endpoint_id from connector.endpoint_states where needs_planning`)
        .map((row) => row.endpoint_id);
    assert.equal(await beside(EDIT([held]), "commit", (hurried) => plan(hurried, "m")), 1);
    assert.deepEqual(await unplanned(), [held]);
    const [refused] = await sql`
      select id from public.endpoints where last_error_code = 'schedule_invalid'`;
    assert.equal(refused?.id, first);
    assert.equal(await plan(sql, null), 1);
    assert.deepEqual(await unplanned(), []);
  }));
