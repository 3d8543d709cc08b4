import assert from "node:assert/strict";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { createStatusHandler } from "../../supabase/functions/_shared/handlers/status.ts";
import {
  API_URL,
  createTokenIssuer,
  DISPATCH_TOKEN,
  emptyStatus,
  environment,
  FakeConnectorDb,
  fakeDeps,
  PUBLISHABLE_KEY,
  SECRET_KEY,
} from "../support/function_fakes.ts";

const issuer = await createTokenIssuer();
const env = environment({ SUPABASE_JWKS: issuer.jwks });

function get(headers: Readonly<Record<string, string>>, query = ""): Request {
  return new Request(`${API_URL}/status${query}`, { headers: { ...headers } });
}

Deno.test("status asks the database as the signed-in user", async () => {
  const deps = fakeDeps({ env });
  const token = await issuer.sign();
  const response = await createStatusHandler(deps)(
    get({ authorization: `Bearer ${token}`, apikey: PUBLISHABLE_KEY }),
  );
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), emptyStatus());
  assert.deepEqual(deps.userTokens.map((secret) => secret.reveal()), [token]);
  assert.equal(deps.serviceConnections.count, 0);
});

Deno.test("status shows everything to a secret key", async () => {
  const db = new FakeConnectorDb();
  const deps = fakeDeps({ env, db });
  const response = await createStatusHandler(deps)(get({ apikey: SECRET_KEY }, "?limit=7"));
  assert.equal(response.status, 200);
  assert.equal(deps.serviceConnections.count, 1);
  assert.deepEqual(db.statusLimits, [7]);
});

Deno.test("status treats a user who also sends a secret key as the user", async () => {
  const deps = fakeDeps({ env });
  const headers = { authorization: `Bearer ${await issuer.sign()}`, apikey: SECRET_KEY };
  assert.equal((await createStatusHandler(deps)(get(headers))).status, 200);
  assert.equal(deps.userTokens.length, 1);
  assert.equal(deps.serviceConnections.count, 0);
});

Deno.test("status accepts a key that supabase-js repeats as the bearer token", async () => {
  const deps = fakeDeps({ env });
  const headers = { authorization: `Bearer ${SECRET_KEY}`, apikey: SECRET_KEY };
  assert.equal((await createStatusHandler(deps)(get(headers))).status, 200);
});

Deno.test("status refuses callers that show nothing valid, without opening the database", async () => {
  const stranger = await createTokenIssuer();
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const callers = [
    {},
    { apikey: PUBLISHABLE_KEY },
    { apikey: "sb_secret_wrong" },
    { "x-connector-token": DISPATCH_TOKEN },
    bearer(await stranger.sign()),
    bearer(await issuer.sign({}, "-1h")),
    bearer(await issuer.sign({ aud: "other" })),
    bearer(await issuer.sign({ role: "service_role" })),
    bearer(await issuer.sign({ sub: undefined })),
    bearer("not-a-token"),
    { ...bearer(await stranger.sign()), apikey: SECRET_KEY },
  ];
  for (const headers of callers) {
    const deps = fakeDeps({ env });
    const response = await createStatusHandler(deps)(get(headers));
    const body = await response.json();
    assert.equal(response.status, 401, JSON.stringify(headers));
    assert.equal(body.code, "unauthorized");
    assert.deepEqual(Object.keys(body), ["code", "message", "request_id"]);
    assert.equal(deps.userTokens.length + deps.serviceConnections.count, 0);
  }
});

Deno.test("status writes metrics for a secret key and escapes names in labels", async () => {
  const db = new FakeConnectorDb();
  db.status = {
    ...emptyStatus(),
    totals: { endpoints: 1, files: 3, bytes: "9007199254740993" },
    by_status: { completed: 1 },
    endpoints: [{
      id: "e1",
      name: 'Plans "A"\\B\nnext',
      endpoint_type: "google_drive",
      enabled: true,
      last_sync_status: "completed",
      last_sync_at: "2026-11-22T10:00:00Z",
      next_sync_at: null,
      is_running: false,
      files: 3,
      bytes: "9007199254740993",
      token_status: "Valid",
      token_expires_at: null,
      last_error_code: null,
      last_error_message: null,
    }],
  };
  const response = await createStatusHandler(fakeDeps({ env, db }))(
    get({ apikey: SECRET_KEY }, "?format=prometheus"),
  );
  const text = await response.text();
  assert.equal(response.status, 200);
  assert.ok(response.headers.get("content-type")?.startsWith("text/plain; version=0.0.4"));
  const labels = 'endpoint_id="e1",name="Plans \\"A\\"\\\\B\\nnext",type="google_drive"';
  assert.ok(text.includes(`file_connector_endpoint_files{${labels}} 3\n`), text);
  assert.ok(text.includes("file_connector_bytes 9007199254740993\n"));
  assert.ok(text.includes('file_connector_endpoints_by_status{status="completed"} 1\n'));
  assert.ok(!text.includes("null"));
  for (const line of text.trimEnd().split("\n")) {
    assert.ok(/^(# (HELP|TYPE) |file_connector_\w+(\{.*\})? -?\d+(\.\d+)?$)/.test(line), line);
  }
});

Deno.test("status refuses metrics to a user", async () => {
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  const response = await createStatusHandler(fakeDeps({ env }))(get(headers, "?format=prometheus"));
  assert.equal(response.status, 403);
  assert.equal((await response.json()).code, "forbidden");
});

Deno.test("status refuses an unknown format and a limit out of range", async () => {
  for (const query of ["?format=xml", "?limit=0", "?limit=1001", "?limit=-1", "?limit=all"]) {
    const response = await createStatusHandler(fakeDeps({ env }))(
      get({ apikey: SECRET_KEY }, query),
    );
    assert.equal(response.status, 400, query);
    assert.equal((await response.json()).code, "parameter_invalid");
  }
});

Deno.test("status answers 503 without details when the database does not answer", async () => {
  const db = new FakeConnectorDb();
  db.failure = new SyncError("unavailable", "The database did not answer in time.", {
    cause: new Error("select secret from vault"),
  });
  const response = await createStatusHandler(fakeDeps({ env, db }))(get({ apikey: SECRET_KEY }));
  const text = await response.text();
  assert.equal(response.status, 503);
  assert.equal(JSON.parse(text).code, "unavailable");
  assert.ok(!text.includes("select"));
});

Deno.test("status hides an unexpected error from the caller and logs it", async () => {
  const db = new FakeConnectorDb();
  db.failure = new TypeError("undefined is not a function");
  const deps = fakeDeps({ env, db });
  const response = await createStatusHandler(deps)(get({ apikey: SECRET_KEY }));
  const text = await response.text();
  assert.equal(response.status, 500);
  assert.equal(JSON.parse(text).code, "internal");
  assert.ok(!text.includes("undefined is not"));
  assert.ok(deps.lines.some((line) => line.includes("undefined is not a function")));
});
