import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/autodesk/config.ts";
import { parseSettings } from "../../../supabase/functions/_shared/providers/autodesk/settings.ts";
import { issueToken } from "../../../supabase/functions/_shared/providers/autodesk/token.ts";

const NOW = new Date("2026-03-01T12:00:00.500Z");
const GRANTED = { access_token: "eyJ", expires_in: 3599, token_type: "Bearer" };

type Answer = (request: Request) => Response | Promise<Response>;

interface Options {
  readonly clientId?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function ask(answer: Answer, options: Options = {}) {
  const values: Readonly<Record<string, string>> = options.env ?? {
    CONNECTOR_AUTODESK_CLIENT_ID: "app",
    CONNECTOR_AUTODESK_CLIENT_SECRET: "hush",
    CONNECTOR_AUTODESK_CLIENTS: '{"other":"secret"}',
    CONNECTOR_AUTODESK_API_URL: "https://aps.test",
  };
  const client_id = options.clientId ?? null;
  return issueToken({
    config: parseConfig({ project_id: "b.p", client_id }),
    settings: parseSettings((name) => values[name]),
    fetch: async (input, init) => await answer(new Request(input, init)),
    now: () => NOW,
    signal: options.signal ?? new AbortController().signal,
  });
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

Deno.test("issueToken() names the client in the header and nowhere else", async () => {
  const token = await ask(async (sent) => {
    equal(sent.url, "https://aps.test/authentication/v2/token");
    equal(sent.method, "POST");
    equal(sent.redirect, "error");
    equal(sent.headers.get("authorization"), `Basic ${btoa("app:hush")}`);
    match(sent.headers.get("content-type") ?? "", /^application\/x-www-form-urlencoded/);
    const form = new URLSearchParams(await sent.text());
    deepEqual([...form], [["grant_type", "client_credentials"], ["scope", "data:read"]]);
    return json(200, GRANTED);
  });
  deepEqual(token, {
    access_token: "eyJ",
    token_type: "Bearer",
    scope: "data:read",
    expires_at: new Date(NOW.getTime() + 3_599_000),
  });
});

Deno.test("issueToken() takes the application that the endpoint names", async () => {
  const clientId = "other";
  await ask((sent) => {
    equal(sent.headers.get("authorization"), `Basic ${btoa("other:secret")}`);
    return json(200, GRANTED);
  }, { clientId });
});

Deno.test("issueToken() names a client id whose secret is not configured", async () => {
  await rejects(ask(() => json(200, GRANTED), { clientId: "foreign" }), {
    code: "credentials_invalid",
    message: /secret of client_id "foreign".*CONNECTOR_AUTODESK_CLIENTS/,
  });
});

Deno.test("issueToken() does not choose among several applications", async () => {
  const env = { CONNECTOR_AUTODESK_CLIENTS: '{"a":"1","b":"2"}' };
  const code = "credentials_invalid";
  await rejects(ask(() => json(200, GRANTED), { env }), {
    code,
    message: /must name its client_id/,
  });
});

const gateway = (errorCode: string) => ({
  developerMessage: "raw words",
  userMessage: "",
  errorCode,
  "more info": "https://…",
});
const oauth = (error: string) => ({ error, error_description: "raw words" });

const refusals: readonly (readonly [number, unknown, string, RegExp])[] = [
  [401, oauth("invalid_client"), "credentials_invalid", /"app".*expired.*CLIENT_SECRET/],
  [401, gateway("AUTH-006"), "credentials_invalid", /expired/],
  [400, oauth("invalid_client"), "credentials_invalid", /expired/],
  [401, gateway("Auth-001"), "credentials_invalid", /expired/],
  [403, gateway("Auth-001"), "api_disabled", /My Applications/],
  [403, gateway("AUTH-001"), "api_disabled", /My Applications/],
  [400, oauth("unauthorized_client"), "api_disabled", /server-to-server/],
  [400, oauth("invalid_scope"), "credentials_invalid", /data:read/],
  [400, oauth("invalid_request"), "credentials_invalid", /status 400/],
  [403, "<html>raw words</html>", "credentials_invalid", /status 403/],
  [429, {}, "rate_limited", /fewer token requests/],
  [403, gateway("err-001"), "rate_limited", /fewer token requests/],
  [500, "<html>raw words</html>", "unavailable", /status 500/],
  [200, { token_type: "Bearer" }, "response_invalid", /token service/],
  [200, "<html>raw words</html>", "response_invalid", /token service/],
];

for (const [status, body, code, message] of refusals) {
  Deno.test(`issueToken() turns ${status} ${JSON.stringify(body)} into ${code}`, async () => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    await rejects(ask(() => new Response(text, { status })), (error: SyncError) => {
      equal(error.code, code);
      match(error.message, message);
      return !/raw words|hush/.test(error.message);
    });
  });
}

Deno.test("issueToken() keeps how long Autodesk asks to wait", async () => {
  const after = (value: string) => ask(() => json(429, {}, { "retry-after": value }));
  await rejects(after("7"), { code: "rate_limited", retryAfterMs: 7000 });
  const date = new Date("2026-03-01T12:01:00Z").toUTCString();
  await rejects(after(date), { code: "rate_limited", retryAfterMs: 59_500 });
  await rejects(after("soon"), { code: "rate_limited", retryAfterMs: undefined });
});

Deno.test("issueToken() calls a broken connection unavailable, and an abort what it is", async () => {
  const broken = ask(() => {
    throw new TypeError("connection reset");
  });
  await rejects(broken, (error: SyncError) => {
    ok(error.cause instanceof TypeError);
    return error.code === "unavailable";
  });
  const abort = new AbortController();
  const aborted = ask(() => {
    abort.abort(new Error("slice over"));
    throw new TypeError("aborted");
  }, { signal: abort.signal });
  await rejects(aborted, { message: "slice over" });
});
