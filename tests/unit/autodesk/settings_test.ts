import { deepEqual, doesNotMatch, equal, throws } from "node:assert/strict";
import { basicAuthorization } from "../../../supabase/functions/_shared/providers/autodesk/applications.ts";
import { parseSettings } from "../../../supabase/functions/_shared/providers/autodesk/settings.ts";
import type { SyncError } from "../../../supabase/functions/_shared/errors.ts";

const ID = "CONNECTOR_AUTODESK_CLIENT_ID";
const SECRET = "CONNECTOR_AUTODESK_CLIENT_SECRET";
const CLIENTS = "CONNECTOR_AUTODESK_CLIENTS";
const ACCOUNTS = "CONNECTOR_AUTODESK_SERVICE_ACCOUNTS";
const URL_NAME = "CONNECTOR_AUTODESK_API_URL";

function read(values: Readonly<Record<string, string>>) {
  return parseSettings((name) => values[name]);
}

/** The application of a client id, as the header of a token request shows it. */
function authorization(values: Readonly<Record<string, string>>, clientId: string | null) {
  const found = read(values).credentials.applications.find(clientId);
  return found === null ? null : basicAuthorization(found);
}

Deno.test("parseSettings() reads one application and Autodesk's own address", () => {
  const values = { [ID]: "app", [SECRET]: " hush " };
  const settings = read(values);
  equal(settings.apiUrl, "https://developer.api.autodesk.com");
  equal(settings.tokenUrl, "https://developer.api.autodesk.com/authentication/v2/token");
  equal(authorization(values, null), `Basic ${btoa("app:hush")}`);
  equal(authorization(values, "app"), `Basic ${btoa("app:hush")}`);
  equal(authorization(values, "other"), null);
});

Deno.test("parseSettings() reads any number of applications by client id", () => {
  const values = {
    [ID]: "app",
    [SECRET]: "hush",
    [CLIENTS]: JSON.stringify({ other: "secret", app: "overruled" }),
  };
  equal(read(values).credentials.applications.defaultClientId, "app");
  equal(authorization(values, "app"), `Basic ${btoa("app:hush")}`);
  equal(authorization(values, "other"), `Basic ${btoa("other:secret")}`);
});

Deno.test("parseSettings() takes the only application of the list for the default", () => {
  const chosen = (text: string) => read({ [CLIENTS]: text }).credentials.applications;
  equal(chosen('{"a":"1"}').defaultClientId, "a");
  equal(chosen('{"a":"1","b":"2"}').defaultClientId, null);
});

Deno.test("parseSettings() takes another address, without its last slash", () => {
  const { apiUrl, tokenUrl } = read({ [ID]: "a", [SECRET]: "s", [URL_NAME]: "http://aps.test/x/" });
  deepEqual([apiUrl, tokenUrl], ["http://aps.test/x", "http://aps.test/x/authentication/v2/token"]);
});

Deno.test("parseSettings() keeps secrets from being printed", () => {
  const settings = read({
    [ID]: "app",
    [SECRET]: "hush",
    [ACCOUNTS]: account({ client_id: "own", client_secret: "hush" }),
  });
  doesNotMatch(Deno.inspect(settings, { depth: 9 }) + JSON.stringify(settings), /hush/);
});

const refused: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{}, ID],
  [{ [ID]: "app" }, SECRET],
  [{ [SECRET]: "hush" }, ID],
  [{ [ID]: "a:b", [SECRET]: "hush" }, ID],
  [{ [ID]: "app", [SECRET]: "hu sh" }, SECRET],
  [{ [ID]: "app", [SECRET]: "hush", [CLIENTS]: "{hush" }, CLIENTS],
  [{ [CLIENTS]: '["hush"]' }, CLIENTS],
  [{ [CLIENTS]: '{"app":""}' }, CLIENTS],
  [{ [ID]: "app", [SECRET]: "hush", [URL_NAME]: "ftp://hush" }, URL_NAME],
  [{ [ID]: "app", [SECRET]: "hush", [URL_NAME]: "https://u:hush@x" }, URL_NAME],
];

const PEM = "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----";
const account = (more: object) =>
  JSON.stringify({ bot: { service_account_id: "s", key_id: "k", private_key: PEM, ...more } });
const APP = { [ID]: "app", [SECRET]: "hush" };

const refusedAccounts: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{ [ACCOUNTS]: account({}) }, ID],
  [{ ...APP, [ACCOUNTS]: "{hush" }, ACCOUNTS],
  [{ ...APP, [ACCOUNTS]: '{"hush bot":{}}' }, ACCOUNTS],
  [{ ...APP, [ACCOUNTS]: account({ key_id: "" }) }, `${ACCOUNTS}.*"bot.key_id"`],
  [{ ...APP, [ACCOUNTS]: account({ private_key: "hush" }) }, `${ACCOUNTS}.*"bot.private_key"`],
  [{ ...APP, [ACCOUNTS]: account({ client_secret: "hush" }) }, `${ACCOUNTS}.*client_id`],
  [{ ...APP, [ACCOUNTS]: account({ client_id: "other" }) }, `${ACCOUNTS}.*client_secret`],
];

for (const [values, name] of [...refused, ...refusedAccounts]) {
  Deno.test(`parseSettings() names ${name} for ${JSON.stringify(values)}`, () => {
    throws(() => read(values), (error: SyncError) => {
      equal(error.code, "setting_invalid");
      doesNotMatch(error.message, /hush/);
      return new RegExp(name).test(error.message);
    });
  });
}
