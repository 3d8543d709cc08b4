/** The function that tests endpoints, where a person has connected an account. */
import assert from "node:assert/strict";
import { parseTokenKeys } from "../../supabase/functions/_shared/config_token_keys.ts";
import type {
  BegunRefresh,
  ConnectorDb,
  FailedRefresh,
  RefreshRequest,
  SealedRefresh,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { environment } from "../support/function_fakes.ts";
import {
  ALL_WELL,
  createFunction,
  ENDPOINT_ID,
  ENVIRONMENT,
  type Environment,
  messageOf,
  oneEndpoint,
  outline,
  OWNER,
  read,
  setUpDrive,
  testDrive,
  type World,
} from "../support/tested_endpoint.ts";

const TOKEN_KEYS = environment()["CONNECTOR_TOKEN_KEYS"] ?? "";
const vault = createTokenVault(parseTokenKeys("CONNECTOR_TOKEN_KEYS", TOKEN_KEYS));
const SCOPE = "https://www.googleapis.com/auth/drive.metadata.readonly";
const CLIENT: Environment = {
  CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: undefined,
  CONNECTOR_GOOGLE_CLIENT_ID: "client.example",
  CONNECTOR_GOOGLE_CLIENT_SECRET: "hush",
};

/** An endpoint whose owner has connected an account, and how its grant answers. */
function connected(begin: (request: RefreshRequest) => Promise<BegunRefresh>) {
  const stored: SealedRefresh[] = [];
  const failed: FailedRefresh[] = [];
  const db: ConnectorDb = Object.assign(oneEndpoint({ needs_grant: true }), {
    beginRefresh: begin,
    storeRefresh: (refresh: SealedRefresh) => {
      stored.push(refresh);
      return Promise.resolve(true);
    },
    failRefresh: (failure: FailedRefresh) => {
      failed.push(failure);
      return Promise.resolve({ type: "ended" as const });
    },
  });
  return { db, stored, failed };
}

async function ready(token: string, generation = 1): Promise<BegunRefresh> {
  const access_token = await vault.seal(new Secret(token), ENDPOINT_ID);
  const expires_at = new Date(Date.now() + 1_800_000).toISOString();
  return { type: "ready", access_token, expires_at, generation };
}

async function refresh(): Promise<BegunRefresh> {
  return {
    type: "refresh",
    refresh_token: await vault.seal(new Secret("1//refresh"), ENDPOINT_ID),
    generation: 1,
    lease_token: "22222222-2222-4222-8222-222222222222",
    is_outcome_unknown: false,
  };
}

/** Tests the connected endpoint by its id. */
async function testConnected(world: World) {
  const { post, settled } = createFunction({ ...world, env: { ...CLIENT, ...world.env } });
  const answer = await read(await post({ endpoint_id: ENDPOINT_ID }));
  await settled();
  return answer;
}

Deno.test("an endpoint whose owner connected an account is tested as that account", async () => {
  const { emulator } = setUpDrive();
  const { db, stored } = connected(() => ready(emulator.issueAccessToken(OWNER, [SCOPE])));
  const answer = await testConnected({ fetch: emulator.fetch, db });
  assert.equal(outline(answer), ALL_WELL);
  assert.match(messageOf(answer, "token"), /the connected account's token, good for 30 minutes/);
  assert.equal(stored.length, 0);
});

Deno.test("a token that the provider refuses is refreshed once, stored, and tested with", async () => {
  const { emulator } = setUpDrive();
  const asked: (number | null)[] = [];
  const { db, stored } = connected(({ refused_generation }) => {
    asked.push(refused_generation);
    return refused_generation === null ? ready("stale") : refresh();
  });
  const token = emulator.issueAccessToken(OWNER, [SCOPE]);
  const tokenFetch = () =>
    Promise.resolve(Response.json({ access_token: token, expires_in: 3599, token_type: "Bearer" }));
  const answer = await testConnected({ fetch: emulator.fetch, tokenFetch, db });
  assert.equal(outline(answer), ALL_WELL);
  assert.deepEqual(asked, [null, 1]);
  assert.equal(stored.length, 1);
  assert.equal((await vault.open(stored[0]?.access_token ?? "", ENDPOINT_ID)).reveal(), token);
});

Deno.test("a connection that is missing or over, or a client that is, fails the check of the token", async () => {
  const { emulator } = setUpDrive();
  const { fetch } = emulator;
  const rest = "-scope -api_enabled -reachable -page -quota";
  const failing = `+settings +configuration !token ${rest}`;
  const missing = connected(() => Promise.resolve({ type: "missing" }));
  const never = await testConnected({ fetch, db: missing.db });
  assert.equal(outline(never), failing);
  assert.match(messageOf(never, "token"), /oauth\/authorize\?endpoint_id=11111111/);

  const ended = connected(refresh);
  const tokenFetch = () =>
    Promise.resolve(Response.json({ error: "invalid_grant" }, { status: 400 }));
  const over = await testConnected({ fetch, tokenFetch, db: ended.db });
  assert.equal(outline(over), failing);
  assert.match(messageOf(over, "token"), /no longer accepts the connection.*Connect the account/);
  assert.deepEqual(ended.failed.map(({ is_final }) => is_final), [true]);

  const { CONNECTOR_GOOGLE_DRIVE_CREDENTIALS } = ENVIRONMENT;
  const env = {
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS,
    CONNECTOR_GOOGLE_CLIENT_ID: undefined,
    CONNECTOR_GOOGLE_CLIENT_SECRET: undefined,
  };
  const unset = await testConnected({ fetch, db: connected(refresh).db, env });
  assert.equal(outline(unset), failing);
  assert.match(messageOf(unset, "token"), /CONNECTOR_GOOGLE_CLIENT_ID/);
});

Deno.test("a refresh that takes longer than the test goes on until it is stored", async () => {
  const { emulator } = setUpDrive();
  const { db, stored } = connected(refresh);
  const startedAtMs = Date.now();
  let asked = 0;
  const answered = Promise.withResolvers<Response>();
  const { post, settled } = createFunction({
    fetch: emulator.fetch,
    tokenFetch: () => answered.promise,
    now: () => new Date(startedAtMs + (asked++ === 0 ? 0 : 24_900)),
    env: CLIENT,
    db,
  });
  const answer = await read(await post({ endpoint_id: ENDPOINT_ID }));
  assert.match(outline(answer), /!token -scope/);
  assert.match(messageOf(answer, "token"), /took longer than it may/);
  assert.equal(stored.length, 0);
  answered.resolve(Response.json({ access_token: "late", expires_in: 3599 }));
  await settled();
  assert.equal(stored.length, 1);
});

Deno.test("auth decides whose token is tested; one that only a person can have needs an endpoint", async () => {
  const drive = setUpDrive();
  const application = await testDrive({ auth: "application" }, { drive });
  assert.equal(outline(application), ALL_WELL);
  const odd = await testDrive({ auth: "robot" }, { drive });
  assert.match(outline(odd), /^\+settings !configuration -token/);
  assert.match(messageOf(odd, "configuration"), /auth in endpoint_config/);
  const user = await testDrive({ auth: "user" }, { drive, env: CLIENT });
  assert.match(outline(user), /!token -scope/);
  assert.match(messageOf(user, "token"), /create it, connect the account/);
  const unset = await testDrive({ auth: "user" }, { drive });
  assert.match(messageOf(unset, "token"), /CONNECTOR_GOOGLE_CLIENT_SECRET/);
});
