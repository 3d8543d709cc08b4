/** What is stored in clear is found, also after it has been written over, deleted or emptied out. */
import assert from "node:assert/strict";
import {
  keepEverything,
  searchDatabase,
  type Watch,
  watchDatabase,
} from "../../local/leaks/database_watch.ts";
import { type Leak, Leaks, rowsOf, searchTexts } from "../../local/leaks/places.ts";
import { notedFiles, runFolder } from "../../local/leaks/run_folder.ts";
import type { Secret as Searched } from "../../local/leaks/secret_forms.ts";
import { SecretIndex } from "../../local/leaks/secret_index.ts";
import type { GrantsDeps } from "../../supabase/functions/_shared/oauth/grants.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { connectAccount, createTestGrants, requestFor, vault } from "../oauth/granted.ts";
import { withAddress } from "../oauth/token_address.ts";
import { addEndpoint, resetDatabase, type Sql, withDatabase } from "../support/database.ts";

/** Values that the search at the end of the run does not know: it would find them, too. */
function ownSecrets(): { readonly access: Searched; readonly refresh: Searched } {
  return {
    access: { name: "access_token", value: `own-access-${crypto.randomUUID()}` },
    refresh: { name: "refresh_token", value: `own-refresh-${crypto.randomUUID()}` },
  };
}

async function search(sql: Sql, watch: Watch, secrets: readonly Searched[]): Promise<string[]> {
  const leaks = new Leaks();
  const folder = runFolder();
  assert.ok(folder !== null);
  await searchDatabase(sql, watch, new SecretIndex(secrets), leaks, await notedFiles(folder));
  return written(leaks.all());
}

async function searchRows(sql: Sql, secrets: readonly Searched[]): Promise<string[]> {
  const leaks = new Leaks();
  await searchTexts(new SecretIndex(secrets), rowsOf(sql), leaks);
  return written(leaks.all());
}

function written(leaks: readonly Leak[]): string[] {
  return leaks.map(({ secret, place }) => `${secret} in ${place}`).sort();
}

/** A vault that forgets to seal. */
const UNSEALING: GrantsDeps["vault"] = {
  ...vault,
  seal: (secret) => Promise.resolve(secret.reveal()),
};

/** A vault that seals, and takes what was stored by the other one. */
const MENDED: GrantsDeps["vault"] = {
  ...vault,
  open: (stored) => Promise.resolve(new Secret(stored)),
};

Deno.test("tokens that were stored unsealed are found in public.oauth_tokens, sealed since or emptied out", () =>
  withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      const { access, refresh } = ownSecrets();
      const secrets = [access, refresh];
      const leaks = secrets.map(({ name }) => `${name} in public.oauth_tokens`);
      await keepEverything(sql);
      const watch = await watchDatabase(sql, "now");
      const endpointId = await connectAccount(sql);
      const request = requestFor(endpointId, address.url);

      address.play = () =>
        Response.json({
          access_token: access.value,
          refresh_token: refresh.value,
          token_type: "Bearer",
          expires_in: 30,
        });
      await createTestGrants({ vault: UNSEALING }).grants.accessToken(request);
      assert.deepEqual(await searchRows(sql, secrets), leaks);

      address.play = () =>
        Response.json({ access_token: "a", refresh_token: "b", expires_in: 3_599 });
      await createTestGrants({ vault: MENDED }).grants.accessToken({
        ...request,
        refusedGeneration: 2,
      });
      assert.deepEqual(await searchRows(sql, secrets), []);
      assert.deepEqual(await search(sql, watch, secrets), leaks);

      await resetDatabase(sql);
      assert.deepEqual(await search(sql, watch, secrets), leaks);
    })
  ));

Deno.test("what was sealed all along is not found", () =>
  withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      const { access, refresh } = ownSecrets();
      await keepEverything(sql);
      const watch = await watchDatabase(sql, "now");
      const endpointId = await connectAccount(sql);
      address.play = () =>
        Response.json({
          access_token: access.value,
          refresh_token: refresh.value,
          expires_in: 3_599,
        });
      await createTestGrants().grants.accessToken(requestFor(endpointId, address.url));
      assert.deepEqual(await search(sql, watch, [access, refresh]), []);
    })
  ));

Deno.test("what was rolled back, deleted, long, or in the queue of pg_net is found", () =>
  withDatabase(async (sql) => {
    const secret = (name: string) => ({ name, value: `own-${name}-${crypto.randomUUID()}` });
    const [rolledBack, deleted, long, queued, headed] = [
      secret("rolled_back"),
      secret("deleted"),
      secret("long"),
      secret("queued"),
      secret("headed"),
    ];
    const secrets = [rolledBack, deleted, long, queued, headed];
    await keepEverything(sql);
    const watch = await watchDatabase(sql, "now");
    const endpointId = await addEndpoint(sql);
    const write = (text: string) =>
      sql`update public.endpoints set last_error_message = ${text} where id = ${endpointId}`;
    await assert.rejects(
      sql.begin(async (transaction) => {
        await transaction`
          update public.endpoints set name = ${rolledBack.value} where id = ${endpointId}`;
        throw new Error("no");
      }),
    );
    await write(deleted.value);
    await write(`${headed.value.slice(0, 40)}…`);
    // Compressed it would take a hundredth of this.
    const config = { note: `${"lorem ipsum ".repeat(900)}${long.value}` };
    await sql`
      update public.endpoints set endpoint_config = ${sql.json(config)} where id = ${endpointId}`;
    await sql`
      insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
      values ('GET', 'http://127.0.0.1:1/', ${sql.json({ a: queued.value })}, 1)`;
    await sql`delete from net.http_request_queue`;
    await sql`delete from public.endpoints`;
    assert.deepEqual(await searchRows(sql, secrets), []);
    assert.deepEqual(await search(sql, watch, secrets), [
      "deleted in public.endpoints",
      "headed in public.endpoints",
      "long in public.endpoints",
      "queued in net.http_request_queue",
      "rolled_back in public.endpoints",
    ]);
  }));

Deno.test("no value hides where the pages of the write-ahead log meet", () =>
  withDatabase(async (sql) => {
    const secrets = Array.from({ length: 600 }, (_, n) => ({
      name: `value ${n}`,
      value: crypto.randomUUID() + crypto.randomUUID(),
    }));
    await keepEverything(sql);
    const watch = await watchDatabase(sql, "now");
    const endpointId = await addEndpoint(sql);
    const values = secrets.map(({ value }) => value);
    await sql`
      insert into public.sync_logs (endpoint_id, status, trigger, mode, error_message, finished_at)
      select ${endpointId}, 'failed', 'schedule', 'full', v, now() from unnest(${values}::text[]) as v`;
    await sql`delete from public.sync_logs`;
    const found = await search(sql, watch, secrets);
    assert.deepEqual(found, secrets.map(({ name }) => `${name} in public.sync_logs`).sort());
  }));
