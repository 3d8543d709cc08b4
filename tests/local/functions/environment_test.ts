import assert from "node:assert/strict";
import { join } from "node:path";
import {
  defaultSettings,
  functionEnvironment,
  readSettings,
} from "../../../local/functions/environment.ts";
import { makeKeys } from "../../../local/keys.ts";

Deno.test("readSettings() lets the environment override supabase/functions/.env and passes CONNECTOR_ names alone", async () => {
  const root = await Deno.makeTempDir();
  await Deno.mkdir(join(root, "supabase", "functions"), { recursive: true });
  await Deno.writeTextFile(
    join(root, "supabase", "functions", ".env"),
    "CONNECTOR_LOG_LEVEL=debug\nCONNECTOR_ENVIRONMENT='from file'\nOTHER=1\n",
  );
  const settings = await readSettings(root, {
    CONNECTOR_ENVIRONMENT: "from environment",
    CONNECTOR_TEST_STACK: "/tmp/stack.json",
    HOME: "/home/someone",
  });
  await Deno.remove(root, { recursive: true });
  assert.deepEqual(settings, {
    CONNECTOR_LOG_LEVEL: "debug",
    CONNECTOR_ENVIRONMENT: "from environment",
  });
});

Deno.test("functionEnvironment() never lets a setting replace what the platform injects", async () => {
  const keys = await makeKeys();
  const env = functionEnvironment({
    slug: "health",
    apiUrl: "http://127.0.0.1:54321",
    dbUrl: "postgresql://localhost/postgres",
    keys,
    settings: { SUPABASE_URL: "http://elsewhere", CONNECTOR_ENVIRONMENT: "local" },
  });
  assert.equal(env.SUPABASE_URL, "http://127.0.0.1:54321");
  assert.equal(env.SUPABASE_FUNCTION_SLUG, "health");
  assert.equal(env.CONNECTOR_ENVIRONMENT, "local");
  assert.deepEqual(JSON.parse(env.SUPABASE_SECRET_KEYS ?? ""), { default: keys.secretKey });
  assert.equal(env.SUPABASE_JWKS?.includes('"d":'), false);
});

Deno.test("defaultSettings() sends people back to the API's address and to applications of this machine alone", async () => {
  const settings = defaultSettings(await makeKeys(), "http://127.0.0.1:54321");
  assert.equal(settings["CONNECTOR_PUBLIC_URL"], "http://127.0.0.1:54321");
  const hosts = (settings["CONNECTOR_OAUTH_REDIRECT_URLS"] ?? "").split(",")
    .map((address) => new URL(address).hostname);
  assert.deepEqual([...new Set(hosts)].sort(), ["127.0.0.1", "localhost"]);
});
