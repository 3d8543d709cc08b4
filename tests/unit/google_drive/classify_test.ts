import { equal, match, ok } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { classify } from "../../../supabase/functions/_shared/providers/google_drive/classify.ts";

const LIST = "https://drive.test/drive/v3/files?q=x";
const NEXT_PAGE = `${LIST}&pageToken=t`;

function failure(status: number, body: unknown, url = LIST) {
  return { status, body, headers: new Headers(), url: new URL(url) };
}

function reason(word: string, location?: string) {
  return { error: { code: 403, message: "raw words", errors: [{ reason: word, location }] } };
}

function detail(word: string) {
  const details = [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: word }];
  return { error: { status: "PERMISSION_DENIED", details } };
}

const verdicts: readonly (readonly [number, unknown, string | null, string?])[] = [
  [403, reason("rateLimitExceeded"), "rate_limited"],
  [403, reason("userRateLimitExceeded"), "rate_limited"],
  [403, reason("sharingRateLimitExceeded"), "rate_limited"],
  [429, reason("rateLimitExceeded"), "rate_limited"],
  [429, "too many", "rate_limited"],
  [403, detail("RATE_LIMIT_EXCEEDED"), "rate_limited"],
  [403, reason("dailyLimitExceeded"), "quota_exhausted"],
  [429, reason("dailyLimitExceeded"), "quota_exhausted"],
  [403, reason("accessNotConfigured"), "api_disabled"],
  [403, detail("SERVICE_DISABLED"), "api_disabled"],
  [403, reason("insufficientPermissions"), "credentials_invalid"],
  [403, detail("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "credentials_invalid"],
  [403, reason("insufficientFilePermissions"), "access_denied"],
  [403, reason("appNotAuthorizedToFile"), "access_denied"],
  [403, reason("domainPolicy"), "access_denied"],
  [403, reason("teamDriveMembershipRequired"), "access_denied"],
  [403, reason("somethingNew"), "access_denied"],
  [403, reason("constructor"), "access_denied"],
  [403, null, "access_denied"],
  [404, reason("notFound"), "scope_not_found"],
  [404, null, "scope_not_found"],
  [500, reason("internalError"), "unavailable"],
  [503, null, "unavailable"],
  [408, null, "unavailable"],
  [401, reason("authError", "Authorization"), null],
  [400, reason("invalid", "q"), null],
  [400, reason("invalid", "pageToken"), "cursor_expired", NEXT_PAGE],
  [400, reason("invalid"), "cursor_expired", NEXT_PAGE],
  [400, reason("badRequest"), "cursor_expired", NEXT_PAGE],
  [400, reason("invalid", "q"), null, NEXT_PAGE],
  [400, null, null, NEXT_PAGE],
  [400, reason("invalid", "pageToken"), null, LIST],
  [410, null, "cursor_expired", NEXT_PAGE],
  [404, reason("notFound", "pageToken"), "cursor_expired", NEXT_PAGE],
  [404, reason("notFound", "driveId"), "scope_not_found", NEXT_PAGE],
  [403, reason("rateLimitExceeded"), "rate_limited", NEXT_PAGE],
];

for (const [status, body, code, url] of verdicts) {
  const page = url === NEXT_PAGE ? " on a later page" : "";
  Deno.test(`classify() reads ${status} ${JSON.stringify(body)}${page} as ${code}`, () => {
    const verdict = classify(failure(status, body, url));
    equal(verdict?.code ?? null, code);
    ok(!verdict?.message.includes("raw words"));
  });
}

Deno.test("classify() tells what to do about a disabled API", () => {
  match(classify(failure(403, reason("accessNotConfigured")))?.message ?? "", /enable it/);
});

Deno.test("classify() survives any body", () => {
  fc.assert(fc.property(fc.anything(), fc.integer({ min: 400, max: 599 }), (body, status) => {
    for (const shaped of [body, { error: body }, { error: { errors: body, details: body } }]) {
      const verdict = classify(failure(status, shaped));
      ok(verdict === null || verdict.message.length > 0);
    }
  }));
});
