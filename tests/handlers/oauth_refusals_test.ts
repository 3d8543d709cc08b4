/** What goes wrong at the provider's redirect: nothing is stored, and nothing secret shows. */
import assert from "node:assert/strict";
import { base64url, decodeJwt, decodeProtectedHeader, UnsecuredJWT } from "jose";
import { createConsentStates } from "../../supabase/functions/_shared/oauth/consent_state.ts";
import { readOAuthSettings } from "../../supabase/functions/_shared/config.ts";
import { createTestOAuth, REDIRECT_TO, type TestOAuth } from "../support/consents.ts";
import { ADA, addEndpoint, GRACE, type Sql, withDatabase } from "../support/database.ts";
import { environment } from "../support/function_fakes.ts";

/** Which refusal is expected: as JSON where nobody knows whom to send back, else in the redirect. */
interface Expected {
  readonly code: string;
  readonly status?: number;
}

async function assertRefused(response: Response, { code, status = 400 }: Expected): Promise<void> {
  const body = await response.clone().json();
  assert.deepEqual([response.status, body.code], [status, code]);
  assert.deepEqual(Object.keys(body), ["code", "message", "request_id"]);
}

function assertSentBack(response: Response, code: string): string {
  assert.equal(response.status, 303);
  const location = new URL(response.headers.get("location") ?? "");
  assert.equal(location.origin + location.pathname, REDIRECT_TO);
  assert.equal(location.searchParams.get("error"), code);
  assert.equal(location.searchParams.get("connected"), null);
  return location.searchParams.get("error_description") ?? "";
}

async function assertNothingStored(sql: Sql): Promise<void> {
  assert.equal((await sql`select from public.oauth_tokens`).length, 0);
  const touched = await sql`select from connector.endpoint_states where needs_grant`;
  assert.equal(touched.length, 0);
}

/** A redirect of the provider that is changed on its way. */
async function changed(
  oauth: TestOAuth,
  endpointId: string,
  change: (parameters: URLSearchParams) => void,
): Promise<Response> {
  const back = oauth.played.consent(await oauth.begin(endpointId));
  change(back.searchParams);
  return await oauth.follow(back);
}

async function withOAuth(
  test: (parts: { sql: Sql; oauth: TestOAuth; endpointId: string }) => Promise<void>,
): Promise<void> {
  await withDatabase(async (sql) => {
    await test({ sql, oauth: await createTestOAuth(), endpointId: await addEndpoint(sql) });
  });
}

Deno.test("a state is good for one redirect: a replay is refused, and the grant stays", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const url = await oauth.begin(endpointId);
    await oauth.follow(oauth.played.consent(url));
    const stored = await sql`select id from public.oauth_tokens where is_active`;
    const replayed = await oauth.follow(oauth.played.consent(url));
    await assertRefused(replayed, { code: "state_invalid" });
    assert.equal(oauth.played.exchanges, 1);
    const left = await sql`select id from public.oauth_tokens`;
    assert.deepEqual([...left], [...stored]);
    await oauth.assertNothingLeaks(sql, replayed);
  }));

Deno.test("of two redirects with one state at once, one is followed", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const url = await oauth.begin(endpointId);
    const backs = Array.from({ length: 4 }, () => oauth.played.consent(url));
    const responses = await Promise.all(backs.map((back) => oauth.follow(back)));
    assert.deepEqual(responses.map(({ status }) => status).sort(), [303, 400, 400, 400]);
    assert.equal(oauth.played.exchanges, 1);
    assert.equal((await sql`select from public.oauth_tokens`).length, 1);
  }));

Deno.test("a code that was used before is refused by the provider, and its sentence is shown", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const other = await addEndpoint(sql);
    const used = oauth.played.consent(await oauth.begin(other));
    await oauth.follow(used);
    await sql`delete from public.endpoints where id = ${other}`;
    const code = used.searchParams.get("code") ?? "";
    const response = await changed(oauth, endpointId, (back) => back.set("code", code));
    assert.match(assertSentBack(response, "grant_revoked"), /connect again/);
    await assertNothingStored(sql);
    await oauth.assertNothingLeaks(sql, response);
  }));

Deno.test("a code of somebody else's consent does not fit the verifier of this one", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const theirs = await addEndpoint(sql, { user_id: GRACE });
    const stolen = oauth.played.consent(await oauth.begin(theirs, { userId: GRACE }));
    const code = stolen.searchParams.get("code") ?? "";
    const response = await changed(oauth, endpointId, (back) => back.set("code", code));
    assertSentBack(response, "grant_revoked");
    await assertNothingStored(sql);
    await oauth.assertNothingLeaks(sql, response);
  }));

Deno.test("a wrong PKCE verifier is refused by the provider", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const url = new URL(await oauth.begin(endpointId));
    url.searchParams.set("code_challenge", "A".repeat(43));
    const response = await oauth.follow(oauth.played.consent(url.href));
    assertSentBack(response, "grant_revoked");
    await assertNothingStored(sql);
    await oauth.assertNothingLeaks(sql, response);
  }));

Deno.test("a verifier that was moved from another endpoint does not open", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const url = await oauth.begin(endpointId);
    await oauth.begin(await addEndpoint(sql));
    await sql`
      update connector.consents as c set code_verifier = other.code_verifier
      from connector.consents as other where other.endpoint_id <> c.endpoint_id`;
    assertSentBack(await oauth.follow(oauth.played.consent(url)), "credentials_invalid");
    assert.equal(oauth.played.exchanges, 0);
    await assertNothingStored(sql);
  }));

Deno.test("a redirect without a state, or with one that is not ours, is refused", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const good = new URL(await oauth.begin(endpointId)).searchParams.get("state") ?? "";
    const [header = "", payload = "", signature = ""] = good.split(".");
    const claims = decodeJwt(good);
    const kid = (id: string) =>
      base64url.encode(JSON.stringify({ ...decodeProtectedHeader(good), kid: id }));
    const states: (string | null)[] = [
      null,
      "",
      "x",
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${header}.${base64url.encode(JSON.stringify({ ...claims, sub: GRACE }))}.${signature}`,
      `${kid("unknown")}.${payload}.${signature}`,
      new UnsecuredJWT(claims).encode(),
      await oauth.sign(ADA),
    ];
    for (const state of states) {
      const response = await changed(oauth, endpointId, (back) => {
        if (state === null) back.delete("state");
        else back.set("state", state);
      });
      await assertRefused(response, { code: "state_invalid" });
      await oauth.assertNothingLeaks(sql, response);
    }
    assert.equal(oauth.played.exchanges, 0);
    await assertNothingStored(sql);
    // The consent itself is not used up by what others make of it.
    const url = await oauth.begin(endpointId);
    assert.equal((await oauth.follow(oauth.played.consent(url))).status, 303);
  }));

Deno.test("a state that names another user or endpoint than its consent is refused, and used up", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const settings = readOAuthSettings((name) => environment()[name]);
    const states = createConsentStates(settings.tokenKeys, () => new Date());
    const soon = new Date(Date.now() + 60_000);
    for (
      const other of [
        { userId: GRACE },
        { endpointId: crypto.randomUUID() },
        { consentId: crypto.randomUUID() },
      ]
    ) {
      const url = await oauth.begin(endpointId);
      const own = await states.verify(new URL(url).searchParams.get("state") ?? "");
      const forged = await states.sign({ ...own, ...other }, soon);
      const back = oauth.played.consent(url);
      back.searchParams.set("state", forged);
      await assertRefused(await oauth.follow(back), { code: "state_invalid" });
    }
    assert.equal(oauth.played.exchanges, 0);
    await assertNothingStored(sql);
  }));

Deno.test("a state is worth nothing after ten minutes, by our clock and by the database's", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const first = oauth.played.consent(await oauth.begin(endpointId));
    oauth.clock.offsetMs = 601_000;
    await assertRefused(await oauth.follow(first), { code: "state_invalid" });
    oauth.clock.offsetMs = 0;
    const second = oauth.played.consent(await oauth.begin(endpointId));
    await sql`update connector.consents set expires_at = now()`;
    await assertRefused(await oauth.follow(second), { code: "state_invalid" });
    assert.equal(oauth.played.exchanges, 0);
    await assertNothingStored(sql);
  }));

Deno.test("an endpoint that was deleted or handed over meanwhile gets no account", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const handedOver = oauth.played.consent(await oauth.begin(endpointId));
    await sql`update public.endpoints set user_id = ${GRACE}`;
    await assertRefused(await oauth.follow(handedOver), { code: "state_invalid" });
    const deleted = oauth.played.consent(await oauth.begin(endpointId, { userId: GRACE }));
    await sql`delete from public.endpoints`;
    await assertRefused(await oauth.follow(deleted), { code: "state_invalid" });
    assert.equal(oauth.played.exchanges, 0);
    await assertNothingStored(sql);
  }));

Deno.test("an endpoint that is deleted or handed over while its code is exchanged gets no account", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const exchange = oauth.played.fetch;
    const changes = [
      () => sql`update public.endpoints set user_id = ${GRACE}`,
      () => sql`delete from public.endpoints`,
    ];
    for (const [n, change] of changes.entries()) {
      const userId = n === 0 ? ADA : GRACE;
      const back = oauth.played.consent(await oauth.begin(endpointId, { userId }));
      oauth.intercept(async (input, init) => {
        await change();
        return await exchange(input, init);
      });
      const response = await oauth.follow(back);
      assertSentBack(response, "not_found");
      await assertNothingStored(sql);
      await oauth.assertNothingLeaks(sql, response);
    }
  }));

Deno.test("an endpoint that names another application meanwhile does not show it the code", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const back = oauth.played.consent(await oauth.begin(endpointId));
    oauth.played.clientId = "another client";
    assert.match(assertSentBack(await oauth.follow(back), "consent_failed"), /changed/);
    assert.equal(oauth.played.exchanges, 0);
    await assertNothingStored(sql);
  }));

Deno.test("what the provider says against a consent becomes a sentence and a code", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const said: readonly (readonly [string, string, RegExp])[] = [
      ["access_denied", "consent_denied", /refused at The Provider/],
      ["invalid_scope", "setting_invalid", /permissions/],
      ["unauthorized_client", "setting_invalid", /client id/],
      ["server_error", "unavailable", /few minutes/],
      ["temporarily_unavailable", "unavailable", /few minutes/],
      ["something_new", "consent_failed", /the error something_new/],
      ["<script>", "consent_failed", /an error of its own/],
    ];
    for (const [error, code, sentence] of said) {
      const back = oauth.played.refuse(await oauth.begin(endpointId), error);
      const response = await oauth.follow(back);
      const description = assertSentBack(response, code);
      assert.match(description, sentence);
      assert.ok(!description.includes("<"), description);
      await assertRefused(await oauth.follow(back), { code: "state_invalid" });
    }
    await assertNothingStored(sql);
  }));

Deno.test("a person who came from no page reads the refusal as JSON", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const begin = () => oauth.begin(endpointId, { redirectTo: null });
    const denied = await oauth.follow(oauth.played.refuse(await begin(), "access_denied"));
    await assertRefused(denied, { code: "consent_denied", status: 403 });
    const back = oauth.played.consent(await begin());
    back.searchParams.delete("code");
    await assertRefused(await oauth.follow(back), { code: "consent_failed", status: 502 });
    assert.equal(denied.headers.get("cache-control"), "no-store");
    assert.equal(denied.headers.get("referrer-policy"), "no-referrer");
    await assertNothingStored(sql);
  }));

Deno.test("a permission that was left out is named, and the rest is not kept", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    oauth.played.scope = "files.read";
    const response = await oauth.follow(oauth.played.consent(await oauth.begin(endpointId)));
    assert.match(assertSentBack(response, "scope_missing"), /\(offline\)/);
    await assertNothingStored(sql);
    await oauth.assertNothingLeaks(sql, response);
  }));

Deno.test("an account without a refresh token would soon be lost, so it is not connected", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    oauth.played.givesRefreshToken = false;
    const response = await oauth.follow(oauth.played.consent(await oauth.begin(endpointId)));
    assert.match(assertSentBack(response, "response_invalid"), /no refresh token/);
    await assertNothingStored(sql);
    await oauth.assertNothingLeaks(sql, response);
  }));

Deno.test("a provider that cannot be reached uses the state up, and stores nothing", () =>
  withOAuth(async ({ sql, oauth, endpointId }) => {
    const back = oauth.played.consent(await oauth.begin(endpointId));
    oauth.played.isDown = true;
    const response = await oauth.follow(back);
    assertSentBack(response, "unavailable");
    oauth.played.isDown = false;
    await assertRefused(await oauth.follow(back), { code: "state_invalid" });
    await assertNothingStored(sql);
    await oauth.assertNothingLeaks(sql, response);
  }));
