import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync, type JsonWebKey, sign, verify } from "node:crypto";
import {
  accountWithProject,
  asArray,
  asObject,
  call,
  CLIENT,
  get,
  HOST,
  post,
  SECRET,
} from "./support.ts";

const TOKEN = "/authentication/v2/token";
const CREDENTIALS = { grant_type: "client_credentials", scope: "data:read" };

function errorOf(answer: { status: number; body: Record<string, unknown> }): string {
  return `${answer.status} ${answer.body["error"]}: ${answer.body["error_description"]}`;
}

function claimsOf(token: unknown): Record<string, unknown> {
  const [, claims = ""] = String(token).split(".");
  return asObject(JSON.parse(Buffer.from(claims, "base64url").toString()));
}

Deno.test("Client credentials are exchanged for a signed token, by header or by body", async () => {
  const account = accountWithProject();
  for (
    const answer of [
      await post(account, TOKEN, CREDENTIALS, `${CLIENT}:${SECRET}`),
      await post(account, TOKEN, { ...CREDENTIALS, client_id: CLIENT, client_secret: SECRET }),
    ]
  ) {
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body["token_type"], "Bearer");
    assert.equal(answer.body["expires_in"], 3599);
    assert.equal(answer.body["refresh_token"], undefined);
    const token = String(answer.body["access_token"]);
    const claims = claimsOf(token);
    assert.deepEqual(claims["scope"], ["data:read"]);
    assert.equal(claims["client_id"], CLIENT);
    assert.equal(claims["userid"], undefined);
    const authorization = `Bearer ${token}`;
    const hubs = await account.emulator.fetch(`${HOST}/project/v1/hubs`, {
      headers: { authorization },
    });
    assert.equal(hubs.status, 200);
    const keys = await (await account.emulator.fetch(`${HOST}/authentication/v2/keys`)).json();
    const jwk: JsonWebKey = Object.fromEntries(
      Object.entries(asObject(asArray(asObject(keys)["keys"])[0])),
    );
    const [header, body, signature = ""] = token.split(".");
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const isSigned = verify(
      "RSA-SHA256",
      Buffer.from(`${header}.${body}`),
      key,
      Buffer.from(signature, "base64url"),
    );
    assert.ok(isSigned);
  }
});

Deno.test("Credentials by header and by body at once are refused", async () => {
  const account = accountWithProject();
  const answer = await post(
    account,
    TOKEN,
    { ...CREDENTIALS, client_id: CLIENT, client_secret: SECRET },
    `${CLIENT}:${SECRET}`,
  );
  assert.equal(
    errorOf(answer),
    "400 invalid_request: client_id is not supported in the request body when Authorization headers are present",
  );
});

Deno.test("The token endpoint refuses wrong credentials, grants and scopes", async () => {
  const account = accountWithProject();
  const basic = `${CLIENT}:${SECRET}`;
  const wrong = "401 invalid_client: The client credentials are invalid.";
  assert.equal(errorOf(await post(account, TOKEN, CREDENTIALS, `${CLIENT}:other`)), wrong);
  assert.equal(errorOf(await post(account, TOKEN, CREDENTIALS, `nobody:${SECRET}`)), wrong);
  assert.equal(errorOf(await post(account, TOKEN, { ...CREDENTIALS, client_id: CLIENT })), wrong);
  assert.equal(
    errorOf(await post(account, TOKEN, CREDENTIALS)),
    "401 invalid_client: No client credentials found.",
  );
  const form = async (fields: Record<string, string>) =>
    errorOf(await post(account, TOKEN, fields, basic)).split(":")[0];
  assert.equal(await form({ scope: "data:read" }), "400 invalid_request");
  assert.equal(await form({ grant_type: "password" }), "400 unsupported_grant_type");
  assert.equal(await form({ ...CREDENTIALS, scope: "" }), "400 invalid_scope");
  assert.equal(await form({ ...CREDENTIALS, scope: "data:read data:dance" }), "400 invalid_scope");
  const many = Array.from({ length: 51 }, (_, index) => `data:read:urn${index}`).join(" ");
  assert.equal(await form({ ...CREDENTIALS, scope: many }), "400 invalid_scope");
});

Deno.test("A changed secret makes the old one worthless; refusals have two shapes", async () => {
  const account = accountWithProject();
  account.emulator.control.setClientSecret(CLIENT, "secret-two");
  account.emulator.control.setAuthErrorShape("gateway");
  const answer = await post(account, TOKEN, CREDENTIALS, `${CLIENT}:${SECRET}`);
  assert.equal(answer.status, 401);
  assert.equal(answer.body["developerMessage"], "The client credentials are invalid.");
  assert.equal(typeof answer.body["more info"], "string");
  const good = await post(account, TOKEN, CREDENTIALS, `${CLIENT}:secret-two`);
  assert.equal(good.status, 200);
});

Deno.test("A token expires, can be revoked, and is needed with its scope", async () => {
  const account = accountWithProject();
  const { emulator, clock } = account;
  const hubs = async (authorization?: string) => {
    const response = await emulator.fetch(`${HOST}/project/v1/hubs`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    const body = asObject(await response.json());
    return `${response.status} ${body["errorCode"]}`;
  };
  assert.equal(await hubs(), "401 Auth-006");
  assert.equal(await hubs("Bearer nonsense"), "401 Auth-006");
  const token = emulator.issueAccessToken(CLIENT, ["data:read"]);
  assert.equal(await hubs(`Bearer ${token}`), "200 undefined");
  const narrow = emulator.issueAccessToken(CLIENT, ["viewables:read"]);
  assert.equal(await hubs(`Bearer ${narrow}`), "401 Auth-010");
  clock.nowMs += 3_600_000;
  assert.equal(await hubs(`Bearer ${token}`), "401 Auth-006");
  const other = emulator.issueAccessToken(CLIENT, ["data:read"]);
  const form = { token: other, token_type_hint: "access_token" };
  const basic = `${CLIENT}:${SECRET}`;
  const active = await post(account, "/authentication/v2/introspect", { token: other }, basic);
  assert.equal(active.body["active"], true);
  const revoked = await post(account, "/authentication/v2/revoke", form, basic);
  assert.deepEqual([revoked.status, revoked.body], [200, { text: "" }]);
  assert.equal(await hubs(`Bearer ${other}`), "401 Auth-006");
});

Deno.test("A consent gives a code, and the code a refresh token that changes at each use", async () => {
  const account = accountWithProject();
  const { model, clock, emulator } = account;
  const user = model.addUser({ email: "ann@example.com", name: "Ann <b>" });
  model.setMember(account.projectId, user.id, "admin");
  const verifier = "v".repeat(43);
  const bytes = new TextEncoder().encode(verifier);
  const challenge = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("base64url");
  const asked = {
    response_type: "code",
    client_id: CLIENT,
    redirect_uri: "https://app.test/back",
    scope: "data:read user-profile:read",
    state: "s.1",
    code_challenge: challenge,
    code_challenge_method: "S256",
  };
  const path = "/authentication/v2/authorize";
  const page = await emulator.fetch(`${HOST}${path}?${new URLSearchParams(asked)}`);
  assert.equal(page.status, 200);
  assert.ok((await page.text()).includes("Ann &#60;b&#62;"));
  const decide = async (fields: Record<string, string>) => {
    const answer = await post(account, path, { ...asked, user_id: user.id, ...fields });
    assert.equal(answer.status, 302);
    return new URL(answer.headers.get("location") ?? "").searchParams;
  };
  const denied = await decide({ decision: "deny" });
  assert.deepEqual([denied.get("error"), denied.get("state")], ["access_denied", "s.1"]);
  const exchange = (code: string | null, fields: Record<string, string> = {}) =>
    post(account, TOKEN, {
      grant_type: "authorization_code",
      code: code ?? "",
      redirect_uri: asked.redirect_uri,
      code_verifier: verifier,
      ...fields,
    }, `${CLIENT}:${SECRET}`);
  const wrong = await exchange((await decide({ decision: "allow" })).get("code"), {
    code_verifier: "w".repeat(43),
  });
  assert.equal(errorOf(wrong), "400 invalid_grant: PKCE verification failed.");
  const code = (await decide({ decision: "allow" })).get("code");
  const first = await exchange(code);
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.equal(claimsOf(first.body["access_token"])["userid"], user.id);
  const again = "400 invalid_grant: The authorization code is invalid or has expired.";
  assert.equal(errorOf(await exchange(code)), again);
  const late = (await decide({ decision: "allow" })).get("code");
  clock.nowMs += 300_000;
  assert.equal(errorOf(await exchange(late)), again);

  const refresh = (token: unknown, fields: Record<string, string> = {}) =>
    post(account, TOKEN, {
      grant_type: "refresh_token",
      refresh_token: String(token),
      ...fields,
    }, `${CLIENT}:${SECRET}`);
  const spent = "400 invalid_grant: The refresh token is invalid or expired.";
  const wide = await refresh(first.body["refresh_token"], { scope: "data:read data:write" });
  assert.equal(wide.body["error"], "invalid_scope");
  const second = await refresh(first.body["refresh_token"], { scope: "data:read" });
  assert.equal(second.status, 200, JSON.stringify(second.body));
  assert.deepEqual(claimsOf(second.body["access_token"])["scope"], ["data:read"]);
  assert.equal(errorOf(await refresh(first.body["refresh_token"])), spent);
  clock.nowMs += 15 * 24 * 3600 * 1000;
  assert.equal(errorOf(await refresh(second.body["refresh_token"])), spent);
  const kept = emulator.issueRefreshToken(CLIENT, ["data:read"], user.id);
  emulator.control.revokeRefreshTokens();
  assert.equal(errorOf(await refresh(kept)), spent);
  const info = await get(account, "/userinfo", { userId: user.id });
  assert.deepEqual([info["sub"], info["email"]], [user.id, "ann@example.com"]);
});

Deno.test("Nobody is sent to an address that does not belong to the app", async () => {
  const { emulator } = accountWithProject();
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT,
    redirect_uri: "https://elsewhere.test/",
    scope: "data:read",
  });
  const response = await emulator.fetch(`${HOST}/authentication/v2/authorize?${query}`);
  assert.equal(response.status, 400);
  assert.equal(response.headers.get("location"), null);
});

Deno.test("A service account gets a token of its user for an assertion it has signed", async () => {
  const account = accountWithProject();
  const { emulator, model, clock } = account;
  const user = model.addUser({ email: "robot@example.com" });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  emulator.registerServiceAccount({
    clientId: CLIENT,
    userId: user.id,
    keyId: "key-1",
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  });
  const exchange = (claims: Record<string, unknown>, kid = "key-1") => {
    const parts = [{ alg: "RS256", kid }, {
      iss: CLIENT,
      sub: user.id,
      aud: "https://developer.api.autodesk.com/authentication/v2/token",
      exp: Math.floor(clock.nowMs / 1000) + 300,
      scope: ["data:read"],
      ...claims,
    }].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const signature = sign("RSA-SHA256", Buffer.from(parts), privateKey).toString("base64url");
    return post(account, TOKEN, {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: `${parts}.${signature}`,
    }, `${CLIENT}:${SECRET}`);
  };
  const good = await exchange({});
  assert.equal(good.status, 200, JSON.stringify(good.body));
  assert.equal(claimsOf(good.body["access_token"])["userid"], user.id);
  assert.equal(good.body["refresh_token"], undefined);
  for (const claims of [{ iss: "other" }, { sub: "other" }, { aud: "other" }, { exp: 1 }]) {
    assert.equal((await exchange(claims)).body["error"], "invalid_grant", JSON.stringify(claims));
  }
  assert.equal((await exchange({}, "key-2")).body["error"], "invalid_grant");
  assert.equal((await call(account, "/project/v1/hubs", { userId: user.id })).status, 200);
});

Deno.test("An app can be registered by control, and the secrets that were given away are known", async () => {
  const account = accountWithProject();
  const { emulator } = account;
  const app = { clientId: "late", clientSecret: "late-secret", redirectUris: ["https://a.test/b"] };
  const body = JSON.stringify(app);
  const registered = await emulator.fetch(`${HOST}/__control/apps`, { method: "POST", body });
  assert.equal(registered.status, 200);
  const answer = await post(account, TOKEN, CREDENTIALS, "late:late-secret");
  assert.equal(answer.status, 200);
  const { secrets } = await (await emulator.fetch(`${HOST}/__control/secrets`)).json();
  assert.ok(JSON.stringify(secrets).includes(String(answer.body["access_token"])));
  assert.ok(JSON.stringify(secrets).includes("late-secret"));
});

Deno.test("A revoked refresh token is worthless, and only its own app can revoke it", async () => {
  const account = accountWithProject();
  const { emulator, model } = account;
  const user = model.addUser({ email: "ann@example.com" });
  emulator.registerApp({ clientId: "other", clientSecret: "other-secret" });
  const token = emulator.issueRefreshToken(CLIENT, ["data:read"], user.id);
  const revoke = (basic: string) => {
    const form = { token, token_type_hint: "refresh_token" };
    return post(account, "/authentication/v2/revoke", form, basic);
  };
  assert.equal((await revoke("other:other-secret")).status, 200);
  const form = { grant_type: "refresh_token", refresh_token: token };
  const refreshed = await post(account, TOKEN, form, `${CLIENT}:${SECRET}`);
  assert.equal(refreshed.status, 200);
  const next = String(refreshed.body["refresh_token"]);
  const again = { token: next, token_type_hint: "refresh_token" };
  await post(account, "/authentication/v2/revoke", again, `${CLIENT}:${SECRET}`);
  const refused = await post(
    account,
    TOKEN,
    { grant_type: "refresh_token", refresh_token: next },
    `${CLIENT}:${SECRET}`,
  );
  assert.equal(errorOf(refused), "400 invalid_grant: The refresh token is invalid or expired.");
});
