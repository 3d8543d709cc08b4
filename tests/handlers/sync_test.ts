import assert from "node:assert/strict";
import { createSyncHandler } from "../../supabase/functions/_shared/handlers/sync.ts";
import type { SyncFunctionDeps } from "../../supabase/functions/_shared/handlers/sync.ts";
import { googleDrive } from "../../supabase/functions/_shared/providers/google_drive/index.ts";
import { createTestEngine } from "../support/engine.ts";
import { onePart, scriptedFiles } from "../support/scripted_provider.ts";

const SECRET_KEY = "sb_secret_0123456789abcdefghijklmnopqrstuv";
const DISPATCH_TOKEN = "0123456789abcdef0123456789abcdef";
const ENVIRONMENT: Readonly<Record<string, string>> = {
  SUPABASE_URL: "http://project.example",
  SUPABASE_SECRET_KEYS: JSON.stringify({ default: SECRET_KEY }),
  CONNECTOR_DISPATCH_TOKEN: DISPATCH_TOKEN,
  CONNECTOR_TOKEN_KEYS: JSON.stringify({ k1: btoa("0123456789abcdef0123456789abcdef") }),
};
const LEASE = {
  endpoint_id: "11111111-1111-1111-1111-111111111111",
  lease_token: "22222222-2222-2222-2222-222222222222",
};

function setUp(environment = ENVIRONMENT) {
  const engine = createTestEngine();
  const background: Promise<unknown>[] = [];
  const fetched: { readonly url: string; readonly headers: Headers; readonly body: string }[] = [];
  const deps: SyncFunctionDeps = {
    env: (name) => environment[name],
    async fetch(input, init) {
      const request = new Request(input, init);
      fetched.push({ url: request.url, headers: request.headers, body: await request.text() });
      return new Response("{}", { status: 202 });
    },
    now: engine.clock.now,
    newId: () => "request-0001",
    log: engine.deps.log,
    background: (_name, work) => background.push(work),
    connectAsService: () => engine.db,
    connectAsUser: () => engine.db,
    tokenFetch: () => Promise.reject(new TypeError("Nobody has connected an account")),
    sleep: engine.clock.sleep,
    random: () => 0.5,
    unloading: engine.unload.signal,
  };
  const handler = createSyncHandler(engine.deps.provider, deps);
  const post = (body: unknown, headers: Record<string, string> = { apikey: SECRET_KEY }) =>
    handler(
      new Request("http://function.example", {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      }),
    );
  return { engine, deps, handler, post, background, fetched };
}

async function refusal(response: Response) {
  const { code, request_id } = await response.json();
  return { status: response.status, code, request_id };
}

Deno.test("the sync function answers 202 before it works, then works", async () => {
  const { engine, post, background } = setUp();
  const endpoint = engine.db.add();
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(3, "f")));
  // The fake's ids are no UUIDs: the body is checked first, the leases by the database alone.
  const lease = engine.db.lease(endpoint);
  const release = Promise.withResolvers<void>();
  engine.db.beginSlice = ((begin) => async () => {
    await release.promise;
    return await begin([lease]);
  })(engine.db.beginSlice);

  const response = await post({ leases: [LEASE] });
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), { accepted: 1, request_id: "request-0001" });
  assert.equal(endpoint.files.size, 0);
  release.resolve();
  await Promise.all(background);
  assert.equal(endpoint.files.size, 3);
  assert.equal(endpoint.status, "completed");
});

Deno.test("the sync function wakes the dispatcher with its own token when work is left", async () => {
  const { engine, post, background, fetched } = setUp();
  const endpoint = engine.db.add();
  engine.script.drives.set(endpoint.id, onePart(scriptedFiles(3, "f")));
  const lease = engine.db.lease(endpoint);
  engine.db.beginSlice = ((begin) => () => {
    engine.clock.advance(60_000);
    return begin([lease]);
  })(engine.db.beginSlice);
  await post({ leases: [LEASE] });
  await Promise.all(background);
  assert.equal(endpoint.outcomes[0]?.type, "continue");
  assert.equal(fetched.length, 1);
  assert.equal(fetched[0]?.url, "http://project.example/functions/v1/dispatcher");
  assert.equal(fetched[0]?.headers.get("x-connector-token"), DISPATCH_TOKEN);
  assert.equal(fetched[0]?.headers.get("apikey"), null);
  assert.equal(fetched[0]?.body, '{"source":"worker"}');
});

Deno.test("the sync function is for secret keys alone", async () => {
  const { post, background } = setUp();
  for (
    const headers of [
      {},
      { apikey: "sb_secret_wrong" },
      { apikey: "sb_publishable_0123456789" },
      { "x-connector-token": DISPATCH_TOKEN },
      { authorization: `Bearer ${SECRET_KEY}` },
    ]
  ) {
    const answer = await refusal(await post({ leases: [LEASE] }, headers));
    assert.deepEqual(answer, { status: 401, code: "unauthorized", request_id: "request-0001" });
  }
  assert.equal(background.length, 0);
});

Deno.test("the sync function refuses bodies that are not one to two hundred leases", async () => {
  const { post } = setUp();
  const bodies = [
    {},
    { leases: [] },
    { leases: [], refreshes: [] },
    { refreshes: [LEASE.endpoint_id] },
    { leases: [], refreshes: ["x"] },
    { leases: [], refreshes: Array.from({ length: 101 }, () => LEASE.endpoint_id) },
    { leases: [{ endpoint_id: "x", lease_token: "y" }] },
    { leases: [{ endpoint_id: LEASE.endpoint_id }] },
    { leases: Array.from({ length: 201 }, () => LEASE) },
  ];
  for (const body of bodies) {
    assert.equal(
      (await refusal(await post(body))).code,
      "body_invalid",
      JSON.stringify(body).slice(0, 60),
    );
  }
  assert.equal((await post({ leases: Array.from({ length: 200 }, () => LEASE) })).status, 202);
});

Deno.test("the sync function answers POST alone", async () => {
  const { handler } = setUp();
  const response = await handler(new Request("http://function.example"));
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "POST");
});

Deno.test("a service-account JSON that cannot be read is named, and not shown", async () => {
  for (const json of ["{not json", '{"type":"authorized_user"}', '{"private_key":"S3CRET"}']) {
    const environment: Record<string, string> = {
      ...ENVIRONMENT,
      CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: json,
    };
    const { deps } = setUp();
    const handler = createSyncHandler(googleDrive, { ...deps, env: (name) => environment[name] });
    const response = await handler(
      new Request("http://function.example", {
        method: "POST",
        headers: { apikey: SECRET_KEY },
        body: "{}",
      }),
    );
    const { code, message } = await response.json();
    assert.deepEqual([response.status, code], [500, "setting_invalid"]);
    assert.match(message, /CONNECTOR_GOOGLE_DRIVE_CREDENTIALS/);
    assert.ok(!message.includes("S3CRET") && !message.includes("{"), message);
  }
});

Deno.test("a missing setting is named in the answer", async () => {
  const { post } = setUp({ ...ENVIRONMENT, CONNECTOR_TOKEN_KEYS: "" });
  const response = await post({ leases: [LEASE] });
  const { code, message } = await response.json();
  assert.equal(response.status, 500);
  assert.equal(code, "setting_invalid");
  assert.match(message, /CONNECTOR_TOKEN_KEYS/);
});

Deno.test("a missing setting is named to nobody without a secret key", async () => {
  const { post, background } = setUp({ ...ENVIRONMENT, CONNECTOR_TOKEN_KEYS: "" });
  for (const headers of [{}, { apikey: "sb_secret_wrong" }]) {
    const response = await post({ leases: [LEASE] }, headers);
    const { code, message } = await response.json();
    assert.deepEqual([response.status, code], [401, "unauthorized"]);
    assert.ok(!message.includes("CONNECTOR_TOKEN_KEYS"), message);
  }
  assert.equal(background.length, 0);
});
