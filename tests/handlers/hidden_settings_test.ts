/** A setting that is missing or malformed: who is told of it, and who is not. */
import assert from "node:assert/strict";
import { createHealthHandler } from "../../supabase/functions/_shared/handlers/health.ts";
import { createOAuthHandler } from "../../supabase/functions/_shared/handlers/oauth.ts";
import { createStatusHandler } from "../../supabase/functions/_shared/handlers/status.ts";
import {
  API_URL,
  createTokenIssuer,
  environment,
  fakeDeps,
  PUBLISHABLE_KEY,
  SECRET_KEY,
} from "../support/function_fakes.ts";

const OWN_SETTING = "CONNECTOR_TOKEN_KEYS";

type Answered = { readonly status: number; readonly code: string; readonly message: string };

async function answered(response: Response): Promise<Answered> {
  const { code, message } = await response.json();
  return { status: response.status, code, message };
}

function assertHidden({ message }: Answered): void {
  assert.ok(!/[A-Z]+_[A-Z_]+/.test(message), message);
}

/** The oauth function, without the keys that it seals tokens with. */
async function brokenOAuth() {
  const issuer = await createTokenIssuer();
  const env = environment({ SUPABASE_JWKS: issuer.jwks, [OWN_SETTING]: undefined });
  const deps = fakeDeps({ env });
  const handle = createOAuthHandler(() => assert.fail("No provider is asked"), {
    ...deps,
    tokenFetch: () => assert.fail("No token is asked for"),
    randomBytes: (length) => new Uint8Array(length),
  });
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    await answered(await handle(new Request(`${API_URL}/oauth/${path}`, { headers })));
  return { ask, issuer, deps };
}

Deno.test("oauth refuses strangers before it says anything of its settings", async () => {
  const { ask, issuer } = await brokenOAuth();
  const strangers = [
    {},
    { apikey: PUBLISHABLE_KEY },
    { authorization: "Bearer forged" },
    { authorization: `Bearer ${await issuer.sign({}, "-1h")}` },
  ];
  for (const headers of strangers) {
    const refused = await ask("authorize", headers);
    assert.deepEqual([refused.status, refused.code], [401, "unauthorized"]);
    assertHidden(refused);
  }
});

Deno.test("oauth names the setting to a signed-in user and to a secret key", async () => {
  const { ask, issuer } = await brokenOAuth();
  for (
    const headers of [{ authorization: `Bearer ${await issuer.sign()}` }, { apikey: SECRET_KEY }]
  ) {
    const told = await ask("authorize", headers);
    assert.deepEqual([told.status, told.code], [500, "setting_invalid"]);
    assert.match(told.message, new RegExp(OWN_SETTING));
  }
});

Deno.test("oauth tells a browser that a provider sends back nothing of its settings; the logs do", async () => {
  const { ask, deps } = await brokenOAuth();
  const told = await ask("callback?state=s&code=c");
  assert.deepEqual([told.status, told.code], [500, "setting_invalid"]);
  assertHidden(told);
  assert.ok(deps.lines.some((line) => line.includes(OWN_SETTING)));
});

Deno.test("health, which anybody may ask, names a setting to a secret key alone", async () => {
  const env = environment({ CONNECTOR_LOG_LEVEL: "loud" });
  const ask = async (headers: Record<string, string>) =>
    await answered(
      await createHealthHandler(fakeDeps({ env }))(new Request(`${API_URL}/health`, { headers })),
    );
  const [nobody, operator] = [await ask({}), await ask({ apikey: SECRET_KEY })];
  assert.deepEqual([nobody.status, nobody.code], [500, "setting_invalid"]);
  assertHidden(nobody);
  assert.deepEqual([operator.status, operator.code], [500, "setting_invalid"]);
  assert.match(operator.message, /CONNECTOR_LOG_LEVEL/);
});

Deno.test("status whose callers cannot be checked calls nobody unauthorized, and names nothing", async () => {
  const env = environment({ SUPABASE_JWKS: "{" });
  const ask = async (headers: Record<string, string>) =>
    await answered(
      await createStatusHandler(fakeDeps({ env }))(new Request(`${API_URL}/status`, { headers })),
    );
  for (const headers of [{}, { authorization: "Bearer somebody" }]) {
    const told = await ask(headers);
    assert.deepEqual([told.status, told.code], [500, "setting_invalid"]);
    assertHidden(told);
  }
  assert.match((await ask({ apikey: SECRET_KEY })).message, /SUPABASE_JWKS/);
});
