import { z } from "zod";
import type { HttpFailure } from "../types.ts";

/** What a failure means, and the sentence for the owner of the endpoint. */
export interface Verdict {
  readonly code: DriveCode;
  readonly message: string;
}

/** What the Drive API's failures can mean. */
type DriveCode =
  | "access_denied"
  | "api_disabled"
  | "credentials_invalid"
  | "cursor_expired"
  | "quota_exhausted"
  | "rate_limited"
  | "scope_not_found"
  | "unavailable";

/**
 * Drive's words for a failure. 403 stands for quota and for permission alike, so the word decides
 * and the status does not. https://developers.google.com/drive/api/guides/handle-errors
 */
const REASONS: ReadonlyMap<string, DriveCode> = new Map<string, DriveCode>([
  ["rateLimitExceeded", "rate_limited"],
  ["userRateLimitExceeded", "rate_limited"],
  ["sharingRateLimitExceeded", "rate_limited"],
  ["RATE_LIMIT_EXCEEDED", "rate_limited"],
  ["dailyLimitExceeded", "quota_exhausted"],
  ["quotaExceeded", "quota_exhausted"],
  ["accessNotConfigured", "api_disabled"],
  ["SERVICE_DISABLED", "api_disabled"],
  ["insufficientPermissions", "credentials_invalid"],
  ["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "credentials_invalid"],
  ["appNotAuthorizedToFile", "access_denied"],
  ["insufficientFilePermissions", "access_denied"],
  ["domainPolicy", "access_denied"],
  ["teamDriveMembershipRequired", "access_denied"],
  ["forbidden", "access_denied"],
  ["notFound", "scope_not_found"],
  ["backendError", "unavailable"],
  ["internalError", "unavailable"],
]);

const SENTENCES: Readonly<Record<DriveCode, string>> = {
  access_denied: "Google Drive does not let this account read the folder or drive; share it with " +
    "the account, or ask its administrator",
  api_disabled: "The Google Drive API is not enabled in the Google Cloud project of the " +
    "credentials; enable it in the console under APIs & Services",
  credentials_invalid: "The access token lacks the scope drive.metadata.readonly; allow it for " +
    "these credentials",
  cursor_expired: "Google Drive no longer knows the position in its list; it is read again",
  quota_exhausted:
    "The daily quota of the Google Cloud project is used up; it is tried again later",
  rate_limited: "Google Drive asks for fewer requests; it is tried again shortly",
  scope_not_found: "Google Drive does not find the folder or drive, or this account may not see it",
  unavailable: "Google Drive did not answer properly; it is tried again shortly",
};

const word = z.object({ reason: z.string().catch(""), location: z.string().catch("") });

/** Google's error body, in its older form (`errors`) and its newer one (`details`). */
const errorBody = z.object({
  error: z.object({
    errors: z.array(word).catch([]),
    details: z.array(word).catch([]),
  }),
});

type Word = z.infer<typeof word>;

function readWords(body: unknown): readonly Word[] {
  const parsed = errorBody.safeParse(body);
  return parsed.success ? [...parsed.data.error.errors, ...parsed.data.error.details] : [];
}

/**
 * 400 is a rejected page token where Drive points at it. Where it points at nothing the token is
 * meant too: the rest of the query is what it was on the page before, and that was answered.
 */
function isDeadPageToken(failure: HttpFailure, words: readonly Word[]): boolean {
  if (!failure.url.searchParams.has("pageToken")) return false;
  if (failure.status === 410) return true;
  if (failure.status === 404) return words.some(({ location }) => location === "pageToken");
  if (failure.status !== 400) return false;
  return words.some(({ location }) => location === "pageToken" || location === "");
}

function decideByStatus(status: number): DriveCode | null {
  if (status === 429) return "rate_limited";
  if (status === 408 || status >= 500) return "unavailable";
  if (status === 403) return "access_denied";
  return status === 404 ? "scope_not_found" : null;
}

function decide(failure: HttpFailure): DriveCode | null {
  const words = readWords(failure.body);
  if (isDeadPageToken(failure, words)) return "cursor_expired";
  // A refused token (401) and a request Drive finds malformed (400) are the engine's to judge.
  if (failure.status === 400 || failure.status === 401) return null;
  for (const { reason } of words) {
    const code = REASONS.get(reason);
    if (code !== undefined) return code;
  }
  return decideByStatus(failure.status);
}

/** Tells failures of the Drive API apart; `null` leaves the decision to the engine. */
export function classify(failure: HttpFailure): Verdict | null {
  const code = decide(failure);
  return code === null ? null : { code, message: SENTENCES[code] };
}
