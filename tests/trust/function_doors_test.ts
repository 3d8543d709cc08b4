/**
 * Every function as it is deployed, by its own index.ts, in front of the test run's database: who is
 * let in, by which method, and what becomes of bodies that no honest caller sends. The functions come
 * from the folder: one that is not expected here fails.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import { repositoryRoot } from "../../local/paths.ts";
import { signUserToken } from "../../local/keys.ts";
import { ADA, type Sql, withDatabase } from "../support/database.ts";
import { readTestStack } from "../support/test_stack.ts";

const DISPATCH_TOKEN = "d".repeat(40);
const FUNCTIONS = new URL("supabase/functions/", `file://${repositoryRoot()}/`);

/** Callers that show something; those that are let in differ by function, all others never are. */
const CALLERS = [
  "nobody",
  "publishable key",
  "wrong secret key",
  "secret key",
  "secret key as bearer token alone",
  "user",
  "expired user",
  "user of another project",
  "unsigned token",
  "token signed with the public key",
  "token of the service role",
  "token without a subject",
  "dispatch token",
  "wrong dispatch token",
] as const;
type Caller = typeof CALLERS[number];

/** What a function answers to whom it lets in. */
interface Door {
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly methods: readonly string[];
  readonly callers: readonly Caller[];
  /** Reads a JSON body. */
  readonly readsBody: boolean;
}

const ANYONE: readonly Caller[] = CALLERS;

const DOORS: Readonly<Record<string, readonly Door[]>> = {
  dispatcher: [{
    path: "/dispatcher",
    method: "POST",
    methods: ["POST"],
    callers: ["secret key", "dispatch token"],
    readsBody: true,
  }],
  health: [{
    path: "/health",
    method: "GET",
    methods: ["GET", "HEAD"],
    callers: ANYONE,
    readsBody: false,
  }],
  oauth: [
    {
      path: "/oauth/authorize?endpoint_id=11111111-1111-4111-8111-000000000000",
      method: "GET",
      methods: ["GET"],
      callers: ["user"],
      readsBody: false,
    },
    {
      path: "/oauth/disconnect",
      method: "POST",
      methods: ["POST"],
      callers: ["user", "secret key"],
      readsBody: true,
    },
  ],
  status: [{
    path: "/status",
    method: "GET",
    methods: ["GET"],
    callers: ["user", "secret key"],
    readsBody: false,
  }],
  "sync-autodesk-construction-cloud": [{
    path: "/sync-autodesk-construction-cloud",
    method: "POST",
    methods: ["POST"],
    callers: ["secret key"],
    readsBody: true,
  }],
  "sync-google-drive": [{
    path: "/sync-google-drive",
    method: "POST",
    methods: ["POST"],
    callers: ["secret key"],
    readsBody: true,
  }],
  "test-endpoint": [{
    path: "/test-endpoint",
    method: "POST",
    methods: ["POST"],
    callers: ["user", "secret key"],
    readsBody: true,
  }],
};

type Fetch = (request: Request) => Promise<Response>;
type Headers = Readonly<Record<string, string>>;

/** Settings of the functions under test; what stood in the environment comes back afterwards. */
function environment(jwks: string): Readonly<Record<string, string>> {
  const { api_url, publishable_key, secret_key } = readTestStack();
  return {
    SUPABASE_URL: api_url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishable_key }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secret_key }),
    SUPABASE_JWKS: jwks,
    CONNECTOR_DISPATCH_TOKEN: DISPATCH_TOKEN,
    CONNECTOR_TOKEN_KEYS: JSON.stringify({ k1: "A".repeat(43) }),
    CONNECTOR_LOG_LEVEL: "error",
    CONNECTOR_GOOGLE_CLIENT_ID: "client",
    CONNECTOR_GOOGLE_CLIENT_SECRET: "client-secret",
    CONNECTOR_AUTODESK_CLIENT_ID: "client",
    CONNECTOR_AUTODESK_CLIENT_SECRET: "client-secret",
    // Nobody answers there: a request that gets so far fails at once.
    CONNECTOR_GOOGLE_API_URL: "http://127.0.0.1:9",
    CONNECTOR_GOOGLE_TOKEN_URL: "http://127.0.0.1:9/token",
    CONNECTOR_AUTODESK_API_URL: "http://127.0.0.1:9",
  };
}

async function functionNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(FUNCTIONS)) {
    if (entry.isDirectory && !entry.name.startsWith("_")) names.push(entry.name);
  }
  return names.sort();
}

async function load(slug: string): Promise<Fetch> {
  const { default: module } = await import(new URL(`${slug}/index.ts`, FUNCTIONS).href);
  return (request) => module.fetch(request);
}

function publicJwk(): Record<string, unknown> {
  const { d: _private, ...jwk } = readTestStack().signing_key;
  return jwk;
}

/** What each caller shows. */
async function credentials(): Promise<Readonly<Record<Caller, Headers>>> {
  const { api_url, publishable_key, secret_key, signing_key } = readTestStack();
  const own = { signingKey: signing_key };
  const stranger = await generateKeyPair("ES256", { extractable: true });
  const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
  const sign = (claims: Record<string, unknown>, key: CryptoKey | Uint8Array) =>
    new SignJWT({ aud: "authenticated", role: "authenticated", sub: ADA, ...claims })
      .setProtectedHeader({ alg: "ES256", kid: signing_key.kid })
      .setIssuedAt().setExpirationTime("1h").sign(key);
  const ownKey = await importJWK(signing_key, "ES256");
  const user = { id: ADA, email: "ada@example.com" };
  return {
    nobody: {},
    "publishable key": { apikey: publishable_key },
    "wrong secret key": { apikey: `${secret_key}x` },
    "secret key": { apikey: secret_key },
    "secret key as bearer token alone": bearer(secret_key),
    user: bearer(await signUserToken(own, user, { apiUrl: api_url })),
    "expired user": bearer(
      await signUserToken(own, user, { apiUrl: api_url, lifetimeSeconds: -3600 }),
    ),
    "user of another project": bearer(await sign({}, stranger.privateKey)),
    "unsigned token": bearer(unsigned()),
    "token signed with the public key": bearer(await confused()),
    "token of the service role": bearer(await sign({ role: "service_role" }, ownKey)),
    "token without a subject": bearer(await sign({ sub: undefined }, ownKey)),
    "dispatch token": { "x-connector-token": DISPATCH_TOKEN },
    "wrong dispatch token": { "x-connector-token": `${DISPATCH_TOKEN.slice(1)}e` },
  };
}

function encode(value: unknown): string {
  return btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const CLAIMS = {
  sub: ADA,
  role: "authenticated",
  aud: "authenticated",
  exp: Math.floor(Date.now() / 1000) + 3600,
};

function unsigned(): string {
  return `${encode({ alg: "none", typ: "JWT" })}.${encode(CLAIMS)}.`;
}

/** A token whose signature is an HMAC made with the public key, which everybody has. */
async function confused(): Promise<string> {
  const key = await importJWK(publicJwk(), "ES256", { extractable: true });
  assert.ok(!(key instanceof Uint8Array));
  const { kid } = readTestStack().signing_key;
  const content = `${encode({ alg: "HS256", typ: "JWT", kid })}.${encode(CLAIMS)}`;
  const signature = createHmac("sha256", await exportSPKI(key)).update(content).digest("base64url");
  return `${content}.${signature}`;
}

async function withFunctions(test: (sql: Sql) => Promise<void>): Promise<void> {
  const settings = environment(JSON.stringify({ keys: [publicJwk()] }));
  const before = Object.keys(settings).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(settings)) Deno.env.set(name, value);
  try {
    await withDatabase(test);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

const ORIGIN = "http://functions.test";

/** Names of our own modules, places in files, SQL: what no caller needs to know. */
const INTERNALS =
  /\bat .+:\d+:\d+|\.ts\b|file:\/\/|node_modules|\bselect \b|\binsert into\b|PGRST|SQLSTATE|stack/i;

/** The body of a refusal: a code, a sentence, the request's id, and nothing of the inside. */
async function assertRefusal(response: Response, status: number, label: string): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, status, `${label}: ${text}`);
  const body = JSON.parse(text);
  assert.deepEqual(Object.keys(body).sort(), ["code", "message", "request_id"], label);
  assert.ok(!INTERNALS.test(body.message), `${label}: ${body.message}`);
  for (const secret of [DISPATCH_TOKEN, readTestStack().secret_key, "client-secret"]) {
    assert.ok(!text.includes(secret), label);
  }
  return body.code;
}

Deno.test("every function is expected here", async () => {
  assert.deepEqual(await functionNames(), Object.keys(DOORS).sort());
});

for (const [slug, doors] of Object.entries(DOORS)) {
  for (const door of doors) {
    const url = `${ORIGIN}${door.path}`;
    const name = door.path.replace(/\?.*/, "");
    const request = (headers: Headers, body?: string) =>
      new Request(url, {
        method: door.method,
        headers: { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body }),
      });

    Deno.test(`${name} lets in whom it should, and nobody else`, () =>
      withFunctions(async () => {
        const fetch = await load(slug);
        const shown = await credentials();
        for (const caller of CALLERS) {
          const body = door.readsBody ? "[]" : undefined;
          const response = await fetch(request(shown[caller], body));
          if (door.callers.includes(caller)) {
            await response.body?.cancel();
            // Let in: what it says then is about the request.
            assert.ok(![401, 403, 405].includes(response.status), `${caller}: ${response.status}`);
          } else {
            assert.equal(await assertRefusal(response, 401, caller), "unauthorized", caller);
          }
        }
      }));

    Deno.test(`${name} answers its own methods only`, () =>
      withFunctions(async () => {
        const fetch = await load(slug);
        const { "secret key": headers } = await credentials();
        for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"]) {
          if (door.methods.includes(method)) continue;
          const response = await fetch(new Request(url, { method, headers }));
          if (method === "HEAD") assert.equal(response.status, 405, method);
          else assert.equal(await assertRefusal(response, 405, method), "method_not_allowed");
          // Of the address, or of the function where no address of it knows the method.
          const allowed = [door.methods, [...new Set(doors.flatMap(({ methods }) => methods))]];
          const allow = response.headers.get("allow");
          assert.ok(allowed.some((methods) => methods.join(", ") === allow), `${method}: ${allow}`);
        }
      }));

    if (!door.readsBody) continue;
    Deno.test(`${name} refuses bodies that no honest caller sends`, () =>
      withFunctions(async () => {
        const fetch = await load(slug);
        const { "secret key": headers } = await credentials();
        const bodies: readonly (readonly [string, string, number])[] = [
          ["no JSON", "{", 400],
          ["a form", "endpoint_id=1", 400],
          ["a list", "[]", 400],
          ["a number", "1", 400],
          ["null", "null", 400],
          ["NUL characters", '"\\u0000"', 400],
          ["too large", JSON.stringify({ endpoint_id: "x".repeat(70_000) }), 413],
          ["deeply nested", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, 400],
          ["nested in a field", `{"leases":${"[".repeat(20_000)}${"]".repeat(20_000)}}`, 400],
        ];
        for (const [label, body, status] of bodies) {
          if (door.path === "/dispatcher" && label === "nested in a field") continue;
          const code = await assertRefusal(await fetch(request(headers, body)), status, label);
          assert.equal(code, status === 413 ? "body_too_large" : "body_invalid", label);
        }
      }));

    Deno.test(`${name} is not changed by a body that names prototypes`, () =>
      withFunctions(async () => {
        const fetch = await load(slug);
        const { "secret key": headers } = await credentials();
        const body = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}';
        await (await fetch(request(headers, body))).body?.cancel();
        assert.equal("isAdmin" in {}, false);
      }));

    Deno.test(`${name} stops reading a body without end`, () =>
      withFunctions(async () => {
        const fetch = await load(slug);
        const { "secret key": headers } = await credentials();
        let chunks = 0;
        const endless = new ReadableStream({
          pull(controller) {
            chunks++;
            controller.enqueue(new TextEncoder().encode(" ".repeat(16_384)));
          },
        });
        const response = await fetch(
          new Request(url, { method: door.method, headers: { ...headers }, body: endless }),
        );
        assert.equal(await assertRefusal(response, 413, "endless"), "body_too_large");
        assert.ok(chunks < 20, `${chunks} chunks were read`);
      }));
  }
}

Deno.test("leases that are stale or of endpoints that do not exist are accepted and come to nothing", () =>
  withFunctions(async (sql) => {
    const { "secret key": headers } = await credentials();
    for (const slug of ["sync-google-drive", "sync-autodesk-construction-cloud"]) {
      const fetch = await load(slug);
      const leases = [{ endpoint_id: crypto.randomUUID(), lease_token: crypto.randomUUID() }];
      const response = await fetch(
        new Request(`${ORIGIN}/${slug}`, {
          method: "POST",
          headers: { ...headers },
          body: JSON.stringify({ leases, more_due: false }),
        }),
      );
      assert.equal(response.status, 202);
      await response.body?.cancel();
    }
    assert.equal((await sql`select from public.sync_logs`).length, 0);
  }));
