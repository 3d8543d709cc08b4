/** A Secure Service Account against the emulated Autodesk, which checks what it signs. */
import { equal, rejects } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { ApsModel } from "../../../local/autodesk/aps_model.ts";
import { createApsEmulator } from "../../../local/autodesk/emulator.ts";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";

const API_URL = "http://aps.emulator";
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PKCS8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const PKCS1 = privateKey.export({ type: "pkcs1", format: "pem" }).toString();

function setUp() {
  let nowMs = Date.parse("2026-03-01T12:00:00Z");
  const model = new ApsModel({ now: () => nowMs });
  const emulator = createApsEmulator({
    model,
    apps: [{ clientId: "app", clientSecret: "hush" }, { clientId: "own", clientSecret: "secret" }],
  });
  const robot = model.addUser({ email: "robot@example.com" });
  for (const [clientId, keyId] of [["app", "key-app"], ["own", "key-own"]] as const) {
    emulator.registerServiceAccount({ clientId, userId: robot.id, keyId, key: PKCS8 });
  }
  return {
    emulator,
    robot,
    /** The next assertions are signed so much earlier than the emulator's time. */
    delay: (ms: number) => nowMs += ms,
    ask(account: object, config: object = {}) {
      const bot = { service_account_id: robot.id, key_id: "key-app", private_key: PKCS8 };
      const values: Readonly<Record<string, string>> = {
        CONNECTOR_AUTODESK_CLIENT_ID: "app",
        CONNECTOR_AUTODESK_CLIENT_SECRET: "hush",
        CONNECTOR_AUTODESK_API_URL: API_URL,
        CONNECTOR_AUTODESK_SERVICE_ACCOUNTS: JSON.stringify({ bot: { ...bot, ...account } }),
      };
      return autodesk.issueToken({
        config: autodesk.parseConfig({ project_id: "b.p", service_account: "bot", ...config }),
        settings: autodesk.parseSettings((name) => values[name]),
        fetch: emulator.fetch,
        now: () => new Date("2026-03-01T12:00:00Z"),
        signal: new AbortController().signal,
      });
    },
  };
}

async function userOf(emulator: ReturnType<typeof setUp>["emulator"], token: string) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await emulator.fetch(`${API_URL}/userinfo`, { headers });
  return (await response.json()).sub;
}

Deno.test("a service account obtains a token of its own user, with keys of either form", async () => {
  const { emulator, robot, ask } = setUp();
  for (const private_key of [PKCS8, PKCS1, PKCS1.replaceAll("\n", "\\n")]) {
    const token = await ask({ private_key });
    equal(token.scope, "data:read");
    equal(await userOf(emulator, token.access_token), robot.id);
  }
});

Deno.test("a service account asks with the application it belongs to", async () => {
  const { emulator, robot, ask } = setUp();
  const own = { key_id: "key-own", client_id: "own", client_secret: "secret" };
  equal(await userOf(emulator, (await ask(own)).access_token), robot.id);
  await rejects(ask(own, { client_id: "app" }), { code: "config_invalid", message: /"app"/ });
});

Deno.test("a service account with a foreign key, id or application is told what to check", async () => {
  const { ask, emulator } = setUp();
  const code = "credentials_invalid";
  for (const shape of ["oauth", "gateway"] as const) {
    emulator.control.setAuthErrorShape(shape);
    for (const account of [{ key_id: "key-own" }, { service_account_id: "x" }, { key_id: "-" }]) {
      const message = /service account "bot".*key_id and private_key belong together/;
      await rejects(ask(account), { code, message });
    }
  }
  const own = { client_id: "own", client_secret: "wrong" };
  await rejects(ask(own), { code, message: /secret of client id "own".*SERVICE_ACCOUNTS/ });
});

Deno.test("a service account whose machine's clock is slow is told so", async () => {
  const { ask, delay } = setUp();
  delay(301_000);
  await rejects(ask({}), { code: "credentials_invalid", message: /clock of this machine/ });
});

Deno.test("a service account's damaged key is an error that does not show it", async () => {
  const { ask } = setUp();
  const private_key = "-----BEGIN PRIVATE KEY-----\nc2VzYW1l\n-----END PRIVATE KEY-----\n";
  await rejects(ask({ private_key }), (error: Error) => {
    equal(error.cause, undefined);
    return /"bot".*damaged or not an RSA key/.test(error.message) &&
      !error.message.includes("c2VzYW1l");
  });
});

Deno.test("an endpoint that names a service account which is not configured says which", async () => {
  const { ask } = setUp();
  const message = /service account "west".*CONNECTOR_AUTODESK_SERVICE_ACCOUNTS/;
  await rejects(ask({}, { service_account: "west" }), { code: "credentials_invalid", message });
  await rejects(async () => await ask({}, { x_user_id: "U" }), {
    code: "config_invalid",
    message: /either x_user_id or service_account/,
  });
});
