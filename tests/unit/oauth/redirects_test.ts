import assert from "node:assert/strict";
import { readOAuthSettings } from "../../../supabase/functions/_shared/config.ts";
import { parseRedirectRules } from "../../../supabase/functions/_shared/config_redirects.ts";
import { checkRedirect, withOutcome } from "../../../supabase/functions/_shared/oauth/redirects.ts";
import { API_URL, environment } from "../../support/function_fakes.ts";

const SETTING = "CONNECTOR_OAUTH_REDIRECT_URLS";
const rules = parseRedirectRules(
  SETTING,
  "https://app.example.com/connect/, https://whole.example.com/,,http://localhost:3000/done",
);

Deno.test("a browser may be sent to an allowed address and to what lies below it", () => {
  const allowed = [
    "https://app.example.com/connect",
    "https://app.example.com/connect/",
    "https://app.example.com/connect/google?tab=2",
    "https://app.example.com/connect?next=https://evil.example",
    "https://APP.example.com:443/connect",
    "https://whole.example.com",
    "https://whole.example.com/any/where",
    "http://localhost:3000/done",
  ];
  for (const address of allowed) {
    assert.equal(checkRedirect(address, rules), new URL(address).href, address);
  }
});

Deno.test("a browser is sent nowhere that only looks like an allowed address", () => {
  const refused = [
    "",
    "/connect",
    "//app.example.com/connect",
    "app.example.com/connect",
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/connected",
    "https://app.example.com/Connect",
    "https://app.example.com/connect/../admin",
    "https://app.example.com/connect/%2e%2e/admin",
    "https://app.example.com/connect/..%2fadmin",
    "https://app.example.com/connect/..%5cadmin",
    "https://app.example.com/connect\\..\\admin",
    "https://app.example.com/connect#fragment",
    "https://app.example.com:8443/connect",
    "http://app.example.com/connect",
    "https://app.example.com.evil.example/connect",
    "https://app.example.co/connect",
    "https://evil.example/app.example.com/connect",
    "https://evil.example\\@app.example.com/connect",
    "https://app.example.com@evil.example/connect",
    "https://ada@app.example.com/connect",
    "https://ada:pw@app.example.com/connect",
    "https://sub.app.example.com/connect",
    "https://localhost:3000/done",
    "http://localhost:3001/done",
    "http://127.0.0.1:3000/done",
    "javascript:alert(1)//https://app.example.com/connect",
    "data:text/html,https://app.example.com/connect",
    "file:///connect",
    "blob:https://app.example.com/connect",
    `https://app.example.com/connect/${"a".repeat(2_000)}`,
  ];
  for (const address of refused) {
    assert.throws(() => checkRedirect(address, rules), { code: "parameter_invalid" }, address);
  }
});

Deno.test("without an entry no address is allowed", () => {
  const { redirectRules } = settings(undefined);
  assert.throws(() => checkRedirect("https://app.example.com/", redirectRules));
});

Deno.test("the outcome joins what the address carries, and replaces an earlier one", () => {
  const address = "https://app.example.com/connect?tab=2&error=x&error_description=y";
  assert.equal(
    withOutcome(address, { connected: "e1" }),
    "https://app.example.com/connect?tab=2&connected=e1",
  );
  const refused = new URL(
    withOutcome(address, { error: "scope_missing", error_description: "&=" }),
  );
  assert.equal(refused.searchParams.get("error_description"), "&=");
});

Deno.test("an address that could not be allowed safely is named by its place", () => {
  const values = [
    "app.example.com",
    "ftp://app.example.com",
    "http://app.example.com",
    "https://ada:hunter2@app.example.com",
    "https://app.example.com/#a",
    "https://app.example.com/?a=hunter2",
    "https://*.example.com",
  ];
  for (const value of values) {
    assert.throws(
      () => settings(`https://fine.example.com,${value}`),
      ({ code, message }) => {
        assert.equal(code, "setting_invalid");
        assert.match(message, /CONNECTOR_OAUTH_REDIRECT_URLS .* number 2 /);
        return !message.includes("hunter2");
      },
      value,
    );
  }
});

Deno.test("the project is reached at CONNECTOR_PUBLIC_URL, or where the functions reach it", () => {
  const read = (value: string | undefined) => {
    const values = environment({ CONNECTOR_PUBLIC_URL: value });
    return readOAuthSettings((name) => values[name]).publicUrl;
  };
  assert.equal(read(undefined), API_URL);
  assert.equal(read("https://files.example.com/"), "https://files.example.com");
  assert.throws(() => read("files.example.com"), { code: "setting_invalid" });
});

function settings(redirects: string | undefined) {
  const values = environment({ [SETTING]: redirects });
  return readOAuthSettings((name) => values[name]);
}
