import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { jwtVerify } from "jose";
import type { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { parseSettings } from "../../../supabase/functions/_shared/providers/google_drive/settings.ts";
import { issueToken } from "../../../supabase/functions/_shared/providers/google_drive/token.ts";
import type { AccessToken } from "../../../supabase/functions/_shared/providers/types.ts";
import { ACCOUNT_EMAIL, keyFile, testAccount } from "./keys.ts";

const TOKEN_URL = "https://token.test/token";
const NOW = new Date("2026-03-01T12:00:00.500Z");
const SCOPE = "https://www.googleapis.com/auth/drive.metadata.readonly";

type Answer = (request: Request) => Response | Promise<Response>;

async function ask(answer: Answer, options: { config?: unknown; json?: string } = {}) {
  const json = options.json ?? (await testAccount()).json;
  const values: Record<string, string> = {
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: json,
    CONNECTOR_GOOGLE_TOKEN_URL: TOKEN_URL,
  };
  const settings = parseSettings((name) => values[name]);
  const signal = new AbortController().signal;
  const request = (): Promise<AccessToken> =>
    issueToken({
      config: parseConfig(options.config ?? {}),
      settings,
      fetch: async (input, init) => await answer(new Request(input, init)),
      now: () => NOW,
      signal,
    });
  return request;
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

const GRANTED = { access_token: "ya29.a", expires_in: 3599, token_type: "Bearer" };

Deno.test("issueToken() sends a signed assertion as a form", async () => {
  const { publicKey } = await testAccount();
  const request = await ask(async (sent) => {
    equal(sent.url, TOKEN_URL);
    equal(sent.method, "POST");
    equal(sent.redirect, "error");
    match(sent.headers.get("content-type") ?? "", /^application\/x-www-form-urlencoded/);
    const form = new URLSearchParams(await sent.text());
    equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    const { payload, protectedHeader } = await jwtVerify(form.get("assertion") ?? "", publicKey, {
      currentDate: NOW,
      audience: TOKEN_URL,
      issuer: ACCOUNT_EMAIL,
    });
    deepEqual(protectedHeader, { alg: "RS256", typ: "JWT", kid: "key-1" });
    const iat = Math.floor(NOW.getTime() / 1000);
    const expected = { scope: SCOPE, iss: ACCOUNT_EMAIL, aud: TOKEN_URL, iat, exp: iat + 3600 };
    deepEqual(payload, expected);
    return json(200, GRANTED);
  });
  deepEqual(await request(), {
    access_token: "ya29.a",
    token_type: "Bearer",
    scope: SCOPE,
    expires_at: new Date(NOW.getTime() + 3_599_000),
  });
});

Deno.test("issueToken() names the user to act for", async () => {
  const { publicKey } = await testAccount();
  const request = await ask(async (sent) => {
    const assertion = new URLSearchParams(await sent.text()).get("assertion") ?? "";
    const { payload } = await jwtVerify(assertion, publicKey, { currentDate: NOW });
    equal(payload.sub, "ann@company.example");
    return json(200, { ...GRANTED, scope: "other" });
  }, { config: { impersonate: "ann@company.example" } });
  equal((await request()).scope, "other");
});

Deno.test("issueToken() reports a key that is no RSA key", async () => {
  const pem = "-----BEGIN PRIVATE KEY-----\nc2VzYW1l\n-----END PRIVATE KEY-----\n";
  const request = await ask(() => json(200, GRANTED), { json: keyFile(pem) });
  await rejects(request(), { code: "credentials_invalid", message: /damaged or not an RSA key/ });
});

const DELEGATED = { impersonate: "ann@company.example" };
const CLOCK = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable " +
  "timeframe. Check your iat and exp values in the JWT claim.";

const refusals: readonly (readonly [number, unknown, string, RegExp, unknown?])[] = [
  [400, body("invalid_grant", "Invalid JWT Signature."), "credentials_invalid", /key: it was del/],
  [400, body("invalid_grant", CLOCK), "credentials_invalid", /the clock of this machine is wrong/],
  [
    400,
    body("invalid_grant", "Invalid email or User ID"),
    "credentials_invalid",
    /user named by impersonate/,
    DELEGATED,
  ],
  [400, body("invalid_grant", "raw words"), "credentials_invalid", /check its JSON key/],
  [
    401,
    body("unauthorized_client", "Unauthorized client or scope in request."),
    "credentials_invalid",
    /Domain-wide delegation.*numeric client id/,
    DELEGATED,
  ],
  [401, body("unauthorized_client", "…"), "credentials_invalid", /check that it is enabled/],
  [400, body("invalid_scope", "raw words"), "credentials_invalid", /drive\.metadata\.readonly/],
  [403, body("admin_policy_enforced", "raw words"), "credentials_invalid", /policy/],
  [401, body("disabled_client", "raw words"), "credentials_invalid", /disabled/],
  [400, body("constructor", "raw words"), "credentials_invalid", /status 400/],
  [400, "<html>raw words</html>", "credentials_invalid", /status 400/],
  [429, body("rate", "raw words"), "rate_limited", /fewer token requests/],
  [500, "<html>raw words</html>", "unavailable", /status 500/],
  [503, {}, "unavailable", /tried again/],
  [200, { token_type: "Bearer" }, "response_invalid", /answer of Google's token service/],
  [200, "<html>raw words</html>", "response_invalid", /answer of Google's token service/],
];

function body(error: string, error_description: string) {
  return { error, error_description };
}

for (const [status, answer, code, message, config] of refusals) {
  const shown = JSON.stringify(answer).slice(0, 60);
  Deno.test(`issueToken() turns ${status} ${shown} into ${code}`, async () => {
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    const request = await ask(() => new Response(text, { status }), { config });
    await rejects(request(), (error: SyncError) => {
      equal(error.code, code);
      match(error.message, message);
      return !error.message.includes("raw words");
    });
  });
}

Deno.test("issueToken() keeps how long Google asks to wait", async () => {
  const seconds = await ask(() => json(429, {}, { "retry-after": "7" }));
  await rejects(seconds(), { code: "rate_limited", retryAfterMs: 7000 });
  const at = new Date("2026-03-01T12:01:00Z").toUTCString();
  const date = await ask(() => json(503, {}, { "retry-after": at }));
  await rejects(date(), { code: "unavailable", retryAfterMs: 59_500 });
  const nonsense = await ask(() => json(503, {}, { "retry-after": "soon" }));
  await rejects(nonsense(), { code: "unavailable", retryAfterMs: undefined });
});

Deno.test("issueToken() calls a broken connection unavailable", async () => {
  const request = await ask(() => {
    throw new TypeError("connection reset");
  });
  await rejects(request(), (error: SyncError) => {
    ok(error.cause instanceof TypeError);
    return error.code === "unavailable";
  });
});

Deno.test("issueToken() ends with the caller's own reason when it is aborted", async () => {
  const values: Record<string, string> = {
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: (await testAccount()).json,
  };
  const abort = new AbortController();
  const issued = issueToken({
    config: parseConfig({}),
    settings: parseSettings((name) => values[name]),
    fetch: (_, init) => {
      abort.abort(new Error("slice over"));
      return Promise.reject(init?.signal?.reason);
    },
    now: () => NOW,
    signal: abort.signal,
  });
  await rejects(issued, { message: "slice over" });
});

Deno.test("issueToken() takes the service account that the endpoint names", async () => {
  const { pem } = await testAccount();
  const north = keyFile(pem, { client_email: "north@project.example", private_key_id: "key-2" });
  const values: Record<string, string> = {
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: keyFile(pem),
    CONNECTOR_GOOGLE_DRIVE_SERVICE_ACCOUNTS: JSON.stringify({ north }),
  };
  const settings = parseSettings((name) => values[name]);
  const signal = new AbortController().signal;
  const ask = (service_account: string) => {
    const config = parseConfig({ service_account });
    const now = () => NOW;
    return issueToken({ config, settings, fetch: refuseSignature, now, signal });
  };
  async function refuseSignature(_: URL | RequestInfo, init: RequestInit = {}) {
    const form = new URLSearchParams(await new Response(init.body ?? null).text());
    const [, claims = ""] = (form.get("assertion") ?? "").split(".");
    match(atob(claims), /"iss":"north@project.example"/);
    return json(400, body("invalid_grant", "Invalid JWT Signature."));
  }
  await rejects(ask("north"), {
    code: "credentials_invalid",
    message: /the entry "north" of CONNECTOR_GOOGLE_DRIVE_SERVICE_ACCOUNTS/,
  });
  const message = /"west" of endpoint_config.*CONNECTOR_GOOGLE_DRIVE_SERVICE_ACCOUNTS/;
  await rejects(ask("west"), { code: "credentials_invalid", message });
});

Deno.test("issueToken() names both ways where only people can read", async () => {
  const values: Record<string, string> = {
    CONNECTOR_GOOGLE_CLIENT_ID: "client",
    CONNECTOR_GOOGLE_CLIENT_SECRET: "secret",
  };
  const issued = issueToken({
    config: parseConfig({}),
    settings: parseSettings((name) => values[name]),
    fetch: () => Promise.resolve(json(200, GRANTED)),
    now: () => NOW,
    signal: new AbortController().signal,
  });
  const message = /connect a Google account.*CONNECTOR_GOOGLE_DRIVE_CREDENTIALS/;
  await rejects(issued, { code: "setting_invalid", message });
});
