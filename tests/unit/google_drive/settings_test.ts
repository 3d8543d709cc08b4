import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { parseSettings } from "../../../supabase/functions/_shared/providers/google_drive/settings.ts";
import { ACCOUNT_EMAIL, keyFile, testAccount } from "./keys.ts";

const CREDENTIALS = "CONNECTOR_GOOGLE_DRIVE_CREDENTIALS";

function env(values: Record<string, string>): (name: string) => string | undefined {
  return (name) => values[name];
}

function refusal(text: string): SyncError {
  try {
    parseSettings(env({ [CREDENTIALS]: text }));
  } catch (error) {
    ok(error instanceof SyncError);
    return error;
  }
  throw new Error("Cannot go on as the settings must be refused");
}

Deno.test("parseSettings() uses Google's own addresses by default", async () => {
  const settings = parseSettings(env({ [CREDENTIALS]: (await testAccount()).json }));
  equal(settings.apiUrl, "https://www.googleapis.com");
  equal(settings.tokenUrl, "https://oauth2.googleapis.com/token");
  equal(settings.credentials.find(null)?.email, ACCOUNT_EMAIL);
});

Deno.test("parseSettings() takes other addresses without their last slash", async () => {
  const settings = parseSettings(env({
    [CREDENTIALS]: (await testAccount()).json,
    CONNECTOR_GOOGLE_API_URL: "http://127.0.0.1:4000/",
    CONNECTOR_GOOGLE_TOKEN_URL: "http://127.0.0.1:4000/token",
  }));
  equal(settings.apiUrl, "http://127.0.0.1:4000");
  equal(settings.tokenUrl, "http://127.0.0.1:4000/token");
});

for (const value of ["ftp://host", "host", "https://user:secret@host", "https://host/?q=secret"]) {
  Deno.test(`parseSettings() refuses the address ${value} without showing it`, async () => {
    const { json } = await testAccount();
    const values = env({ [CREDENTIALS]: json, CONNECTOR_GOOGLE_API_URL: value });
    throws(() => parseSettings(values), (error: unknown) => {
      ok(error instanceof SyncError && error.code === "setting_invalid");
      match(error.message, /CONNECTOR_GOOGLE_API_URL/);
      return !error.message.includes("secret");
    });
  });
}

Deno.test("parseSettings() reads the credentials from a file where only a path is set", async () => {
  const { json } = await testAccount();
  const asked: string[] = [];
  const settings = parseSettings(env({ [`${CREDENTIALS}_PATH`]: "key.json" }), (path) => {
    asked.push(path);
    return json;
  });
  deepEqual(asked, ["key.json"]);
  equal(settings.credentials.find(null)?.email, ACCOUNT_EMAIL);
});

Deno.test("parseSettings() reads a real file by itself", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, (await testAccount()).json);
    const settings = parseSettings(env({ [`${CREDENTIALS}_PATH`]: path }));
    equal(settings.credentials.find(null)?.email, ACCOUNT_EMAIL);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("parseSettings() names the path setting when there is no such file", () => {
  const values = env({ [`${CREDENTIALS}_PATH`]: "/nowhere/key.json" });
  const message = /CREDENTIALS_PATH as it must name a readable file/;
  throws(() => parseSettings(values), { code: "setting_invalid", message });
});

Deno.test("parseSettings() says what to set when nothing is set", () => {
  for (const values of [{}, { [CREDENTIALS]: " " }]) {
    const message = /CONNECTOR_GOOGLE_DRIVE_CREDENTIALS must hold the JSON key/;
    throws(() => parseSettings(env(values)), { code: "setting_invalid", message });
  }
});

Deno.test("parseSettings() mends a key whose line breaks were written out", async () => {
  const { pem } = await testAccount();
  const text = keyFile(pem.replaceAll("\n", "\\n"));
  equal(parseSettings(env({ [CREDENTIALS]: text })).credentials.find(null)?.email, ACCOUNT_EMAIL);
});

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ["text that is not JSON", "sesame", /it is not JSON/],
  ["JSON that is no object", '["sesame"]', /it is something else/],
  ["an OAuth client", '{"installed":{"client_secret":"sesame"}}', /an OAuth client secret/],
  ["a web client", '{"web":{"client_secret":"sesame"}}', /an OAuth client secret/],
  [
    "a person's login",
    '{"type":"authorized_user","refresh_token":"sesame"}',
    /a person's own login, made by gcloud/,
  ],
  [
    "a workload identity",
    '{"type":"external_account","audience":"sesame"}',
    /a workload identity configuration/,
  ],
  [
    "a file without key and address",
    '{"type":"service_account","project_id":"sesame"}',
    /lacks a valid client_email and private_key/,
  ],
  [
    "a PKCS #1 key",
    keyFile("-----BEGIN RSA PRIVATE KEY-----\nsesame\n-----END RSA PRIVATE KEY-----"),
    /is in PKCS #1 form/,
  ],
  [
    "an encrypted key",
    keyFile("-----BEGIN ENCRYPTED PRIVATE KEY-----\nsesame\n-----END ENCRYPTED PRIVATE KEY-----"),
    /is encrypted/,
  ],
  ["a cut-off key", keyFile("-----BEGIN PRIVATE KEY-----\nsesame"), /is cut off/],
];

for (const [what, text, message] of wrong) {
  Deno.test(`parseSettings() refuses ${what} and never shows it`, () => {
    const error = refusal(text);
    equal(error.code, "setting_invalid");
    match(error.message, message);
    match(error.message, /CONNECTOR_GOOGLE_DRIVE_CREDENTIALS/);
    match(error.message, /Create one in the Google Cloud console/);
    ok(!Deno.inspect(error, { depth: 20 }).includes("sesame"));
  });
}

Deno.test("parseSettings() gives credentials that cannot be printed", async () => {
  const { json, pem } = await testAccount();
  const settings = parseSettings(env({ [CREDENTIALS]: json }));
  const body = pem.split("\n")[1] ?? "";
  ok(body.length > 40);
  ok(!Deno.inspect(settings, { depth: 20, showHidden: true }).includes(body));
  ok(!JSON.stringify(settings).includes(body));
});

const ACCOUNTS = "CONNECTOR_GOOGLE_DRIVE_SERVICE_ACCOUNTS";
const CLIENT = {
  CONNECTOR_GOOGLE_CLIENT_ID: "client.apps.example",
  CONNECTOR_GOOGLE_CLIENT_SECRET: "sesame",
};

Deno.test("parseSettings() reads service accounts by name, as objects or as text", async () => {
  const { json, pem } = await testAccount();
  const named = { north: JSON.parse(json), south: keyFile(pem, { client_email: "s@p.example" }) };
  const { credentials } = parseSettings(env({ [ACCOUNTS]: JSON.stringify(named) }));
  equal(credentials.find("north")?.email, ACCOUNT_EMAIL);
  equal(credentials.find("south")?.email, "s@p.example");
  equal(credentials.find("west"), null);
  equal(credentials.find(null), null);
});

Deno.test("parseSettings() takes the only named service account for the default, or the other setting's", async () => {
  const { json, pem } = await testAccount();
  const only = JSON.stringify({ north: keyFile(pem, { client_email: "n@p.example" }) });
  const alone = parseSettings(env({ [ACCOUNTS]: only }));
  equal(alone.credentials.find(null)?.email, "n@p.example");
  const both = parseSettings(env({ [ACCOUNTS]: only, [CREDENTIALS]: json }));
  equal(both.credentials.find(null)?.email, ACCOUNT_EMAIL);
});

Deno.test("parseSettings() names the entry that is no service account and never shows it", () => {
  for (
    const [text, message] of [
      ["{sesame", /must be a JSON object of service accounts' keys by name/],
      ['{"sesame and more":{}}', /names have 1 to 100 letters/],
      ['{"north":5}', /by name/],
      ['{"north":{"type":"service_account","private_key":"sesame"}}', /the entry "north" of/],
      ['{"north":"sesame"}', /the entry "north" of .* not JSON/],
    ] as const
  ) {
    throws(() => parseSettings(env({ [ACCOUNTS]: text })), (error: unknown) => {
      ok(error instanceof SyncError && error.code === "setting_invalid");
      match(error.message, message);
      match(error.message, new RegExp(ACCOUNTS));
      return !Deno.inspect(error, { depth: 20 }).includes("sesame");
    });
  }
});

Deno.test("parseSettings() is content with a client by which people connect their accounts", () => {
  const { credentials } = parseSettings(env(CLIENT));
  equal(credentials.client?.clientId, "client.apps.example");
  equal(credentials.client?.clientSecret.reveal(), "sesame");
  equal(credentials.authorizeUrl, "https://accounts.google.com/o/oauth2/v2/auth");
  ok(!Deno.inspect(credentials, { depth: 20, showHidden: true }).includes("sesame"));
});

Deno.test("parseSettings() names the half of a client that is missing", () => {
  for (const name of Object.keys(CLIENT)) {
    throws(() => parseSettings(env({ ...CLIENT, [name]: " " })), (error: unknown) => {
      ok(error instanceof SyncError && error.code === "setting_invalid");
      return error.message.startsWith(`Cannot read ${name} as`) && !/sesame/.test(error.message);
    });
  }
});

Deno.test("parseSettings() reads of whom impersonate may name", async () => {
  const { json } = await testAccount();
  const values = { [CREDENTIALS]: json };
  const allows = (list: string | undefined, impersonate: string) => {
    const more = list === undefined ? {} : { CONNECTOR_GOOGLE_IMPERSONATE: list };
    const { credentials } = parseSettings(env({ ...values, ...more }));
    try {
      const scope = { type: "account" } as const;
      return credentials.choose({ scope, serviceAccount: null, impersonate }).email ===
        ACCOUNT_EMAIL;
    } catch (error) {
      ok(error instanceof SyncError && error.code === "config_invalid");
      match(error.message, /CONNECTOR_GOOGLE_IMPERSONATE allows: current value is "/);
      return false;
    }
  };
  const list = "Ann@company.example, @other.example";
  equal(allows(undefined, "anyone@any.example"), true);
  equal(allows(list, "ann@Company.example"), true);
  equal(allows(list, "ben@other.example"), true);
  equal(allows(list, "ben@company.example"), false);
  equal(allows(list, "ben@sub.other.example"), false);
  equal(allows(list, "ben@evil-other.example"), false);
  for (const wrong of [",", "company.example", "@", "ann@company.example;@x"]) {
    const message = /CONNECTOR_GOOGLE_IMPERSONATE as it must list/;
    throws(() => allows(wrong, "x@y.example"), { code: "setting_invalid", message });
  }
});
