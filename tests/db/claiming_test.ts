import assert from "node:assert/strict";
import {
  ADA,
  addEndpoint,
  claim,
  connect,
  failureOf,
  GRACE,
  type Lease,
  type Sql,
  withDatabase,
} from "../support/database.ts";

/** Adds `count` endpoints of one user, all due at `dueAt` or, without it, in an hour. */
async function addEndpoints(sql: Sql, count: number, userId: string, dueAt?: string) {
  await sql`
    insert into public.endpoints (name, endpoint_type, project_id, user_id)
    select 'endpoint ' || n, 'google_drive', 'p', ${userId} from generate_series(1, ${count}) as n`;
  await sql`
    update connector.endpoint_states
    set next_run_at = coalesce(${dueAt ?? null}::timestamptz, now() + interval '1 hour')
    where user_id = ${userId}`;
}

async function runningCount(sql: Sql): Promise<number> {
  const [row] = await sql<{ running: number }[]>`
    select count(*)::int as running from connector.endpoint_states where lease_token is not null`;
  return row?.running ?? -1;
}

Deno.test("of 5,000 endpoints exactly the 50 due are claimed, never more than the bound at once", () =>
  withDatabase(async (sql) => {
    await addEndpoints(sql, 4950, ADA);
    await addEndpoints(sql, 50, GRACE, "2026-01-01T00:00:00Z");
    const due = await sql<{ endpoint_id: string }[]>`
      select endpoint_id from connector.endpoint_states where next_run_at <= now()`;
    const claimed = new Set<string>();
    while (true) {
      const leases = await claim(sql, 10, 10);
      if (leases.length === 0) break;
      assert.ok(await runningCount(sql) <= 10);
      for (const lease of leases) {
        assert.ok(!claimed.has(lease.endpoint_id), "claimed twice");
        claimed.add(lease.endpoint_id);
      }
      assert.equal((await claim(sql, 10, 10)).length, 0, "claimed beyond the bound");
      await sql`
        update connector.endpoint_states
        set lease_token = null, lease_expires_at = null, next_run_at = now() + interval '5 minutes'
        where lease_token is not null`;
    }
    assert.deepEqual([...claimed].sort(), due.map((row) => row.endpoint_id).sort());
  }));

Deno.test("dispatchers on eight connections at the same instant never claim one endpoint twice", () =>
  withDatabase(async (sql) => {
    await addEndpoints(sql, 200, ADA, "2026-01-01T00:00:00Z");
    const pools = Array.from({ length: 8 }, () => connect(1));
    try {
      await Promise.all(pools.map((pool) => pool`select 1`));
      for (let round = 0; round < 5; round++) {
        const results = await Promise.all(pools.map((pool) => claim(pool, 30, 7)));
        const leases = results.flat();
        assert.equal(new Set(leases.map((lease) => lease.endpoint_id)).size, leases.length);
        assert.equal(leases.length, 30, "the bound of 30 is used up, and not passed");
        assert.equal(await runningCount(sql), 30);
        await sql`
          update connector.endpoint_states
          set lease_token = null, lease_expires_at = null where lease_token is not null`;
      }
    } finally {
      await Promise.all(pools.map((pool) => pool.end()));
    }
  }));

Deno.test("a user with 900 endpoints due does not hold up a user with three", () =>
  withDatabase(async (sql) => {
    await addEndpoints(sql, 900, ADA, "2026-01-01T00:00:00Z");
    await addEndpoints(sql, 3, GRACE, "2026-02-01T00:00:00Z");
    const leases = await claim(sql, 6, 6);
    const owners = await ownersOf(sql, leases);
    assert.equal(owners.filter((owner) => owner === GRACE).length, 3);
  }));

Deno.test("running syncs of a user count as turns taken", () =>
  withDatabase(async (sql) => {
    await addEndpoints(sql, 20, ADA, "2026-01-01T00:00:00Z");
    await claim(sql, 5, 5);
    await addEndpoints(sql, 2, GRACE, "2026-02-01T00:00:00Z");
    const owners = await ownersOf(sql, await claim(sql, 7, 2));
    assert.deepEqual(owners, [GRACE, GRACE]);
  }));

Deno.test("connector_claim() hands out the oldest due first", () =>
  withDatabase(async (sql) => {
    const older = await addEndpoint(sql, { name: "older" });
    const newer = await addEndpoint(sql, { name: "newer" });
    await sql`update connector.endpoint_states set next_run_at = '2026-01-02' where endpoint_id = ${newer}`;
    await sql`update connector.endpoint_states set next_run_at = '2026-01-01' where endpoint_id = ${older}`;
    assert.equal((await claim(sql, 10, 1))[0]?.endpoint_id, older);
  }));

Deno.test("connector_claim() takes only the asked type, and says whether more is due", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    const acc = await addEndpoint(sql, { endpoint_type: "autodesk_construction_cloud" });
    const [row] = await sql<{ c: { claims: Lease[]; more_due: boolean } }[]>`
      select public.connector_claim(10, 10, 'autodesk_construction_cloud') as c`;
    assert.deepEqual(row?.c.claims.map((lease) => lease.endpoint_id), [acc]);
    assert.equal(row?.c.more_due, false);
    const [all] = await sql<
      { c: { more_due: boolean } }[]
    >`select public.connector_claim(10, 0) as c`;
    assert.equal(all?.c.more_due, true);
  }));

Deno.test("an expired lease is returned by the next claim, and the old holder can write nothing", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    const [old] = await claim(sql, 1, 1);
    assert.ok(old);
    await sql`update connector.endpoint_states set lease_expires_at = now() - interval '1 second'`;
    const [fresh] = await claim(sql, 1, 1);
    assert.ok(fresh);
    assert.notEqual(fresh.lease_token, old.lease_token);
    const begun = await sql`select public.connector_begin_slice(${sql.json([old])}) as contexts`;
    assert.deepEqual(begun[0]?.contexts, []);
    const failure = await failureOf(
      sql`select public.connector_finish_slice(${sql.json(old)}, ${
        sql.json({ type: "continue" })
      })`,
    );
    assert.equal(failure.code, "FC001");
    const [renewed] = await sql`select public.connector_renew_lease(${sql.json(old)}) as held`;
    assert.equal(renewed?.held, false);
  }));

Deno.test("connector_renew_lease() extends a held lease", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    const [lease] = await claim(sql, 1, 1);
    assert.ok(lease);
    await sql`update connector.endpoint_states set lease_expires_at = now() + interval '1 second'`;
    const [renewed] = await sql`select public.connector_renew_lease(${sql.json(lease)}) as held`;
    assert.equal(renewed?.held, true);
    const [row] = await sql<{ left: number }[]>`
      select extract(epoch from lease_expires_at - now())::float as left from connector.endpoint_states`;
    assert.ok(row !== undefined && row.left > 100);
  }));

Deno.test("a worker that dies five times without a page ends its run as worker_lost", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    for (let death = 1; death <= 5; death++) {
      const [lease] = await claim(sql, 1, 1);
      assert.ok(lease, `nothing to claim before death ${death}`);
      await sql`select public.connector_begin_slice(${sql.json([lease])})`;
      await sql`update connector.endpoint_states set lease_expires_at = now() - interval '1 second'`;
      await sql`select connector.return_expired_leases()`;
    }
    const [run] = await sql`select status, error_code, slices from public.sync_logs`;
    assert.deepEqual({ ...run }, { status: "failed", error_code: "worker_lost", slices: 5 });
    const [endpoint] = await sql`
      select last_sync_status, last_error_code from public.endpoints where id = ${id}`;
    assert.deepEqual({ ...endpoint }, {
      last_sync_status: "failed",
      last_error_code: "worker_lost",
    });
    assert.equal(await runningCount(sql), 0);
  }));

Deno.test("connector_release() backs off, records the reason and gives the lease back", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const leases = await claim(sql, 1, 1);
    const [row] = await sql<{ released: number }[]>`
      select public.connector_release(${sql.json(leases)}, 'function_unavailable',
        'Deploy the function: supabase functions deploy sync-google-drive') as released`;
    assert.equal(row?.released, 1);
    const [state] = await sql`
      select e.last_sync_status, e.last_error_code, s.lease_token,
        s.next_run_at > now() as is_later, s.next_run_at < now() + interval '1 minute' as is_soon
      from public.endpoints e join connector.endpoint_states s on s.endpoint_id = e.id
      where e.id = ${id}`;
    assert.deepEqual({ ...state }, {
      last_sync_status: "failed",
      last_error_code: "function_unavailable",
      lease_token: null,
      is_later: true,
      is_soon: true,
    });
    const runs = await sql`select status, error_code from public.sync_logs`;
    assert.deepEqual(runs.map((run) => ({ ...run })), [
      { status: "failed", error_code: "function_unavailable" },
    ]);
  }));

Deno.test("connector_release() asks for a person where only a person can mend the reason", () =>
  withDatabase(async (sql) => {
    const cases = [
      ["setting_invalid", "needs_attention", 450],
      ["grant_missing", "needs_reauthorization", 43_200],
      ["unavailable", "failed", 15],
    ] as const;
    for (const [code, status, seconds] of cases) {
      const id = await addEndpoint(sql);
      const leases = await claim(sql, 1, 1);
      await sql`select public.connector_release(${sql.json(leases)}, ${code}, 'why')`;
      const [state] = await sql`
        select e.last_sync_status as status, e.last_error_code as code,
          s.next_run_at >= now() + make_interval(secs => ${seconds}) as is_late_enough,
          s.next_run_at <= now() + make_interval(secs => ${2 * seconds}) as is_soon_enough
        from public.endpoints e join connector.endpoint_states s on s.endpoint_id = e.id
        where e.id = ${id}`;
      assert.deepEqual({ ...state }, {
        status,
        code,
        is_late_enough: true,
        is_soon_enough: true,
      });
      await sql`delete from public.endpoints where id = ${id}`;
    }
  }));

async function ownersOf(sql: Sql, leases: readonly Lease[]): Promise<string[]> {
  const rows = await sql<{ user_id: string }[]>`
    select user_id from public.endpoints
    where id = any (${leases.map((lease) => lease.endpoint_id)}::uuid[]) order by user_id`;
  return rows.map((row) => row.user_id);
}
