/** Every statement of docs/operations.md runs as it stands there, and switching off and on does both. */
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import {
  ADA,
  addEndpoint,
  beginSlice,
  commitPage,
  connect,
  fileRecord,
  finishSlice,
  GRACE,
  resetDatabase,
  type Sql,
  startListing,
} from "../support/database.ts";

const DOCUMENT = new URL("../../docs/operations.md", import.meta.url);

/** A fenced block, and the heading it stands below. */
interface Block {
  readonly heading: string;
  readonly sql: string;
}

const blocks = readBlocks(await Deno.readTextFile(DOCUMENT));

function readBlocks(text: string): Block[] {
  const found: Block[] = [];
  for (const section of text.split(/^## /m).slice(1)) {
    const [heading = ""] = section.split("\n");
    for (const [, sql = ""] of section.matchAll(/^```sql\n([\s\S]*?)^```$/gm)) {
      found.push({ heading, sql });
    }
  }
  return found;
}

/** The blocks below a heading, at least as many as a test needs. */
function blocksOf(heading: string, count: number): string[] {
  const found = blocks.filter((block) => block.heading === heading).map(({ sql }) => sql);
  assert.ok(found.length >= count, `"${heading}" has ${found.length} blocks of SQL`);
  return found;
}

class RolledBack extends Error {}

interface Sample {
  readonly running: string;
  readonly failed: string;
  readonly disabled: string;
}

/** Runs a test as `postgres` over sample data, and takes back all that it did. */
async function asOperator(
  test: (transaction: TransactionSql, sample: Sample) => Promise<void>,
): Promise<void> {
  const sql = connect();
  try {
    await resetDatabase(sql);
    const sample = await addSample(sql);
    await sql.begin(async (transaction) => {
      await transaction`delete from vault.secrets where name like 'connector_%'`;
      await transaction`
        select vault.create_secret('a token of this test alone, for nobody', 'connector_dispatch_token')`;
      await transaction.unsafe("set local role postgres");
      // A run of tests on a server with the real pg_cron keeps the job quiet.
      await transaction`
        select cron.alter_job(jobid, active := true) from cron.job where jobname = 'connector-tick'`;
      await test(transaction, sample);
      throw new RolledBack();
    });
  } catch (thrown) {
    if (!(thrown instanceof RolledBack)) throw thrown;
  } finally {
    await resetDatabase(sql);
    await sql.end({ timeout: 5 });
  }
}

/** An endpoint that is syncing, one that failed, one that is off; tokens, held deletions and all. */
async function addSample(sql: Sql): Promise<Sample> {
  const failed = await addEndpoint(sql, { name: "failed", user_id: GRACE });
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease);
  assert.ok(task);
  await commitPage(sql, lease, { task_id: task.id, files: [fileRecord("a")] });
  await finishSlice(sql, lease, {
    type: "failed",
    code: "unavailable",
    message: "Nobody answers.",
    remedy: "retry",
    retry_after_seconds: null,
    provider_calls: 1,
  });
  const running = await addEndpoint(sql, { name: "running", user_id: ADA });
  await beginSlice(sql);
  const disabled = await addEndpoint(sql, { name: "off", user_id: ADA, enabled: false });
  await sql`
    update connector.endpoint_states
    set held_deletions = 60, are_deletions_approved = true where endpoint_id = ${failed}`;
  await sql`
    insert into connector.folder_errors (endpoint_id, external_folder_id, failure_code, message, next_attempt_at)
    values (${failed}, 'F', 'access_denied', 'Nobody may.', now())`;
  await sql`
    insert into connector.rate_limits (bucket, units, units_per_minute, blocked_until)
    values ('a bucket', 1, 60, now() + interval '1 hour')`;
  for (const [endpoint, kid] of [[failed, "k1"], [running, "k2"]] as const) {
    const value = `${base64url(JSON.stringify({ alg: "dir", kid }))}..iv.text.tag`;
    await sql`
      insert into public.oauth_tokens
        (endpoint_id, access_token, refresh_token, grant_type, expires_at, refresh_by)
      values (${endpoint}, ${value}, ${value}, 'user', now(), now() + interval '3 days')`;
  }
  return { running, failed, disabled };
}

function base64url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The block with its gaps filled in. */
function filled(sql: string, { failed }: Sample): string {
  return sql.replaceAll("<endpoint id>", failed).replaceAll("<bucket>", "a bucket")
    .replaceAll("<value>", "https://project.example/functions/v1");
}

async function run(transaction: TransactionSql, sql: string, sample: Sample): Promise<void> {
  await transaction.unsafe(filled(sql, sample)).simple();
}

/** What switching off and on is about. */
async function stateOf(transaction: TransactionSql) {
  const endpoints = await transaction<
    { name: string; enabled: boolean; tags: string[]; is_due: boolean; is_leased: boolean }[]
  >`
    select e.name, e.enabled, e.tags, coalesce(s.next_run_at <= now(), false) and s.lease_token is null as is_due,
      s.lease_token is not null as is_leased
    from public.endpoints as e join connector.endpoint_states as s on s.endpoint_id = e.id
    order by e.name`;
  const [job] = await transaction`select active from cron.job where jobname = 'connector-tick'`;
  const runs = await transaction`select from public.sync_logs where status = 'running'`;
  return { endpoints: [...endpoints], isTicking: job?.active, running: runs.length };
}

const OFF = { tags: ["switched-off"], enabled: false, is_due: false, is_leased: false };
const ON = { tags: [], enabled: true, is_due: true, is_leased: false };
const NEVER_ON = { name: "off", enabled: false, tags: [], is_due: false, is_leased: false };

Deno.test("every statement of the runbooks runs as postgres, below every heading that has one", async () => {
  assert.ok(blocks.length >= 25, `only ${blocks.length} blocks of SQL were found`);
  for (const { heading, sql } of blocks) {
    await asOperator(async (transaction, sample) => {
      await transaction`
        select vault.create_secret('https://project.example/functions/v1', 'connector_functions_url')
        where ${!sql.includes("create_secret")}`;
      try {
        await run(transaction, sql, sample);
      } catch (cause) {
        throw new Error(`Cannot run the SQL below "${heading}": ${sql}`, { cause });
      }
    });
  }
});

Deno.test("one statement switches everything off, and one switches on what was on", () =>
  asOperator(async (transaction, sample) => {
    const [off, on] = blocksOf("Switching it off and on", 2);
    const before = await stateOf(transaction);
    assert.deepEqual([before.isTicking, before.running], [true, 1]);

    await run(transaction, off ?? "", sample);
    assert.deepEqual(await stateOf(transaction), {
      endpoints: [{ ...OFF, name: "failed" }, NEVER_ON, { ...OFF, name: "running" }],
      isTicking: false,
      running: 0,
    });
    const [ended] = await transaction`
      select error_code from public.sync_logs where endpoint_id = ${sample.running}`;
    assert.equal(ended?.error_code, "superseded");
    assert.deepEqual(
      (await transaction`select public.connector_claim(10, 10) as c`)[0]?.c.claims,
      [],
    );

    await run(transaction, on ?? "", sample);
    assert.deepEqual(await stateOf(transaction), {
      endpoints: [{ ...ON, name: "failed" }, NEVER_ON, { ...ON, name: "running" }],
      isTicking: true,
      running: 0,
    });
  }));

Deno.test("the endpoints, and the schedule, are switched off and on each by itself", () =>
  asOperator(async (transaction, sample) => {
    const [, , endpointsOff, endpointsOn, scheduleOff, scheduleOn] = blocksOf(
      "Switching it off and on",
      6,
    );
    const before = await stateOf(transaction);
    await run(transaction, scheduleOff ?? "", sample);
    assert.deepEqual(await stateOf(transaction), { ...before, isTicking: false });
    await run(transaction, scheduleOn ?? "", sample);
    assert.deepEqual(await stateOf(transaction), before);

    await run(transaction, endpointsOff ?? "", sample);
    const off = await stateOf(transaction);
    assert.deepEqual([off.isTicking, off.running], [true, 0]);
    assert.ok(off.endpoints.every(({ enabled, is_due }) => !enabled && !is_due));
    await run(transaction, endpointsOn ?? "", sample);
    const on = await stateOf(transaction);
    assert.deepEqual(
      on.endpoints.map(({ name, enabled, is_due }) => [name, enabled, is_due]),
      [["failed", true, true], ["off", false, false], ["running", true, true]],
    );
  }));

Deno.test("a provider that is back is asked at once for what failed by it, and for nothing else", () =>
  asOperator(async (transaction, sample) => {
    await transaction`
      update connector.endpoint_states set next_run_at = now() + interval '6 hours'
      where lease_token is null`;
    const again = blocksOf("A provider is down", 2)[1] ?? "";
    await run(transaction, again, sample);
    const { endpoints } = await stateOf(transaction);
    assert.deepEqual(
      endpoints.filter(({ is_due }) => is_due).map(({ name }) => name),
      ["failed"],
    );
  }));

Deno.test("the keys that seal tokens are counted, and every connected account is due to be used", () =>
  asOperator(async (transaction, sample) => {
    const [count = "", use = ""] = blocksOf("Rotating keys", 2);
    const counts = await transaction.unsafe<{ key_id: string; kind: string; count: string }[]>(
      count,
    );
    assert.deepEqual(
      counts.map(({ key_id, kind, count }) => [key_id, kind, Number(count)]),
      [["k1", "access", 1], ["k1", "refresh", 1], ["k2", "access", 1], ["k2", "refresh", 1]],
    );
    await run(transaction, use, sample);
    const [due] = await transaction`select public.connector_due_refreshes(10) as due`;
    assert.equal(due?.due.length, 2);
  }));

Deno.test("after a restore no approval stands, and everything is listed in full", () =>
  asOperator(async (transaction, sample) => {
    const [withdraw, relist] = blocksOf("Restoring a backup", 3);
    await run(transaction, withdraw ?? "", sample);
    const approved = await transaction`
      select from connector.endpoint_states where are_deletions_approved`;
    assert.equal(approved.length, 0);
    await run(transaction, relist ?? "", sample);
    const asked = await transaction`
      select from connector.endpoint_states where requested_mode = 'full'`;
    assert.equal(asked.length, 2);
  }));
