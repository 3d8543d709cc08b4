import { deepEqual, doesNotMatch, equal, throws } from "node:assert/strict";
import { parseSettings } from "../../../supabase/functions/_shared/providers/autodesk/settings.ts";
import type { SyncError } from "../../../supabase/functions/_shared/errors.ts";

const ID = "CONNECTOR_AUTODESK_CLIENT_ID";
const SECRET = "CONNECTOR_AUTODESK_CLIENT_SECRET";
const CLIENTS = "CONNECTOR_AUTODESK_CLIENTS";
const URL_NAME = "CONNECTOR_AUTODESK_API_URL";

function read(values: Readonly<Record<string, string>>) {
  return parseSettings((name) => values[name]);
}

Deno.test("parseSettings() reads one application and Autodesk's own address", () => {
  const settings = read({ [ID]: "app", [SECRET]: " hush " });
  equal(settings.apiUrl, "https://developer.api.autodesk.com");
  equal(settings.tokenUrl, "https://developer.api.autodesk.com/authentication/v2/token");
  const expected = { clientId: "app", authorization: `Basic ${btoa("app:hush")}` };
  deepEqual(settings.credentials.find(null), expected);
  deepEqual(settings.credentials.find("app"), expected);
  equal(settings.credentials.find("other"), null);
});

Deno.test("parseSettings() reads any number of applications by client id", () => {
  const { credentials } = read({
    [ID]: "app",
    [SECRET]: "hush",
    [CLIENTS]: JSON.stringify({ other: "secret", app: "overruled" }),
  });
  equal(credentials.defaultClientId, "app");
  equal(credentials.find("app")?.authorization, `Basic ${btoa("app:hush")}`);
  equal(credentials.find("other")?.authorization, `Basic ${btoa("other:secret")}`);
});

Deno.test("parseSettings() takes the only application of the list for the default", () => {
  equal(read({ [CLIENTS]: '{"a":"1"}' }).credentials.defaultClientId, "a");
  equal(read({ [CLIENTS]: '{"a":"1","b":"2"}' }).credentials.defaultClientId, null);
});

Deno.test("parseSettings() takes another address, without its last slash", () => {
  const { apiUrl, tokenUrl } = read({ [ID]: "a", [SECRET]: "s", [URL_NAME]: "http://aps.test/x/" });
  deepEqual([apiUrl, tokenUrl], ["http://aps.test/x", "http://aps.test/x/authentication/v2/token"]);
});

Deno.test("parseSettings() keeps secrets from being printed", () => {
  const settings = read({ [ID]: "app", [SECRET]: "hush" });
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

for (const [values, name] of refused) {
  Deno.test(`parseSettings() names ${name} for ${JSON.stringify(values)}`, () => {
    throws(() => read(values), (error: SyncError) => {
      equal(error.code, "setting_invalid");
      doesNotMatch(error.message, /hush/);
      return error.message.includes(name);
    });
  });
}
