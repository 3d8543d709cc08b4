import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ADA, addEndpoint, GRACE, type Sql, withDatabase } from "../support/database.ts";
import { createTestOAuth, PUBLIC_URL, REDIRECT_TO, REDIRECT_URI } from "../support/consents.ts";
import { API_URL, PUBLISHABLE_KEY, SECRET_KEY } from "../support/function_fakes.ts";

async function activeToken(sql: Sql) {
  const rows = await sql`select * from public.oauth_tokens where is_active`;
  assert.equal(rows.length, 1);
  return rows[0];
}

function assertPrivate(response: Response): void {
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
}

Deno.test("a user connects an account: consent page, redirect, sealed grant, endpoint due in full", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const endpointId = await addEndpoint(sql);
    await sql`
      update connector.endpoint_states
      set next_run_at = now() + interval '1 day', requested_at = null, requested_mode = null`;
    const asked = await oauth.authorize(endpointId, { accept: "text/html" });
    assert.equal(asked.status, 302);
    const authorizationUrl = asked.headers.get("location") ?? "";
    const response = await oauth.follow(oauth.played.consent(authorizationUrl));
    assert.equal(response.status, 303);
    assert.equal(response.headers.get("location"), `${REDIRECT_TO}?connected=${endpointId}`);
    const token = await activeToken(sql);
    assert.equal(token?.endpoint_id, endpointId);
    assert.equal(token?.grant_type, "user");
    assert.equal(token?.scope, "files.read offline");
    assert.equal(token?.token_type, "Bearer");
    const daysLeft = (token?.refresh_by.getTime() - Date.now()) / 86_400_000;
    assert.ok(Math.abs(daysLeft - 7) < 0.01, `${daysLeft} days`);
    const [state] = await sql`
      select s.next_run_at <= now() as is_due, s.requested_mode, s.needs_grant, e.last_sync_status
      from connector.endpoint_states as s join public.endpoints as e on e.id = s.endpoint_id`;
    assert.deepEqual(state, {
      is_due: true,
      requested_mode: "full",
      needs_grant: true,
      last_sync_status: "pending",
    });
    [asked, response].forEach(assertPrivate);
    await oauth.assertNothingLeaks(sql, asked, response);
  }));

Deno.test("the provider is asked for what the endpoint needs, with state and S256 challenge", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const url = new URL(await oauth.begin(await addEndpoint(sql)));
    const { state, code_challenge, ...rest } = Object.fromEntries(url.searchParams);
    assert.equal(url.origin + url.pathname, "https://provider.example/authorize");
    assert.deepEqual(rest, {
      hint: "1",
      access: "offline",
      response_type: "code",
      client_id: "client of the tests",
      redirect_uri: `${PUBLIC_URL}/functions/v1/oauth/callback`,
      scope: "files.read offline",
      code_challenge_method: "S256",
    });
    assert.equal(REDIRECT_URI, rest.redirect_uri);
    assert.match(state ?? "", /^[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.equal(code_challenge?.length, createHash("sha256").digest("base64url").length);
    await oauth.follow(oauth.played.consent(url.href));
    const verifier = [...oauth.played.secrets].find((secret) =>
      createHash("sha256").update(secret).digest("base64url") === code_challenge
    );
    assert.match(verifier ?? "", /^[\w-]{43}$/);
  }));

Deno.test("every consent has a state, a verifier and a challenge of its own", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const endpointId = await addEndpoint(sql);
    const urls = [await oauth.begin(endpointId), await oauth.begin(endpointId)]
      .map((url) => new URL(url).searchParams);
    for (const name of ["state", "code_challenge"]) {
      assert.notEqual(urls[0]?.get(name), urls[1]?.get(name));
    }
  }));

Deno.test("without an address to go back to, a person reads that the account is connected", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const url = await oauth.begin(await addEndpoint(sql), { redirectTo: null });
    const response = await oauth.follow(oauth.played.consent(url));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(await response.text(), "Connected. You can close this window.\n");
    assertPrivate(response);
    await activeToken(sql);
  }));

Deno.test("an app that follows no redirects is told the address and how long it is good for", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const response = await oauth.authorize(await addEndpoint(sql));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assertPrivate(response);
    const body = await response.json();
    assert.deepEqual(Object.keys(body), ["authorization_url", "expires_at"]);
    const seconds = (Date.parse(body.expires_at) - Date.now()) / 1000;
    assert.ok(seconds > 590 && seconds <= 600, `${seconds}`);
  }));

Deno.test("browser apps of any origin may ask and disconnect", async () => {
  const oauth = await createTestOAuth();
  for (const path of ["authorize", "disconnect"]) {
    const response = await oauth.handler(
      new Request(`${API_URL}/oauth/${path}`, { method: "OPTIONS" }),
    );
    assert.equal(response.status, 204);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.match(response.headers.get("access-control-allow-headers") ?? "", /authorization/);
    assert.equal(response.headers.get("access-control-allow-methods"), "GET, POST");
  }
});

Deno.test("a second account takes the first one's place, whose values are not kept", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const endpointId = await addEndpoint(sql);
    await oauth.follow(oauth.played.consent(await oauth.begin(endpointId)));
    const first = await activeToken(sql);
    await oauth.follow(oauth.played.consent(await oauth.begin(endpointId)));
    const second = await activeToken(sql);
    assert.notEqual(second?.id, first?.id);
    const retired = await sql`
      select access_token, refresh_token from public.oauth_tokens where not is_active`;
    assert.deepEqual([...retired], [{ access_token: "", refresh_token: null }]);
  }));

Deno.test("an answer without scope grants what was asked for", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    oauth.played.scope = null;
    await oauth.follow(oauth.played.consent(await oauth.begin(await addEndpoint(sql))));
    assert.equal((await activeToken(sql))?.scope, null);
  }));

Deno.test("only a signed-in user may ask, and only for an endpoint of theirs", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const endpointId = await addEndpoint(sql, { user_id: GRACE });
    const ask = (headers: Record<string, string>, query = `?endpoint_id=${endpointId}`) =>
      oauth.handler(new Request(`${API_URL}/oauth/authorize${query}`, { headers }));
    const bearer = { authorization: `Bearer ${await oauth.sign(ADA)}` };
    const asked: [Response, number, string][] = [
      [await ask({}), 401, "unauthorized"],
      [await ask({ apikey: PUBLISHABLE_KEY }), 401, "unauthorized"],
      [await ask({ apikey: SECRET_KEY }), 401, "unauthorized"],
      [await ask({ authorization: "Bearer forged" }), 401, "unauthorized"],
      [await ask(bearer), 404, "not_found"],
      [await ask(bearer, `?endpoint_id=${crypto.randomUUID()}`), 404, "not_found"],
      [await ask(bearer, "?endpoint_id=1"), 400, "parameter_invalid"],
      [await ask(bearer, ""), 400, "parameter_invalid"],
    ];
    for (const [response, status, code] of asked) {
      const body = await response.json();
      assert.deepEqual([response.status, body.code], [status, code]);
      assert.deepEqual(Object.keys(body), ["code", "message", "request_id"]);
      assertPrivate(response);
    }
    assert.equal((await sql`select from connector.consents`).length, 0);
  }));

Deno.test("an address that is not allowed is refused before anything is begun", () =>
  withDatabase(async (sql) => {
    const oauth = await createTestOAuth();
    const endpointId = await addEndpoint(sql);
    for (
      const redirectTo of [
        "https://evil.example/connected",
        `${REDIRECT_TO}-not`,
        "https://app.example.com@evil.example/connected",
        "https://app.example.com:8443/connected",
        "http://app.example.com/connected",
        "https://app.example.com.evil.example/connected",
        `${REDIRECT_TO}/../admin`,
        "",
      ]
    ) {
      const response = await oauth.authorize(endpointId, { redirectTo });
      const { code, message } = await response.json();
      assert.deepEqual([response.status, code], [400, "parameter_invalid"], redirectTo);
      assert.match(message, /CONNECTOR_OAUTH_REDIRECT_URLS/);
    }
    assert.equal((await sql`select from connector.consents`).length, 0);
  }));

Deno.test("each address answers its own method, and there are no others", async () => {
  const oauth = await createTestOAuth();
  const ask = (method: string, path: string) =>
    oauth.handler(new Request(`${API_URL}/oauth${path}`, { method }));
  for (const path of ["/authorize", "/callback"]) {
    const response = await ask("POST", path);
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET"]);
    assert.equal((await ask("HEAD", path)).status, 405);
  }
  const response = await ask("GET", "/disconnect");
  assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
  for (const path of ["", "/", "/token", "/callback/", "/authorize/x"]) {
    const lost = await ask("GET", path);
    assert.deepEqual([lost.status, (await lost.json()).code], [404, "not_found"], path);
  }
});
