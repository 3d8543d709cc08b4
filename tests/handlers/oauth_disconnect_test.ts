import assert from "node:assert/strict";
import { createTestOAuth, type TestOAuth } from "../support/consents.ts";
import { ADA, addEndpoint, GRACE, type Sql, withDatabase } from "../support/database.ts";
import { PUBLISHABLE_KEY, SECRET_KEY } from "../support/function_fakes.ts";

interface Parts {
  readonly sql: Sql;
  readonly oauth: TestOAuth;
  readonly endpointId: string;
  /** The tokens the provider issued. */
  readonly tokens: readonly string[];
}

async function withAccount(test: (parts: Parts) => Promise<void>): Promise<void> {
  await withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const endpointId = await addEndpoint(sql);
    await oauth.follow(oauth.played.consent(await oauth.begin(endpointId)));
    const tokens = [...oauth.played.secrets].filter((secret) => /^(access|refresh)-/.test(secret));
    await test({ sql, oauth, endpointId, tokens });
  });
}

async function assertDisconnected(sql: Sql): Promise<void> {
  const rows = await sql`select is_active, access_token, refresh_token from public.oauth_tokens`;
  assert.deepEqual([...rows], [{ is_active: false, access_token: "", refresh_token: null }]);
  const [endpoint] = await sql`select last_sync_status, last_error_code from public.endpoints`;
  assert.deepEqual(endpoint, {
    last_sync_status: "needs_reauthorization",
    last_error_code: "grant_missing",
  });
}

async function bearer(oauth: TestOAuth, userId: string): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await oauth.sign(userId)}` };
}

Deno.test("an owner disconnects: the refresh token is revoked, nothing is kept, and a repeat is fine", () =>
  withAccount(async ({ sql, oauth, endpointId, tokens }) => {
    const own = await bearer(oauth, ADA);
    const response = await oauth.disconnect({ endpoint_id: endpointId }, own);
    assert.equal(response.status, 200);
    const { message, ...rest } = await response.clone().json();
    assert.deepEqual(rest, { disconnected: true, revoked: true });
    assert.match(message, /ended the grant/);
    assert.deepEqual(oauth.played.revoked, tokens.filter((token) => token.startsWith("refresh-")));
    await assertDisconnected(sql);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    await oauth.assertNothingLeaks(sql, response);

    const again = await oauth.disconnect({ endpoint_id: endpointId }, own);
    assert.deepEqual(await again.json(), {
      disconnected: true,
      revoked: false,
      message: "No account was connected.",
    });
    assert.equal(oauth.played.revoked.length, 1);
  }));

Deno.test("a secret key disconnects anyone's endpoint", () =>
  withAccount(async ({ sql, oauth, endpointId }) => {
    const response = await oauth.disconnect({ endpoint_id: endpointId }, { apikey: SECRET_KEY });
    assert.equal((await response.json()).revoked, true);
    await assertDisconnected(sql);
  }));

Deno.test("a provider that cannot be reached does not keep the account connected", () =>
  withAccount(async ({ sql, oauth, endpointId }) => {
    oauth.played.isDown = true;
    const own = await bearer(oauth, ADA);
    const response = await oauth.disconnect({ endpoint_id: endpointId }, own);
    assert.equal(response.status, 200);
    const { message, ...rest } = await response.clone().json();
    assert.deepEqual(rest, { disconnected: true, revoked: false });
    assert.match(message, /take this application's access away/);
    await assertDisconnected(sql);
    assert.ok(oauth.lines.some((line) => line.includes("grant_not_revoked")));
    await oauth.assertNothingLeaks(sql, response);
  }));

Deno.test("a token that cannot be opened is deleted all the same", () =>
  withAccount(async ({ sql, oauth, endpointId }) => {
    await sql`update public.oauth_tokens set refresh_token = 'changed'`;
    const own = await bearer(oauth, ADA);
    const response = await oauth.disconnect({ endpoint_id: endpointId }, own);
    assert.equal((await response.json()).revoked, false);
    await assertDisconnected(sql);
    assert.deepEqual(oauth.played.revoked, []);
  }));

Deno.test("a consent under way is worth nothing after a disconnection", () =>
  withAccount(async ({ sql, oauth, endpointId }) => {
    const back = oauth.played.consent(await oauth.begin(endpointId));
    await oauth.disconnect({ endpoint_id: endpointId }, await bearer(oauth, ADA));
    assert.equal((await oauth.follow(back)).status, 400);
    await assertDisconnected(sql);
  }));

Deno.test("nobody disconnects another's endpoint, nor without showing who they are", () =>
  withAccount(async ({ sql, oauth, endpointId }) => {
    const body = { endpoint_id: endpointId };
    const own = await bearer(oauth, ADA);
    const attempts: [unknown, Record<string, string>, number, string][] = [
      [body, await bearer(oauth, GRACE), 404, "not_found"],
      [body, { ...await bearer(oauth, GRACE), apikey: SECRET_KEY }, 404, "not_found"],
      [body, {}, 401, "unauthorized"],
      [body, { apikey: PUBLISHABLE_KEY }, 401, "unauthorized"],
      [{}, own, 400, "body_invalid"],
      [{ endpoint_id: "1" }, own, 400, "body_invalid"],
      [{ endpoint_id: crypto.randomUUID() }, own, 404, "not_found"],
      [{ endpoint_id: crypto.randomUUID() }, { apikey: SECRET_KEY }, 404, "not_found"],
    ];
    for (const [sent, headers, status, code] of attempts) {
      const response = await oauth.disconnect(sent, headers);
      assert.deepEqual([response.status, (await response.json()).code], [status, code]);
    }
    assert.deepEqual(oauth.played.revoked, []);
    assert.equal((await sql`select from public.oauth_tokens where is_active`).length, 1);
  }));
