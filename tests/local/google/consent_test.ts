import assert from "node:assert/strict";
import {
  asked,
  CLIENT,
  connect,
  consentStage,
  decide,
  exchange,
  filesOf,
  HOST,
  open,
  refresh,
  token,
} from "./consent.ts";
import { type Body, OWNER, READER, SCOPE } from "./support.ts";

const WIDER = "https://www.googleapis.com/auth/drive.readonly";

function errorOf(answer: Body): string {
  return `${answer["status"]} ${answer["error"]}: ${answer["error_description"]}`;
}

Deno.test("The consent page offers the people's accounts and each scope, and escapes names", async () => {
  const stage = consentStage();
  const parameters = asked({ scope: `${SCOPE} ${WIDER} openid`, login_hint: READER });
  const { status, text } = await open(stage, parameters);
  assert.equal(status, 200);
  assert.match(text, /An &#60;app&#62;/);
  assert.match(text, new RegExp(`<option value="${OWNER}">Olive Owner`));
  assert.match(text, new RegExp(`<option value="${READER}" selected>`));
  const boxes = [...text.matchAll(/type="checkbox" name="granted" value="([^"]*)" checked/g)];
  assert.deepEqual(boxes.map(([, scope]) => scope), [SCOPE, WIDER]);
  assert.match(text, /name="decision" value="deny"/);
});

Deno.test("A wrong request ends on an error page and sends nobody anywhere", async () => {
  const stage = consentStage();
  const wrong: readonly [Record<string, string | undefined>, RegExp][] = [
    [{ client_id: "other" }, /Error 401: invalid_client/],
    [{ client_id: undefined }, /Missing required parameter: client_id.*Error 400: invalid_request/],
    [{ redirect_uri: "https://app.test/back/" }, /Error 400: redirect_uri_mismatch/],
    [{ redirect_uri: "https://elsewhere.test/" }, /Error 400: redirect_uri_mismatch/],
    [{ response_type: undefined }, /Missing required parameter: response_type/],
    [{ response_type: "token" }, /Error 400: unsupported_response_type/],
    [{ scope: undefined }, /Missing required parameter: scope/],
    [{ scope: `${SCOPE} drive.dance` }, /Error 400: invalid_scope/],
    [{ code_challenge: "short" }, /Invalid code_challenge/],
    [{ code_challenge_method: "S512" }, /code_challenge_method: S512/],
    [{ code_challenge: undefined }, /Missing required parameter: code_challenge/],
    [{ access_type: "forever" }, /access_type: forever/],
    [{ prompt: "none consent" }, /prompt: none consent/],
  ];
  for (const [overrides, expected] of wrong) {
    const { status, text, location } = await open(stage, asked(overrides));
    assert.match(text, expected);
    assert.ok(status === 400 || status === 401);
    assert.equal(location, null);
  }
  const twice = await open(stage, `client_id=${CLIENT.clientId}&client_id=other`);
  assert.match(twice.text, /can only have a single value: client_id/);
});

Deno.test("A denial, an unknown account and a consent to nothing come back as access_denied", async () => {
  const stage = consentStage();
  for (
    const answer of [{ decision: "deny" }, { email: "nobody@example.com" }, { granted: [] }]
  ) {
    const query = await decide(stage, asked(), answer);
    assert.deepEqual([query.get("error"), query.get("state")], ["access_denied", "s.1"]);
    assert.equal(query.get("code"), null);
  }
  const silent = await open(stage, asked({ prompt: "none" }));
  assert.equal(new URL(silent.location ?? "").searchParams.get("error"), "interaction_required");
});

Deno.test("A token of a person sees that person's My Drive and what is shared with them", async () => {
  const stage = consentStage();
  const { model } = stage.emulator;
  const root = (email: string) => model.account(email).root.id;
  model.createFile({ name: "mine.pdf", parent: root(OWNER) });
  model.createFile({ name: "theirs.pdf", parent: root(READER) });
  const shared = model.createFile({ name: "shared.pdf", parent: root(READER) });
  model.share(shared.id, OWNER);
  const query = await decide(stage, asked({ scope: `${SCOPE} email` }));
  const email = "https://www.googleapis.com/auth/userinfo.email";
  assert.equal(query.get("scope"), `${SCOPE} ${email}`);
  const answer = await exchange(stage, query.get("code"));
  const { access_token: accessToken, refresh_token: refreshToken, ...rest } = answer;
  assert.deepEqual(rest, {
    status: 200,
    expires_in: 3599,
    scope: `${SCOPE} ${email}`,
    token_type: "Bearer",
  });
  assert.match(String(refreshToken), /^1\/\//);
  assert.equal(await filesOf(stage, accessToken), "mine.pdf, shared.pdf");
});

Deno.test("A scope that was left out is not in the answer, and the API misses it", async () => {
  const stage = consentStage();
  const parameters = asked({ scope: `${SCOPE} openid` });
  const answer = await exchange(
    stage,
    (await decide(stage, parameters, { granted: [] })).get("code"),
  );
  assert.equal(answer["scope"], "openid");
  assert.equal(await filesOf(stage, answer["access_token"]), "403");
});

Deno.test("A code is good once, for ten minutes, for its client, address and verifier", async () => {
  const stage = consentStage();
  stage.emulator.registerOAuthClient({ ...CLIENT, clientId: "client-two" });
  const code = async () => (await decide(stage)).get("code");
  const used = await code();
  assert.equal((await exchange(stage, used))["status"], 200);
  assert.equal(errorOf(await exchange(stage, used)), "400 invalid_grant: Bad Request");
  assert.equal(errorOf(await exchange(stage, "abc")), "400 invalid_grant: Malformed auth code.");
  const wrong: readonly [Record<string, string | undefined>, string][] = [
    [{ code_verifier: "w".repeat(43) }, "400 invalid_grant: Invalid code verifier."],
    [{ code_verifier: undefined }, "400 invalid_grant: Missing code verifier."],
    [{ redirect_uri: "https://app.test/" }, "400 redirect_uri_mismatch: Bad Request"],
    [{ client_id: "client-two" }, "401 unauthorized_client: Unauthorized"],
  ];
  for (const [fields, expected] of wrong) {
    const burnt = await code();
    assert.equal(errorOf(await exchange(stage, burnt, fields)), expected);
    assert.equal(errorOf(await exchange(stage, burnt)), "400 invalid_grant: Bad Request");
  }
  const late = await code();
  stage.clock.nowMs += 10 * 60_000;
  assert.equal(errorOf(await exchange(stage, late)), "400 invalid_grant: Bad Request");
  const plain = await decide(
    stage,
    asked({ code_challenge: undefined, code_challenge_method: undefined }),
  );
  assert.equal(
    errorOf(await exchange(stage, plain.get("code"))),
    "400 invalid_grant: code_verifier or verifier is not needed.",
  );
});

Deno.test("The client shows its secret in the body or in the header, not in both", async () => {
  const stage = consentStage();
  const fields = { grant_type: "refresh_token", refresh_token: "1//nothing" };
  const headers = (text: string) => ({ authorization: `Basic ${btoa(text)}` });
  const basic = headers(`${CLIENT.clientId}:${CLIENT.clientSecret}`);
  const revoked = "400 invalid_grant: Token has been expired or revoked.";
  assert.equal(errorOf(await token(stage, fields)), revoked);
  assert.equal(errorOf(await token(stage, fields, { headers: basic })), revoked);
  const both = await token(stage, { ...fields, client_id: "x" }, { headers: basic });
  assert.match(errorOf(both), /^400 invalid_request/);
  assert.match(
    errorOf(await token(stage, fields, { headers: headers("client-one:wrong") })),
    /^401 invalid_client: The provided client secret is invalid/,
  );
  assert.match(
    errorOf(await token(stage, { ...fields, client_id: "other" })),
    /^401 invalid_client: The OAuth client was not found/,
  );
  assert.match(
    errorOf(await token(stage, { ...fields, client_id: undefined })),
    /^400 invalid_request: Could not determine client ID/,
  );
});

Deno.test("A refresh token comes with the first offline consent, or when consent is insisted on", async () => {
  const stage = consentStage();
  const has = async (overrides: Readonly<Record<string, string>>) =>
    (await connect(stage, asked(overrides)))["refresh_token"] !== undefined;
  assert.equal(await has({ access_type: "online" }), false);
  assert.equal(await has({}), true);
  assert.equal(await has({}), false);
  assert.equal(await has({ scope: `${SCOPE} ${WIDER}` }), true);
  assert.equal(await has({ prompt: "consent" }), true);
  assert.equal(await has({ prompt: "consent", access_type: "online" }), false);
});

Deno.test("A refresh token stays the same, narrows on demand and ends by term, rest or revocation", async () => {
  const stage = consentStage();
  const { refresh_token: first } = await connect(stage, asked({ scope: `${SCOPE} ${WIDER}` }));
  const narrow = await refresh(stage, first, { scope: SCOPE });
  assert.deepEqual([narrow["scope"], narrow["refresh_token"]], [SCOPE, undefined]);
  assert.equal((await refresh(stage, first, { scope: "openid" }))["error"], "invalid_scope");
  const revoked = "400 invalid_grant: Token has been expired or revoked.";
  const day = 24 * 3600 * 1000;
  stage.clock.nowMs += 182 * day;
  assert.equal((await refresh(stage, first))["scope"], `${SCOPE} ${WIDER}`);
  stage.clock.nowMs += 184 * day;
  assert.equal(errorOf(await refresh(stage, first)), revoked);

  const testing = consentStage({ refreshTokenSeconds: 604_800 });
  const short = await connect(testing);
  assert.equal(short["refresh_token_expires_in"], 604_800);
  testing.clock.nowMs += 6 * day;
  assert.equal(
    (await refresh(testing, short["refresh_token"]))["refresh_token_expires_in"],
    86_400,
  );
  testing.clock.nowMs += day;
  assert.equal(errorOf(await refresh(testing, short["refresh_token"])), revoked);
});

Deno.test("An account keeps a hundred refresh tokens of a client: the oldest goes silently", async () => {
  const stage = consentStage();
  const insisting = asked({ prompt: "consent" });
  const tokens: unknown[] = [];
  for (let index = 0; index < 101; index++) {
    tokens.push((await connect(stage, insisting))["refresh_token"]);
  }
  assert.equal((await refresh(stage, tokens[0]))["error"], "invalid_grant");
  assert.equal((await refresh(stage, tokens[1]))["status"], 200);
  assert.equal((await refresh(stage, tokens[100]))["status"], 200);
});

Deno.test("A revoked token takes along all that the account gave the client, and nothing else", async () => {
  const stage = consentStage();
  const insisting = asked({ prompt: "consent" });
  const one = await connect(stage, insisting);
  const two = await connect(stage, insisting);
  const query = await decide(stage, insisting, { email: READER });
  const other = await exchange(stage, query.get("code"));
  for (const gone of [one["access_token"], two["refresh_token"]]) {
    const answer = await token(stage, { token: gone }, { path: "/revoke" });
    assert.equal(answer["status"], gone === one["access_token"] ? 200 : 400);
  }
  assert.equal(await filesOf(stage, two["access_token"]), "401");
  assert.equal((await refresh(stage, one["refresh_token"]))["error"], "invalid_grant");
  assert.equal((await refresh(stage, other["refresh_token"]))["status"], 200);
  const again = await token(stage, { token: one["refresh_token"] }, { path: "/revoke" });
  assert.equal(errorOf(again), "400 invalid_token: Token expired or revoked");
  // Consent is asked as if for the first time.
  assert.equal(typeof (await connect(stage))["refresh_token"], "string");
});

Deno.test("Control routes register clients, tell of grants, let them run out and take them back", async () => {
  const stage = consentStage();
  const control = async (action: string, body?: Body): Promise<Body> => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await stage.emulator.fetch(`${HOST}/__control/${action}`, init);
    assert.equal(response.status, 200, action);
    return await response.json();
  };
  await control("oauth/clients", { ...CLIENT, redirectUris: ["https://other.test/back"] });
  assert.match((await open(stage)).text, /redirect_uri_mismatch/);
  await control("oauth/clients", { ...CLIENT });
  const first = await connect(stage);
  const { clientId } = CLIENT;
  const grants = { grants: [{ clientId, email: OWNER, scopes: [SCOPE] }] };
  assert.deepEqual(await control("grants"), grants);
  await control("grants/expire", { email: READER });
  assert.deepEqual(await control("grants"), grants);
  await control("grants/expire", { email: OWNER });
  assert.equal((await refresh(stage, first["refresh_token"]))["error"], "invalid_grant");
  assert.notEqual(await filesOf(stage, first["access_token"]), "401");
  await control("grants/revoke", { clientId });
  assert.equal(await filesOf(stage, first["access_token"]), "401");
  const { secrets } = await control("secrets");
  const told = JSON.stringify(secrets);
  for (const name of ["access_token", "refresh_token"]) {
    assert.ok(told.includes(String(first[name])), name);
  }
});
