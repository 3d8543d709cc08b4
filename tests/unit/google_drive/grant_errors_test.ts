import { doesNotMatch, equal, match } from "node:assert/strict";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import type { GrantFailure } from "../../../supabase/functions/_shared/providers/types.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

function classify(
  status: number,
  body: unknown,
  request: GrantFailure["request"] = "refresh",
  headers: Record<string, string> = {},
) {
  return googleDrive.classifyGrant({
    status,
    headers: new Headers(headers),
    body,
    request,
    now: NOW,
  });
}

const error = (word: string) => ({ error: word, error_description: "raw words" });

const refusals: readonly (readonly [
  number,
  unknown,
  GrantFailure["request"],
  string,
  RegExp,
])[] = [
  [400, error("invalid_grant"), "refresh", "grant_revoked", /seven days.*Connect the account/],
  [400, error("invalid_grant"), "exchange", "grant_revoked", /code of this consent.*Connect/],
  [400, error("invalid_token"), "revoke", "grant_revoked", /nothing left to take back/],
  [401, error("invalid_client"), "refresh", "credentials_invalid", /_SECRET: .*has expired/],
  [401, error("invalid_client"), "exchange", "credentials_invalid", /CONNECTOR_GOOGLE_CLIENT_ID/],
  [401, error("deleted_client"), "refresh", "credentials_invalid", /was deleted/],
  [401, error("disabled_client"), "refresh", "credentials_invalid", /enable it/],
  [401, error("unauthorized_client"), "exchange", "credentials_invalid", /Web application/],
  [400, error("invalid_scope"), "refresh", "credentials_invalid", /drive\.metadata\.readonly/],
  [400, error("redirect_uri_mismatch"), "exchange", "credentials_invalid", /oauth\/callback/],
  [400, error("admin_policy_enforced"), "refresh", "credentials_invalid", /administrator/],
  [403, error("access_denied"), "refresh", "credentials_invalid", /policy/],
  [403, error("org_internal"), "exchange", "credentials_invalid", /External/],
  [400, error("invalid_request"), "exchange", "credentials_invalid", /status 400.*_CLIENT_SECRET/],
  [400, error("constructor"), "refresh", "credentials_invalid", /status 400/],
  [400, error("temporarily_unavailable"), "refresh", "unavailable", /tried again/],
  [403, null, "refresh", "response_invalid", /status 403.*proxy/],
  [400, { error: { code: 400 } }, "refresh", "response_invalid", /status 400.*proxy/],
  [429, error("invalid_grant"), "refresh", "rate_limited", /fewer/],
  [408, null, "refresh", "unavailable", /status 408/],
  [500, error("invalid_grant"), "refresh", "unavailable", /status 500/],
  [503, null, "exchange", "unavailable", /tried again/],
];

for (const [status, body, request, code, message] of refusals) {
  Deno.test(`classifyGrant() turns ${status} ${JSON.stringify(body)} of ${request} into ${code}`, () => {
    const failure = classify(status, body, request);
    equal(failure.code, code);
    match(failure.message, message);
    doesNotMatch(failure.message, /raw words/);
  });
}

Deno.test("classifyGrant() keeps how long Google asks to wait", () => {
  equal(classify(429, null, "refresh", { "retry-after": "7" }).retryAfterMs, 7000);
  equal(classify(503, null, "refresh", {}).retryAfterMs, undefined);
});
