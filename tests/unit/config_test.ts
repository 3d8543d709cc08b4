import assert from "node:assert/strict";
import {
  type Env,
  readDispatcherSettings,
  readHealthSettings,
  readStatusSettings,
  readSyncSettings,
} from "../../supabase/functions/_shared/config.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { environment, PUBLISHABLE_KEY, SECRET_KEY } from "../support/function_fakes.ts";

const KEY_BYTES = Uint8Array.from({ length: 32 }, (_, index) => index * 8);
const KEY = btoa(String.fromCharCode(...KEY_BYTES));
const KEY_URL_SAFE = KEY.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function env(overrides: Readonly<Record<string, string | undefined>> = {}): Env {
  const values = environment(overrides);
  return (name) => values[name];
}

function refusal(read: (env: Env) => unknown, name: string, value: string | undefined): SyncError {
  try {
    read(env({ [name]: value }));
  } catch (error) {
    assert.ok(error instanceof SyncError);
    assert.equal(error.code, "setting_invalid");
    assert.ok(error.message.includes(name), `"${error.message}" does not name ${name}`);
    assert.ok(!error.message.includes("\n"));
    return error;
  }
  throw new Error(`Cannot find a refusal: ${name} = ${value} was accepted`);
}

Deno.test("settings have the documented defaults", () => {
  const settings = readDispatcherSettings(env());
  assert.equal(settings.maxConcurrentSyncs, 10);
  assert.equal(settings.logLevel, "info");
  assert.equal(settings.environment, null);
  assert.equal(settings.secretKey.reveal(), SECRET_KEY);
});

Deno.test("a deployment has the name it is given", () => {
  const named = env({ CONNECTOR_ENVIRONMENT: " staging " });
  assert.equal(readDispatcherSettings(named).environment, "staging");
});

Deno.test("settings fall back to the legacy keys", () => {
  const legacy = env({
    SUPABASE_SECRET_KEYS: undefined,
    SUPABASE_PUBLISHABLE_KEYS: undefined,
    SUPABASE_SERVICE_ROLE_KEY: "legacy-service",
    SUPABASE_ANON_KEY: "legacy-anon",
  });
  const settings = readStatusSettings(legacy);
  assert.equal(settings.secretKey.reveal(), "legacy-service");
  assert.equal(settings.publishableKey, "legacy-anon");
});

Deno.test("settings prefer the new keys and still accept the legacy ones", () => {
  const both = env({ SUPABASE_SERVICE_ROLE_KEY: "legacy", SUPABASE_ANON_KEY: "legacy" });
  const settings = readStatusSettings(both);
  assert.equal(settings.secretKey.reveal(), SECRET_KEY);
  assert.equal(settings.publishableKey, PUBLISHABLE_KEY);
  assert.equal(settings.secretKeys.get("service_role")?.reveal(), "legacy");
});

Deno.test("settings take the first key when none is named default", () => {
  const named = env({ SUPABASE_SECRET_KEYS: JSON.stringify({ cron: "first", other: "second" }) });
  assert.equal(readHealthSettings(named).secretKey.reveal(), "first");
});

Deno.test("a missing setting is named", () => {
  refusal(readHealthSettings, "SUPABASE_URL", undefined);
  refusal(readHealthSettings, "SUPABASE_SECRET_KEYS", "{}");
  refusal(readStatusSettings, "SUPABASE_PUBLISHABLE_KEYS", undefined);
  refusal(readStatusSettings, "SUPABASE_JWKS", undefined);
  refusal(readDispatcherSettings, "CONNECTOR_DISPATCH_TOKEN", " ");
  refusal(readSyncSettings, "CONNECTOR_TOKEN_KEYS", undefined);
});

Deno.test("a function does not ask for a setting it does not need", () => {
  const bare = env({ CONNECTOR_DISPATCH_TOKEN: undefined, CONNECTOR_TOKEN_KEYS: undefined });
  readHealthSettings(bare);
  readStatusSettings(bare);
});

Deno.test("malformed JSON is an error, even where a legacy key would do", () => {
  for (const value of ['{"default":', "[]", '"key"', '{"default":1}', '{"default":""}']) {
    const legacy = { SUPABASE_SERVICE_ROLE_KEY: "legacy", SUPABASE_SECRET_KEYS: value };
    assert.throws(() => readHealthSettings(env(legacy)), { code: "setting_invalid" });
  }
  refusal(readStatusSettings, "SUPABASE_JWKS", "{}");
  refusal(readStatusSettings, "SUPABASE_JWKS", "{");
});

Deno.test("an error never shows a secret's value", () => {
  const secret = "hunter2-hunter2";
  const broken: [(env: Env) => unknown, string, string][] = [
    [readHealthSettings, "SUPABASE_SECRET_KEYS", `{"default":"${secret}"`],
    [readDispatcherSettings, "CONNECTOR_DISPATCH_TOKEN", secret],
    [readSyncSettings, "CONNECTOR_TOKEN_KEYS", `{"k1":"${secret}"}`],
    [readSyncSettings, "CONNECTOR_TOKEN_KEYS", secret],
  ];
  for (const [read, name, value] of broken) {
    const error = refusal(read, name, value);
    assert.ok(!error.message.includes("hunter2"), error.message);
    assert.equal(error.cause, undefined);
  }
});

Deno.test("the signing keys come from the project's own address when they are not given", () => {
  const hosted = { SUPABASE_JWKS: undefined, SUPABASE_URL: "https://abc.supabase.co/" };
  assert.equal(
    String(readStatusSettings(env(hosted)).keySet),
    "https://abc.supabase.co/auth/v1/.well-known/jwks.json",
  );
  const local = { SUPABASE_JWKS: undefined, SUPABASE_URL: "http://127.0.0.1:54321" };
  assert.ok(readStatusSettings(env(local)).keySet instanceof URL);
});

Deno.test("CONNECTOR_MAX_CONCURRENT_SYNCS is a whole number from 1 to 1000", () => {
  const read = (value: string) => env({ CONNECTOR_MAX_CONCURRENT_SYNCS: value });
  assert.equal(readDispatcherSettings(read("25")).maxConcurrentSyncs, 25);
  for (const value of ["0", "-1", "1.5", "1001", "ten", "1e2"]) {
    refusal(readDispatcherSettings, "CONNECTOR_MAX_CONCURRENT_SYNCS", value);
  }
});

Deno.test("CONNECTOR_TOKEN_KEYS takes base64url and base64; the key listed last is the newest", () => {
  const keys = JSON.stringify({ old: KEY, new: KEY_URL_SAFE });
  const { tokenKeys } = readSyncSettings(env({ CONNECTOR_TOKEN_KEYS: keys }));
  assert.equal(tokenKeys.newest, "new");
  assert.deepEqual(tokenKeys.keys.get("old"), KEY_BYTES);
  assert.deepEqual(tokenKeys.keys.get("new"), KEY_BYTES);
});

Deno.test("CONNECTOR_TOKEN_KEYS refuses what would be unsafe or ambiguous", () => {
  const values = [
    {},
    { k1: "too-short" },
    { k1: `${KEY}AAAA` },
    { "": KEY },
    { "a b": KEY },
    // JavaScript would list these by number, whatever their order in the text.
    { 2: KEY, 1: KEY },
  ];
  for (const value of values) {
    refusal(readSyncSettings, "CONNECTOR_TOKEN_KEYS", JSON.stringify(value));
  }
});
