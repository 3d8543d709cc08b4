import assert from "node:assert/strict";
import { exportJWK, generateKeyPair } from "jose";
import { StackError } from "../../../local/failure.ts";
import { createGatewayHandler } from "../../../local/gateway/gateway.ts";
import { openGatewayPort } from "../../../local/gateway/gateway_port.ts";
import { makeKeys, signUserToken, type StackKeys } from "../../../local/keys.ts";
import { serveSources } from "../functions/fixture.ts";

const ADA = { id: "11111111-1111-4111-8111-111111111111", email: "ada@example.com" };
const ECHO = `
export default {
  async fetch(request: Request) {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const prefix = headers.get("x-forwarded-prefix");
    const body = await request.text();
    return Response.json({ pathname, search, method, prefix, body }, {
      status: 418,
      headers: { "x-from-function": "yes" },
    });
  },
};`;
const OTHERS = {
  broken: `throw new Error("cannot boot");`,
  fatal: `export default { fetch: () => Deno.exit(1) };`,
  slow: `export default { fetch: (request: Request) => new Promise<Response>((resolve) =>
    request.signal.addEventListener("abort", () => resolve(new Response()))) };`,
  stream: `
export default {
  fetch(request: Request) {
    return new Response(request.body, { headers: { "content-type": "application/octet-stream" } });
  },
};`,
};
const CONFIG = ["broken", "fatal", "open", "slow", "stream"]
  .map((slug) => `[functions.${slug}]\nverify_jwt = false\n`).join("");

interface Served {
  readonly url: string;
  readonly keys: StackKeys;
}

async function withGateway(
  sources: Readonly<Record<string, string>>,
  test: (served: Served) => Promise<void>,
  limits: { readonly idleTimeoutMs?: number } = {},
): Promise<void> {
  await using served = await serveSources(sources, { config: CONFIG, ...limits });
  const keys = await makeKeys();
  const gateway = openGatewayPort(0);
  gateway.use(createGatewayHandler({
    keys,
    findFunction: served.functions.get,
    rest: async (request) => {
      const { pathname, search } = new URL(request.url);
      return Response.json({ pathname, search, body: await request.text() });
    },
    users: [ADA],
  }));
  await test({ url: `http://127.0.0.1:${gateway.port}`, keys }).finally(gateway.stop);
}

async function codeOf(answer: Response): Promise<[number, string]> {
  const body = await answer.json();
  assert.equal(answer.headers.get("sb-error-code"), body.code);
  return [answer.status, body.code];
}

Deno.test("the gateway passes a call to a function with method, body, headers and the path below its prefix", async () => {
  await withGateway({ open: ECHO }, async ({ url }) => {
    const init = { method: "PATCH", body: "hello" };
    const answer = await fetch(`${url}/functions/v1/open/a/b?c=d`, init);
    assert.equal(answer.status, 418);
    assert.equal(answer.headers.get("x-from-function"), "yes");
    assert.deepEqual(await answer.json(), {
      pathname: "/open/a/b",
      search: "?c=d",
      method: "PATCH",
      prefix: "/functions/v1",
      body: "hello",
    });
  });
});

Deno.test("the gateway answers as the platform does when there is no answer of a function", async () => {
  await withGateway(OTHERS, async ({ url }) => {
    const call = (slug: string, method = "POST") =>
      fetch(`${url}/functions/v1/${slug}`, { method });
    assert.deepEqual(await codeOf(await call("unknown")), [404, "NOT_FOUND"]);
    assert.deepEqual(await codeOf(await call("_shared")), [404, "NOT_FOUND"]);
    assert.deepEqual(await codeOf(await call("broken")), [503, "BOOT_ERROR"]);
    assert.deepEqual(await codeOf(await call("fatal")), [546, "WORKER_LIMIT"]);
    const head = await call("stream", "HEAD");
    assert.deepEqual([head.status, head.headers.get("sb-error-code")], [405, "METHOD_NOT_ALLOWED"]);
  });
});

Deno.test("the gateway answers as the platform does when a function takes too long", async () => {
  const { slow } = OTHERS;
  await withGateway({ slow }, async ({ url }) => {
    const answer = await fetch(`${url}/functions/v1/slow`, { method: "POST" });
    assert.deepEqual(await codeOf(answer), [504, "IDLE_TIMEOUT"]);
  }, { idleTimeoutMs: 1_500 });
});

Deno.test("the gateway streams bodies both ways", async () => {
  await withGateway({ stream: OTHERS.stream }, async ({ url }) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const asked = fetch(`${url}/functions/v1/stream`, { method: "POST", body: readable });
    await writer.write(new TextEncoder().encode("one"));
    const answer = await asked;
    const reader = answer.body?.getReader();
    // The first part comes back while the request's body is still open.
    const first = await reader?.read();
    assert.equal(new TextDecoder().decode(first?.value), "one");
    await writer.close();
    assert.equal((await reader?.read())?.done, true);
  });
});

Deno.test("verify_jwt lets the project's tokens and keys pass and turns away everything else", async () => {
  await withGateway({ guarded: ECHO }, async ({ url, keys }) => {
    const call = (headers: Record<string, string>, method = "GET") =>
      fetch(`${url}/functions/v1/guarded`, { method, headers });
    const bearer = (token: string) => call({ authorization: `Bearer ${token}` });
    const token = await signUserToken(keys, ADA, { apiUrl: url });
    const foreign = await signUserToken(await foreignKeys(keys), ADA, { apiUrl: url });
    const expired = await signUserToken(keys, ADA, { apiUrl: url, lifetimeSeconds: -60 });
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa("{}")}.`;

    assert.deepEqual(await codeOf(await call({})), [401, "UNAUTHORIZED_NO_AUTH_HEADER"]);
    assert.deepEqual(await codeOf(await bearer("x")), [401, "UNAUTHORIZED_INVALID_JWT_FORMAT"]);
    assert.deepEqual(await codeOf(await bearer(foreign)), [401, "UNAUTHORIZED_ASYMMETRIC_JWT"]);
    assert.deepEqual(await codeOf(await bearer(expired)), [401, "UNAUTHORIZED_ASYMMETRIC_JWT"]);
    assert.deepEqual(await codeOf(await bearer(unsigned)), [
      401,
      "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM",
    ]);
    const passing = [bearer(token), call({ apikey: keys.secretKey }), call({}, "OPTIONS")];
    for (const answer of await Promise.all(passing)) {
      await answer.body?.cancel();
      assert.equal(answer.status, 418);
    }
  });
});

async function foreignKeys(keys: StackKeys): Promise<StackKeys> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...keys, signingKey: { ...await exportJWK(privateKey), kid: keys.signingKey.kid } };
}

Deno.test("the gateway leads to REST below /rest/v1, with CORS, and answers preflight requests", async () => {
  await withGateway({}, async ({ url }) => {
    const answer = await fetch(`${url}/rest/v1/files?select=id`, { method: "POST", body: "[1]" });
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.deepEqual(await answer.json(), {
      pathname: "/rest/v1/files",
      search: "?select=id",
      body: "[1]",
    });
    const preflight = await fetch(`${url}/rest/v1/files`, {
      method: "OPTIONS",
      headers: { origin: "https://example.com", "access-control-request-headers": "apikey" },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-headers"), "apikey");
    const elsewhere = await fetch(`${url}/storage/v1/object`);
    assert.deepEqual(await codeOf(elsewhere), [404, "NOT_FOUND"]);
  });
});

Deno.test("the gateway publishes the signing keys without their private half", async () => {
  await withGateway({}, async ({ url, keys }) => {
    const { keys: published } = await (await fetch(`${url}/auth/v1/.well-known/jwks.json`)).json();
    assert.equal(published.length, 1);
    assert.equal(published[0].kid, keys.signingKey.kid);
    assert.equal("d" in published[0], false);
  });
});

Deno.test("the gateway tells the holder of the secret key, and nobody else, whether there is a user", async () => {
  await withGateway({}, async ({ url, keys }) => {
    const ask = async (id: string, apikey: string) => {
      const answer = await fetch(`${url}/auth/v1/admin/users/${id}`, { headers: { apikey } });
      return [answer.status, await answer.json()] as const;
    };
    assert.deepEqual(await ask(ADA.id, keys.secretKey), [200, ADA]);
    const [status, { error_code }] = await ask(ADA.id.replaceAll("1", "9"), keys.secretKey);
    assert.deepEqual([status, error_code], [404, "user_not_found"]);
    assert.equal((await ask(ADA.id, keys.publishableKey))[0], 401);
  });
});

Deno.test("openGatewayPort() answers 503 until there is something to answer with", async () => {
  const gateway = openGatewayPort(0);
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/functions/v1/health`);
  assert.deepEqual(await codeOf(answer), [503, "STARTING"]);
  await gateway.stop();
});

Deno.test("openGatewayPort() says which port is in use", () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.throws(() => openGatewayPort(taken.addr.port), (cause) => {
    assert(cause instanceof StackError);
    assert.match(cause.message, new RegExp(`port ${taken.addr.port} as it is in use`));
    return true;
  });
  taken.close();
});
