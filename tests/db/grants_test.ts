import assert from "node:assert/strict";
import { ADA, addEndpoint, failureOf, GRACE, type Sql, withDatabase } from "../support/database.ts";
import { call, type Json } from "../support/rpc.ts";

const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();
const AGO = new Date(Date.now() - 1_000).toISOString();

/** An endpoint whose owner connected an account. */
async function connectAccount(sql: Sql, overrides: Json = {}): Promise<string> {
  const endpointId = await addEndpoint(sql);
  const stored = await call(sql, "connector_store_grant", {
    endpoint_id: endpointId,
    user_id: ADA,
    access_token: "access 1",
    refresh_token: "refresh 1",
    scope: "read",
    expires_at: AGO,
    ...overrides,
  });
  assert.equal(stored, true);
  return endpointId;
}

const beginRefresh = (sql: Sql, endpointId: string, more: Json = {}) =>
  call(sql, "connector_begin_refresh", {
    endpoint_id: endpointId,
    margin_seconds: 300,
    lease_seconds: 60,
    ...more,
  });

const storeRefresh = (sql: Sql, endpointId: string, generation: unknown, n: number) =>
  call(sql, "connector_store_refresh", {
    endpoint_id: endpointId,
    generation,
    access_token: `access ${n}`,
    refresh_token: `refresh ${n}`,
    expires_at: IN_AN_HOUR,
  });

async function activeToken(sql: Sql, endpointId: string) {
  const rows = await sql`
    select * from public.oauth_tokens where endpoint_id = ${endpointId} and is_active`;
  assert.equal(rows.length, 1);
  return rows[0];
}

async function endpointOf(sql: Sql, endpointId: string) {
  const [row] = await sql`
    select e.*, s.next_run_at <= now() as is_due, s.requested_mode, s.needs_grant
    from public.endpoints as e join connector.endpoint_states as s on s.endpoint_id = e.id
    where e.id = ${endpointId}`;
  return row;
}

Deno.test("a new grant retires the old token with its values and makes the endpoint due in full", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    await sql`
      update connector.endpoint_states set next_run_at = now() + interval '1 hour',
        requested_at = null, requested_mode = null, can_sync_incrementally = true
      where endpoint_id = ${endpointId}`;
    await call(sql, "connector_store_grant", {
      endpoint_id: endpointId,
      user_id: ADA,
      access_token: "access 2",
      refresh_token: "refresh 2",
      expires_at: IN_AN_HOUR,
    });
    assert.equal((await activeToken(sql, endpointId))?.refresh_token, "refresh 2");
    const retired = await sql`
      select access_token, refresh_token from public.oauth_tokens
      where endpoint_id = ${endpointId} and not is_active`;
    assert.deepEqual([...retired], [{ access_token: "", refresh_token: null }]);
    const endpoint = await endpointOf(sql, endpointId);
    assert.equal(endpoint?.is_due, true);
    assert.equal(endpoint?.requested_mode, "full");
    assert.equal(endpoint?.needs_grant, true);
  }));

Deno.test("a new grant ends the run that was under way with the old account", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const [claimed] = await sql`select public.connector_claim(10, 10) as answer`;
    await sql`select public.connector_begin_slice(${sql.json(claimed?.answer.claims)})`;
    await call(sql, "connector_store_grant", {
      endpoint_id: endpointId,
      user_id: ADA,
      access_token: "a",
      refresh_token: "r",
      expires_at: IN_AN_HOUR,
    });
    const [state] = await sql`
      select lease_token, run_id from connector.endpoint_states where endpoint_id = ${endpointId}`;
    assert.deepEqual(state, { lease_token: null, run_id: null });
    const [run] = await sql`select status, error_code from public.sync_logs`;
    assert.deepEqual(run, { status: "partial", error_code: "superseded" });
  }));

Deno.test("a grant for an endpoint that changed hands is not stored", () =>
  withDatabase(async (sql) => {
    const endpointId = await addEndpoint(sql, { user_id: GRACE });
    const stored = await call(sql, "connector_store_grant", {
      endpoint_id: endpointId,
      user_id: ADA,
      access_token: "a",
      refresh_token: "r",
      expires_at: IN_AN_HOUR,
    });
    assert.equal(stored, false);
    assert.equal((await sql`select from public.oauth_tokens`).length, 0);
  }));

Deno.test("an endpoint that becomes one of another provider does not take its grant along", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    await sql`
      update public.endpoints
      set endpoint_type = 'autodesk_construction_cloud', endpoint_config = '{"project_id": "b.1"}'
      where id = ${endpointId}`;
    const tokens = await sql`
      select is_active, access_token, refresh_token from public.oauth_tokens
      where endpoint_id = ${endpointId}`;
    assert.deepEqual([...tokens], [{ is_active: false, access_token: "", refresh_token: null }]);
    const [consents] = await sql`select count(*)::int as count from connector.consents`;
    assert.equal(consents?.count, 0);
  }));

Deno.test("an endpoint that changes hands loses the grant of its former owner", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    await sql`update public.endpoints set user_id = ${GRACE} where id = ${endpointId}`;
    const tokens =
      await sql`select is_active, access_token, refresh_token from public.oauth_tokens`;
    assert.deepEqual([...tokens], [{ is_active: false, access_token: "", refresh_token: null }]);
  }));

Deno.test("an edit of the scope keeps the grant, and drops a token of the application's own", () =>
  withDatabase(async (sql) => {
    const granted = await connectAccount(sql);
    const own = await addEndpoint(sql);
    await sql`
      insert into public.oauth_tokens (endpoint_id, access_token, expires_at)
      values (${own}, 'sealed', ${IN_AN_HOUR})`;
    await sql`update public.endpoints set endpoint_config = '{"folder_id": "f"}'`;
    const left = await sql`select endpoint_id from public.oauth_tokens where is_active`;
    assert.deepEqual(left.map((row) => row.endpoint_id), [granted]);
  }));

Deno.test("a token of the application's own never takes a grant's place", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const [claimed] = await sql`select public.connector_claim(10, 10) as answer`;
    const lease = claimed?.answer.claims[0];
    await sql`select public.connector_begin_slice(${sql.json([lease])})`;
    await sql`select public.connector_store_token(${sql.json(lease)}, ${
      sql.json({ access_token: "own", expires_at: IN_AN_HOUR })
    })`;
    assert.equal((await activeToken(sql, endpointId))?.access_token, "access 1");
  }));

Deno.test("of twenty workers that want a token at once, one refreshes and the others wait", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => beginRefresh(sql, endpointId)),
    );
    const types = answers.map((answer) => answer.type);
    assert.equal(types.filter((type) => type === "refresh").length, 1);
    assert.equal(types.filter((type) => type === "wait").length, 19);
  }));

Deno.test("a refresh that was stored is ready for all who waited", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const mine = await beginRefresh(sql, endpointId);
    assert.equal(mine.refresh_token, "refresh 1");
    assert.equal(mine.is_outcome_unknown, false);
    assert.equal(await storeRefresh(sql, endpointId, mine.generation, 2), true);
    const theirs = await beginRefresh(sql, endpointId);
    assert.equal(theirs.type, "ready");
    assert.equal(theirs.access_token, "access 2");
    assert.equal(theirs.generation, 2);
  }));

Deno.test("a token that the provider refused is refreshed though it has time left, once", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql, { expires_at: IN_AN_HOUR });
    assert.equal((await beginRefresh(sql, endpointId)).type, "ready");
    const mine = await beginRefresh(sql, endpointId, { refused_generation: 1 });
    assert.equal(mine.type, "refresh");
    await storeRefresh(sql, endpointId, 1, 2);
    assert.equal((await beginRefresh(sql, endpointId, { refused_generation: 1 })).type, "ready");
  }));

Deno.test("an answer without a refresh token keeps the one there is", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const mine = await beginRefresh(sql, endpointId);
    await call(sql, "connector_store_refresh", {
      endpoint_id: endpointId,
      generation: mine.generation,
      access_token: "access 2",
      expires_at: IN_AN_HOUR,
    });
    assert.equal((await activeToken(sql, endpointId))?.refresh_token, "refresh 1");
  }));

Deno.test("an answer that comes after its lease is still stored, unless another one was", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const late = await beginRefresh(sql, endpointId, { lease_seconds: 0 });
    const other = await beginRefresh(sql, endpointId);
    assert.equal(other.type, "refresh");
    assert.equal(other.is_outcome_unknown, true);
    assert.equal(await storeRefresh(sql, endpointId, late.generation, 2), true);
    assert.equal(await storeRefresh(sql, endpointId, other.generation, 3), false);
    assert.equal((await activeToken(sql, endpointId))?.refresh_token, "refresh 2");
  }));

Deno.test("a refusal of a token that was replaced meanwhile ends nothing", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const first = await beginRefresh(sql, endpointId);
    await storeRefresh(sql, endpointId, first.generation, 2);
    const noted = await call(sql, "connector_fail_refresh", {
      endpoint_id: endpointId,
      generation: first.generation,
      lease_token: first.lease_token,
      is_final: true,
      code: "grant_revoked",
      message: "gone",
    });
    assert.deepEqual(noted, { type: "superseded" });
    assert.equal((await beginRefresh(sql, endpointId)).type, "ready");
  }));

Deno.test("a refusal for good ends the grant, and its owner sees it", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const mine = await beginRefresh(sql, endpointId);
    const noted = await call(sql, "connector_fail_refresh", {
      endpoint_id: endpointId,
      generation: mine.generation,
      lease_token: mine.lease_token,
      is_final: true,
      code: "grant_revoked",
      message: "Connect the account again.",
    });
    assert.deepEqual(noted, { type: "ended" });
    assert.equal((await beginRefresh(sql, endpointId)).type, "ended");
    const [row] = await sql`
      select token_status, last_sync_status, last_error_code from public.endpoint_overview`;
    assert.deepEqual(row, {
      token_status: "Needs reauthorization",
      last_sync_status: "needs_reauthorization",
      last_error_code: "grant_revoked",
    });
  }));

Deno.test("a passing failure lets the next worker try at once", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const mine = await beginRefresh(sql, endpointId);
    await call(sql, "connector_fail_refresh", {
      endpoint_id: endpointId,
      generation: mine.generation,
      lease_token: mine.lease_token,
      is_final: false,
    });
    const next = await beginRefresh(sql, endpointId);
    assert.equal(next.type, "refresh");
    assert.equal(next.is_outcome_unknown, false);
  }));

Deno.test("workers lost one after the other during a refresh end the grant, not in a loop", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const types: unknown[] = [];
    for (let n = 0; n < 5; n++) {
      types.push((await beginRefresh(sql, endpointId, { lease_seconds: 0 })).type);
    }
    assert.deepEqual(types, ["refresh", "refresh", "refresh", "ended", "ended"]);
  }));

Deno.test("a grant near its end is named to be kept alive, once an hour, and wakes the dispatcher", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql, { refresh_by: AGO, expires_at: IN_AN_HOUR });
    await sql`
      update connector.endpoint_states set next_run_at = null where endpoint_id = ${endpointId}`;
    assert.equal((await sql`select connector.tick() as did`)[0]?.did, "dispatched");
    const due = async () => (await sql`select public.connector_due_refreshes(10) as due`)[0]?.due;
    assert.deepEqual(await due(), [{ endpoint_id: endpointId, endpoint_type: "google_drive" }]);
    assert.deepEqual(await due(), []);
    assert.equal((await sql`select connector.tick() as did`)[0]?.did, "idle");
    const keep = await beginRefresh(sql, endpointId, { is_keep_alive: true });
    assert.equal(keep.type, "refresh", "though the access token has time left");
  }));

Deno.test("disconnecting returns the tokens once, keeps no value, and says what to do", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const disconnect = async () =>
      (await sql`select public.connector_disconnect(${endpointId}, ${ADA}) as tokens`)[0]?.tokens;
    assert.deepEqual(await disconnect(), { access_token: "access 1", refresh_token: "refresh 1" });
    assert.equal(await disconnect(), null);
    const tokens =
      await sql`select is_active, access_token, refresh_token from public.oauth_tokens`;
    assert.deepEqual([...tokens], [{ is_active: false, access_token: "", refresh_token: null }]);
    const endpoint = await endpointOf(sql, endpointId);
    assert.equal(endpoint?.last_sync_status, "needs_reauthorization");
    assert.equal(endpoint?.last_error_code, "grant_missing");
    assert.equal(endpoint?.needs_grant, true);
    assert.equal((await beginRefresh(sql, endpointId)).type, "missing");
  }));

Deno.test("another's endpoint is not disconnected", () =>
  withDatabase(async (sql) => {
    const endpointId = await connectAccount(sql);
    const attempt = sql`select public.connector_disconnect(${endpointId}, ${GRACE})`;
    assert.equal((await failureOf(attempt)).code, "PT404");
    assert.equal((await activeToken(sql, endpointId))?.access_token, "access 1");
  }));
