import assert from "node:assert/strict";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { createDispatcherHandler } from "../../supabase/functions/_shared/handlers/dispatcher.ts";
import {
  API_URL,
  claim,
  createTokenIssuer,
  DISPATCH_TOKEN,
  environment,
  FakeConnectorDb,
  fakeDeps,
  type FakeDepsOptions,
  OTHER_SECRET_KEY,
  SECRET_KEY,
} from "../support/function_fakes.ts";

const TICK = { headers: { "x-connector-token": DISPATCH_TOKEN }, body: '{"source":"tick"}' };

const SECRET = { headers: { apikey: SECRET_KEY }, body: "{}" };

function post(init: RequestInit = TICK): Request {
  return new Request(`${API_URL}/dispatcher`, { method: "POST", ...init });
}

async function dispatch(options: FakeDepsOptions & { db: FakeConnectorDb }, init?: RequestInit) {
  const deps = fakeDeps(options);
  const response = await createDispatcherHandler(deps)(post(init));
  assert.equal(response.status, 202, await response.clone().text());
  await deps.settled();
  return deps;
}

function withDue(...claims: ReturnType<typeof claim>[]): FakeConnectorDb {
  const db = new FakeConnectorDb();
  db.due = claims;
  return db;
}

Deno.test("dispatcher answers 202 before it has asked the database", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const db = withDue(claim());
  db.unplannedSchedules = async () => (await promise, []);
  const deps = fakeDeps({ db });
  const response = await createDispatcherHandler(deps)(post());
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), { accepted: true, request_id: "request-1" });
  assert.equal(db.claimRequests.length, 0);
  resolve();
  await deps.settled();
  assert.ok(db.claimRequests.length > 0);
});

Deno.test("dispatcher hands leases to the sync function of their type with the secret key", async () => {
  const due = claim({ endpoint_type: "autodesk_construction_cloud" });
  const { fetched } = await dispatch({ db: withDue(due) });
  assert.equal(fetched.length, 1);
  const [call] = fetched;
  assert.ok(call);
  const { url, request } = call;
  assert.equal(url, `${API_URL}/functions/v1/sync-autodesk-construction-cloud`);
  assert.equal(request.headers.get("apikey"), SECRET_KEY);
  assert.equal(request.redirect, "error");
  assert.deepEqual(await request.json(), {
    leases: [{ endpoint_id: due.endpoint_id, lease_token: due.lease_token }],
    refreshes: [],
    more_due: false,
  });
});

Deno.test("dispatcher puts ten light endpoints of a type together and each heavy one alone", async () => {
  const light = Array.from({ length: 23 }, () => claim());
  const others = [claim({ endpoint_type: "other_type" }), claim({ is_heavy: true })];
  const env = environment({ CONNECTOR_MAX_CONCURRENT_SYNCS: "50" });
  const { fetched } = await dispatch({ db: withDue(...light, ...others), env });
  const sizes = await Promise.all(fetched.map(async ({ url, request }) => {
    const { leases } = await request.json();
    return `${url.split("/").at(-1)} ${leases.length}`;
  }));
  assert.deepEqual(sizes.sort(), [
    "sync-google-drive 1",
    "sync-google-drive 10",
    "sync-google-drive 10",
    "sync-google-drive 3",
    "sync-other-type 1",
  ]);
});

Deno.test("dispatcher claims until nothing is due and never more than allowed", async () => {
  const db = withDue(...Array.from({ length: 30 }, () => claim()));
  await dispatch({ db, env: environment({ CONNECTOR_MAX_CONCURRENT_SYNCS: "12" }) });
  assert.equal(db.due.length, 18);
  assert.ok(db.claimRequests.every(({ maxConcurrent }) => maxConcurrent === 12));

  const quiet = withDue(claim());
  await dispatch({ db: quiet });
  assert.deepEqual(quiet.claimRequests.map(({ batch }) => batch), [10]);
});

Deno.test("dispatcher starts the other groups while one function is slow", async () => {
  const slow = Promise.withResolvers<Response>();
  const db = withDue(claim({ is_heavy: true }), claim({ endpoint_type: "other_type" }));
  const deps = fakeDeps({
    db,
    respond: ({ url }) => {
      if (url.includes("google")) return slow.promise;
      slow.resolve(new Response(null, { status: 202 }));
      return new Response(null, { status: 202 });
    },
  });
  await createDispatcherHandler(deps)(post());
  await deps.settled();
  assert.equal(deps.fetched.length, 2);
  assert.equal(db.released.length, 0);
});

Deno.test("dispatcher releases the leases of a function that is not deployed and says how to deploy it", async () => {
  const due = claim();
  const db = withDue(due);
  await dispatch({ db, respond: () => new Response("Not found", { status: 404 }) });
  assert.equal(db.released.length, 1);
  const [release] = db.released;
  assert.deepEqual(release?.leases.map(({ lease_token }) => lease_token), [due.lease_token]);
  assert.equal(release?.code, "function_unavailable");
  assert.ok(release.message.includes("supabase functions deploy sync-google-drive"));
});

Deno.test("dispatcher releases what a network error, a timeout or a 5xx kept from starting", async () => {
  const answers: (() => Response | Promise<Response>)[] = [
    () => Promise.reject(new TypeError("connection refused")),
    () => Promise.reject(new DOMException("Signal timed out.", "TimeoutError")),
    () => new Response("boom", { status: 503 }),
    () => new Response("ok", { status: 200 }),
  ];
  for (const respond of answers) {
    const db = withDue(claim());
    await dispatch({ db, respond });
    assert.equal(db.released[0]?.code, "function_unavailable");
    assert.ok(db.released[0].message.includes("sync-google-drive"));
  }
});

Deno.test("dispatcher passes on which setting a sync function lacks", async () => {
  const db = withDue(claim());
  const body = { code: "setting_invalid", message: "The setting X is missing", request_id: "r" };
  await dispatch({ db, respond: () => Response.json(body, { status: 500 }) });
  assert.equal(db.released[0]?.code, "setting_invalid");
  assert.equal(db.released[0].message, "The setting X is missing");
});

Deno.test("dispatcher goes on with other endpoints when a release fails", async () => {
  const db = withDue(claim({ is_heavy: true }), claim({ endpoint_type: "other_type" }));
  db.release = () => Promise.reject(new SyncError("unavailable", "no answer"));
  const respond = ({ url }: Request) =>
    new Response(null, { status: url.includes("google") ? 500 : 202 });
  const { lines } = await dispatch({ db, respond });
  const finished = lines.find((line) => line.includes("dispatch_finished"));
  assert.ok(finished?.includes('"started":1'), finished);
  assert.ok(lines.some((line) => line.includes("release_failed")));
});

Deno.test("dispatcher plans cron schedules, and tells an endpoint's owner what is wrong with theirs", async () => {
  const db = new FakeConnectorDb();
  const schedule = { timezone: "Europe/Berlin", schedule_version: 3 };
  db.unplanned = [
    { ...schedule, endpoint_id: "good", schedule_cron: "30 12 * * *" },
    { ...schedule, endpoint_id: "bad", schedule_cron: "never" },
    { ...schedule, endpoint_id: "impossible", schedule_cron: "0 0 31 2 *" },
  ];
  await dispatch({ db });
  assert.deepEqual(db.plans[0], {
    endpoint_id: "good",
    schedule_version: 3,
    next_run_at: "2026-11-22T11:30:00.000Z",
    error: null,
  });
  assert.ok(db.plans[1]?.error?.includes('"never" is not valid'));
  assert.equal(db.plans[1]?.next_run_at, null);
  assert.ok(db.plans[2]?.error?.includes("never comes due"));
});

Deno.test("dispatcher starts due endpoints even when schedules cannot be planned", async () => {
  const db = withDue(claim());
  db.unplannedSchedules = () => Promise.reject(new SyncError("unavailable", "no answer"));
  const { fetched } = await dispatch({ db });
  assert.equal(fetched.length, 1);
});

Deno.test("dispatcher accepts any secret key and an empty body", async () => {
  for (const apikey of [SECRET_KEY, OTHER_SECRET_KEY]) {
    await dispatch({ db: new FakeConnectorDb() }, { headers: { apikey } });
  }
});

Deno.test("dispatcher refuses everyone else without naming a key", async () => {
  const issuer = await createTokenIssuer();
  const env = environment({ SUPABASE_JWKS: issuer.jwks });
  const callers = [
    {},
    { apikey: "sb_secret_unknown" },
    { "x-connector-token": "wrong" },
    { "x-connector-token": "wrong", apikey: SECRET_KEY },
    { authorization: `Bearer ${SECRET_KEY}` },
    { authorization: `Bearer ${await issuer.sign()}` },
  ];
  for (const headers of callers) {
    const db = withDue(claim());
    const deps = fakeDeps({ db, env });
    const response = await createDispatcherHandler(deps)(post({ headers }));
    const text = await response.text();
    assert.equal(response.status, 401, JSON.stringify(headers));
    assert.deepEqual(Object.keys(JSON.parse(text)), ["code", "message", "request_id"]);
    assert.ok(!/default|"cron"|sb_secret/.test(text), text);
    await deps.settled();
    assert.equal(db.due.length, 1);
  }
});

Deno.test("dispatcher answers POST only, and refuses a body that is malformed or too large", async () => {
  const handle = createDispatcherHandler(fakeDeps());
  const get = await handle(new Request(`${API_URL}/dispatcher`));
  assert.equal(get.status, 405);
  assert.equal(get.headers.get("allow"), "POST");
  const malformed = await handle(post({ ...TICK, body: "{" }));
  assert.equal(malformed.status, 400);
  assert.equal((await malformed.json()).code, "body_invalid");
  const large = await handle(post({ ...TICK, body: `"${"x".repeat(70_000)}"` }));
  assert.equal(large.status, 413);
  assert.equal((await large.json()).code, "body_too_large");
});

Deno.test("dispatcher answers 500 and names the setting that is missing or malformed", async () => {
  const broken: [string, string | undefined][] = [
    ["SUPABASE_URL", undefined],
    ["SUPABASE_SECRET_KEYS", "{"],
    ["CONNECTOR_DISPATCH_TOKEN", "short-value"],
    ["CONNECTOR_MAX_CONCURRENT_SYNCS", "many"],
    ["CONNECTOR_LOG_LEVEL", "loud"],
  ];
  for (const [name, value] of broken) {
    const deps = fakeDeps({ env: environment({ [name]: value }) });
    const handle = createDispatcherHandler(deps);
    for (let attempt = 1; attempt <= 2; attempt++) {
      const response = await handle(post(name === "CONNECTOR_DISPATCH_TOKEN" ? SECRET : TICK));
      const body = await response.json();
      assert.equal(response.status, 500);
      assert.equal(body.code, "setting_invalid");
      assert.ok(body.message.includes(name), body.message);
      assert.ok(!body.message.includes("short-value"));
      assert.equal(deps.lines.length, attempt);
      assert.ok(deps.lines.every((line) => line.includes(name)), "the logs name it");
    }
  }
});

Deno.test("dispatcher names no setting to callers without a right token, and refuses them where it can", async () => {
  const strangers = [
    {},
    { apikey: "sb_secret_wrong" },
    { "x-connector-token": "wrong" },
    { authorization: `Bearer ${SECRET_KEY}` },
  ];
  const cases: [string, string | undefined, number, string][] = [
    ["SUPABASE_URL", undefined, 401, "unauthorized"],
    ["CONNECTOR_MAX_CONCURRENT_SYNCS", "many", 401, "unauthorized"],
    // Who calls cannot be told without them.
    ["SUPABASE_SECRET_KEYS", "{", 500, "setting_invalid"],
    ["CONNECTOR_DISPATCH_TOKEN", "short-value", 500, "setting_invalid"],
  ];
  for (const [name, value, status, code] of cases) {
    for (const headers of strangers) {
      const deps = fakeDeps({ env: environment({ [name]: value }) });
      const response = await createDispatcherHandler(deps)(post({ headers }));
      const body = await response.json();
      assert.deepEqual([response.status, body.code], [status, code], JSON.stringify(headers));
      assert.ok(!body.message.includes(name) || status === 401, body.message);
    }
  }
});

Deno.test("dispatcher keeps the caller's request id", async () => {
  const headers = { ...TICK.headers, "x-request-id": "caller-chosen-id" };
  const response = await createDispatcherHandler(fakeDeps())(post({ ...TICK, headers }));
  assert.equal(response.headers.get("x-request-id"), "caller-chosen-id");
  assert.equal((await response.json()).request_id, "caller-chosen-id");
});
