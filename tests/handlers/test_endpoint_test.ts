/** The function that tests endpoints, against the emulated providers: every check fails in turn. */
import assert from "node:assert/strict";
import type { Fault } from "../../local/google/faults.ts";
import { createServiceAccount } from "../../local/google/service_account.ts";
import { MOST_TEST_CALLS } from "../../supabase/functions/_shared/sync/endpoint_check/test_calls.ts";
import { SECRET_KEY } from "../support/function_fakes.ts";
import {
  ACCOUNT,
  ALL_WELL,
  createFunction,
  ENDPOINT_ID,
  type Environment,
  issuer,
  messageOf,
  oneEndpoint,
  outline,
  OWNER,
  read,
  setUpDrive,
  testDrive,
} from "../support/tested_endpoint.ts";
import { EmulatedAps } from "../unit/autodesk/emulated_aps.ts";

Deno.test("a configuration that works passes every check, and says what was seen", async () => {
  const drive = setUpDrive();
  const answer = await testDrive({ folder_id: drive.folder.id }, { drive });
  assert.equal(outline(answer), ALL_WELL);
  assert.equal(answer.ok, true);
  assert.equal(answer.endpoint_type, "google_drive");
  assert.match(messageOf(answer, "token"), /application's own token, good for 60 minutes/);
  assert.match(messageOf(answer, "reachable"), /1 folder\b/);
  assert.match(messageOf(answer, "page"), /3 files and 0 folders/);
  assert.match(
    messageOf(answer, "quota"),
    /let all \d calls of this test through.*of 325000 units/,
  );
  for (const check of answer.checks) {
    assert.deepEqual(Object.keys(check), ["name", "result", "message", "took_ms"]);
    assert.match(check.message, /\.$/);
  }
  // Every call of the database but the one for the endpoint would have failed.
});

Deno.test("keys that nobody reads are named, and so is a scope of everything", async () => {
  const drive = setUpDrive();
  const misspelt = await testDrive({ foldr_id: drive.folder.id, auth: "application" }, { drive });
  assert.equal(outline(misspelt), ALL_WELL);
  assert.match(
    messageOf(misspelt, "configuration"),
    /^endpoint_config can be read\. Keys of it that are not used: "foldr_id" \(misspelt\?\)\. .* everything the account can see is synced/,
  );
  const narrow = await testDrive({ folder_id: drive.folder.id }, { drive });
  assert.equal(messageOf(narrow, "configuration"), "endpoint_config can be read.");
});

Deno.test("a whole shared drive and an account's own corpus pass as well", async () => {
  const drive = setUpDrive();
  assert.equal(outline(await testDrive({ drive_id: drive.drive.id }, { drive })), ALL_WELL);
  assert.equal(outline(await testDrive({}, { drive })), ALL_WELL);
});

Deno.test("the settings of the provider and of the syncs fail by name; the configuration is read all the same", async () => {
  const none = { CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: undefined };
  const answer = await testDrive({ folder_id: "?" }, { env: none });
  const rest = "-token -scope -api_enabled -reachable -page -quota";
  assert.equal(outline(answer), `!settings !configuration ${rest}`);
  assert.equal(answer.ok, false);
  assert.match(messageOf(answer, "settings"), /CONNECTOR_GOOGLE_DRIVE_CREDENTIALS/);
  assert.match(messageOf(answer, "configuration"), /folder_id must be the id of a folder/);
  assert.match(messageOf(answer, "token"), /"settings" comes first/);
  const keys = await testDrive({}, { env: { CONNECTOR_TOKEN_KEYS: undefined } });
  assert.equal(outline(keys), `!settings +configuration ${rest}`);
  assert.match(messageOf(keys, "settings"), /CONNECTOR_TOKEN_KEYS/);
});

Deno.test("a token that is refused fails the check of the token, and nothing more is asked", async () => {
  const drive = setUpDrive();
  const { json: other } = await createServiceAccount();
  const forged = JSON.stringify({ ...ACCOUNT, private_key: other.private_key });
  const answer = await testDrive({}, {
    drive,
    env: { CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: forged },
  });
  const rest = "-scope -api_enabled -reachable -page -quota";
  assert.equal(outline(answer), `+settings +configuration !token ${rest}`);
  assert.match(messageOf(answer, "token"), /Create a new JSON key/);
  assert.equal(drive.emulator.control.journal().length, 1);
});

Deno.test("a token that allows less fails the check of the scope before the API is asked", async () => {
  const drive = setUpDrive();
  const answer = await testDrive({}, {
    drive,
    fetch: async (input, init) => {
      const response = await drive.emulator.fetch(input, init);
      if (!new Request(input).url.endsWith("/token")) return response;
      return Response.json({ ...await response.json(), scope: "openid" });
    },
  });
  const rest = "-api_enabled -reachable -page -quota";
  assert.equal(outline(answer), `+settings +configuration +token !scope ${rest}`);
  assert.match(messageOf(answer, "scope"), /not granted https:.*drive\.metadata\.readonly/);
});

const refusals: readonly (readonly [string, Fault, string, string, RegExp])[] = [
  [
    "files.get",
    { type: "status", status: 403, reason: "accessNotConfigured" },
    "+scope !api_enabled -reachable -page -quota",
    "api_enabled",
    /enable it in the console/,
  ],
  [
    "files.get",
    { type: "status", status: 403, reason: "insufficientPermissions" },
    "!scope -api_enabled -reachable -page -quota",
    "scope",
    /lacks the scope drive\.metadata\.readonly/,
  ],
  [
    "files.get",
    { type: "status", status: 401 },
    "!scope -api_enabled -reachable -page -quota",
    "scope",
    /rejects the access token/,
  ],
  [
    "files.get",
    { type: "status", status: 403, reason: "dailyLimitExceeded" },
    "+scope -api_enabled -reachable -page !quota",
    "quota",
    /daily quota .* is used up/,
  ],
  [
    "files.get",
    { type: "status", status: 429, retryAfterSeconds: 3600 },
    "+scope -api_enabled -reachable -page !quota",
    "quota",
    /fewer requests.*asks to wait 3600 seconds\.$/,
  ],
  [
    "files.get",
    { type: "status", status: 503 },
    "+scope -api_enabled !reachable -page -quota",
    "reachable",
    /did not answer properly/,
  ],
  [
    "files.get",
    { type: "garbage" },
    "+scope -api_enabled !reachable -page -quota",
    "reachable",
    /not JSON/,
  ],
  [
    "files.list",
    { type: "status", status: 403, reason: "userRateLimitExceeded", retryAfterSeconds: 90 },
    "+scope +api_enabled +reachable -page !quota",
    "quota",
    /asks to wait 90 seconds/,
  ],
  [
    "files.list",
    { type: "html" },
    "+scope +api_enabled +reachable !page -quota",
    "page",
    /proxy/,
  ],
  [
    "files.list",
    { type: "incomplete_search" },
    "+scope +api_enabled +reachable !page -quota",
    "page",
    /not all of it could be read/,
  ],
];

for (const [method, fault, expected, name, message] of refusals) {
  const { type, ...more } = fault;
  Deno.test(`${type} ${JSON.stringify(more)} of ${method} fails the check "${name}"`, async () => {
    const drive = setUpDrive();
    drive.emulator.control.addFault({
      fault,
      method,
      times: null,
    });
    const answer = await testDrive({ drive_id: drive.drive.id }, { drive });
    assert.equal(outline(answer), `+settings +configuration +token ${expected}`);
    assert.equal(answer.ok, false);
    assert.match(messageOf(answer, name), message);
  });
}

Deno.test("a short wait that the provider asks for is waited for, and the test goes on", async () => {
  const drive = setUpDrive();
  const fault: Fault = { type: "status", status: 429, retryAfterSeconds: 3 };
  drive.emulator.control.addFault({ fault, method: "files.get", times: 2 });
  const answer = await testDrive({ drive_id: drive.drive.id }, { drive });
  assert.equal(outline(answer), ALL_WELL);
  const tookMs = answer.checks.find(({ name }) => name === "reachable")?.took_ms ?? 0;
  assert.ok(tookMs >= 6_000 && tookMs < 10_000, `${tookMs} ms`);
});

Deno.test("the largest scope there is can be tested", async () => {
  const drive = setUpDrive();
  const { model } = drive.emulator;
  const folder_ids = Array.from({ length: 100 }, (_, index) => {
    const parent = model.createFolder({ name: `${index}`, parent: drive.drive.id }).id;
    return model.createFolder({ name: "deep", parent }).id;
  });
  const few = await testDrive({ folder_ids }, { drive });
  assert.equal(outline(few), ALL_WELL);
  const calls = drive.emulator.control.journal().length;
  assert.ok(calls > 100 && calls <= MOST_TEST_CALLS, `${calls} calls`);
});

Deno.test("a folder that is not shared is not reachable; of several, the first is named", async () => {
  const drive = setUpDrive();
  const hidden = drive.emulator.model.createFolder({
    name: "Hidden",
    parent: drive.emulator.model.account(OWNER).root.id,
  });
  const alone = await testDrive({ folder_id: hidden.id }, { drive });
  const before = "+settings +configuration +token +scope +api_enabled";
  assert.equal(outline(alone), `${before} !reachable -page -quota`);
  assert.match(messageOf(alone, "reachable"), /share/i);
  const both = await testDrive({ folder_ids: [drive.folder.id, hidden.id] }, { drive });
  assert.equal(outline(both), `${before} !reachable +page -quota`);
  assert.match(messageOf(both, "reachable"), new RegExp(`1 of 2 folders .* "${hidden.id}"`));
});

Deno.test("a provider that never answers ends the test in time", async () => {
  const drive = setUpDrive();
  const startedAtMs = Date.now();
  let asked = 0;
  const answer = await testDrive({ drive_id: drive.drive.id }, {
    drive,
    // The request arrived long ago, as far as the function's clock tells.
    now: () => new Date(startedAtMs + (asked++ === 0 ? 0 : 22_000)),
    fetch: (input, init) => {
      if (new Request(input).url.endsWith("/token")) return drive.emulator.fetch(input, init);
      return new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    },
  });
  assert.equal(
    outline(answer),
    "+settings +configuration +token +scope -api_enabled !reachable -page -quota",
  );
  assert.match(messageOf(answer, "reachable"), /took longer than it may/);
  assert.ok(Date.now() - startedAtMs < 20_000);
});

function testAps(aps: EmulatedAps, endpoint_config: object, env: Environment = {}) {
  const { post } = createFunction({
    fetch: aps.emulator.fetch,
    now: () => new Date(aps.nowMs),
    env,
  });
  return post({ endpoint_type: "autodesk_construction_cloud", endpoint_config }).then(read);
}

Deno.test("a project of Autodesk passes every check, and each thing that can be missing is told", async () => {
  const aps = new EmulatedAps();
  const project_id = aps.place.projectId;
  const well = await testAps(aps, { project_id });
  assert.equal(outline(well), ALL_WELL);
  assert.match(messageOf(well, "quota"), /of 50 units a minute/);

  const secret = await testAps(aps, { project_id }, { CONNECTOR_AUTODESK_CLIENT_SECRET: "old" });
  assert.match(outline(secret), /!token -scope/);
  assert.match(messageOf(secret, "token"), /has expired or was replaced/);

  const other = await testAps(aps, { project_id: "b.00000000-0000-4000-8000-000000000000" });
  assert.match(outline(other), /\+scope \+api_enabled !reachable -page/);

  aps.model.setProvisioned(aps.place.hubId, "AbCdEfGh", false);
  const unknown = await testAps(aps, { project_id });
  assert.match(outline(unknown), /\+scope !api_enabled -reachable/);
  assert.match(messageOf(unknown, "api_enabled"), /Custom Integrations/);
});

Deno.test("an owner tests an endpoint by its id, an operator any; nobody another's", async () => {
  const drive = setUpDrive();
  const db = oneEndpoint({ endpoint_config: { folder_id: drive.folder.id } });
  const { post, lines } = createFunction({ fetch: drive.emulator.fetch, db });
  const body = { endpoint_id: ENDPOINT_ID };
  const bearer = async (sub: string) => ({ authorization: `Bearer ${await issuer.sign({ sub })}` });
  for (const headers of [{ apikey: SECRET_KEY }, await bearer("user-1")]) {
    assert.equal(outline(await read(await post(body, headers))), ALL_WELL);
  }
  const tested = lines.map((line) => JSON.parse(line)).filter(({ event }) =>
    event === "endpoint_tested"
  );
  assert.deepEqual(tested.map(({ endpoint_id, ok }) => [endpoint_id, ok]), [
    [ENDPOINT_ID, true],
    [ENDPOINT_ID, true],
  ]);
  const foreign = await post(body, await bearer("user-2"));
  assert.deepEqual([foreign.status, (await foreign.json()).code], [404, "not_found"]);
  const nobody = await post(body, {});
  assert.deepEqual([nobody.status, (await nobody.json()).code], [401, "unauthorized"]);
});

Deno.test("a request that says nothing, too much or something unknown is refused", async () => {
  const { post } = createFunction({ fetch: setUpDrive().emulator.fetch });
  const bodies: readonly (readonly [unknown, string, RegExp])[] = [
    [{}, "body_invalid", /endpoint_id, or else endpoint_type/],
    [{ endpoint_config: {} }, "body_invalid", /endpoint_type/],
    [{ endpoint_id: ENDPOINT_ID, endpoint_type: "x" }, "body_invalid", /or else/],
    [{ endpoint_id: "1" }, "body_invalid", /endpoint_id/],
    [{ endpoint_type: "google_drive", endpoint_config: [] }, "body_invalid", /endpoint_config/],
    [{ endpoint_type: "dropbox" }, "config_invalid", /"google_drive" or/],
  ];
  for (const [body, code, message] of bodies) {
    const response = await post(body);
    const answer = await response.json();
    assert.deepEqual([response.status, answer.code], [400, code], JSON.stringify(body));
    assert.match(answer.message, message);
  }
});

Deno.test("no answer and no log line of a test holds a key or a token", async () => {
  const drive = setUpDrive();
  drive.emulator.control.addFault({ fault: { type: "status", status: 401 }, times: null });
  const { post, lines } = createFunction({ fetch: drive.emulator.fetch });
  const response = await post({ endpoint_type: "google_drive", endpoint_config: {} });
  const text = await response.text() + lines.join("\n");
  const secrets = drive.emulator.knownSecrets().map(({ value }) => value);
  assert.ok(secrets.length > 0);
  const line = ACCOUNT.private_key.split("\n")[1] ?? "";
  for (const secret of [...secrets, line, "hush", SECRET_KEY]) {
    assert.ok(!text.includes(secret));
  }
});
