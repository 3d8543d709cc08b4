import { doesNotMatch, equal, match } from "node:assert/strict";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";
import type { GrantFailure } from "../../../supabase/functions/_shared/providers/types.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

const oauth = (error: string, error_description = "raw words") => ({ error, error_description });
const gateway = (errorCode: string, developerMessage = "raw words") => ({
  developerMessage,
  userMessage: "",
  errorCode,
  "more info": "https://…",
});

const STALE = "The refresh token is invalid or expired.";
const USED = "The authorization code is invalid or has expired.";
const SECRET = "The client credentials are invalid.";

const refusals: readonly (readonly [
  number,
  unknown,
  GrantFailure["request"],
  string,
  RegExp,
])[] = [
  [400, oauth("invalid_grant", STALE), "refresh", "grant_revoked", /15 days.*Connect the account/],
  [400, gateway("Auth-001", STALE), "refresh", "grant_revoked", /15 days.*Connect the account/],
  [400, gateway("AUTH-004", STALE), "refresh", "grant_revoked", /Connect the account/],
  [400, oauth("invalid_grant", USED), "exchange", "grant_revoked", /five minutes/],
  [400, gateway("Auth-001", USED), "exchange", "grant_revoked", /five minutes/],
  [400, gateway("", "PKCE verification failed."), "exchange", "grant_revoked", /Connect/],
  [400, oauth("invalid_grant"), "revoke", "grant_revoked", /nothing left/],
  [401, oauth("invalid_client", SECRET), "refresh", "credentials_invalid", /expired.*_SECRET/],
  [401, gateway("Auth-001", SECRET), "refresh", "credentials_invalid", /expired.*_SECRET/],
  [401, gateway("Auth-001"), "refresh", "credentials_invalid", /expired/],
  [401, null, "refresh", "credentials_invalid", /expired/],
  [403, gateway("auth-001"), "exchange", "api_disabled", /Data Management API/],
  [400, oauth("unauthorized_client"), "exchange", "api_disabled", /My Applications/],
  [400, oauth("invalid_scope"), "refresh", "credentials_invalid", /data:read/],
  [
    400,
    gateway("Auth-001", "The scope is invalid."),
    "refresh",
    "credentials_invalid",
    /data:read/,
  ],
  [400, oauth("invalid_request"), "refresh", "credentials_invalid", /status 400/],
  [403, null, "refresh", "response_invalid", /status 403.*proxy/],
  [429, oauth("invalid_grant"), "refresh", "rate_limited", /fewer/],
  [403, gateway("err-001", STALE), "refresh", "rate_limited", /fewer/],
  [500, oauth("invalid_grant", STALE), "refresh", "unavailable", /status 500/],
  [504, null, "refresh", "unavailable", /tried again/],
];

for (const [status, body, request, code, message] of refusals) {
  Deno.test(`classifyGrant() turns ${status} ${JSON.stringify(body)} of ${request} into ${code}`, () => {
    const failure = autodesk.classifyGrant({
      status,
      headers: new Headers({ "retry-after": "7" }),
      body,
      request,
      now: NOW,
    });
    equal(failure.code, code);
    match(failure.message, message);
    doesNotMatch(failure.message, /raw words/);
    equal(failure.retryAfterMs, /rate_limited|unavailable/.test(code) ? 7000 : undefined);
  });
}
