import { z } from "zod";
import { SyncError } from "../../errors.ts";
import { retryAfterMs } from "./retry_after.ts";

/** A refusal of the token endpoint. */
export interface TokenRefusal {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body, or `null` where it was not JSON. */
  readonly body: unknown;
  /** The user the assertion names, or `null`. */
  readonly impersonate: string | null;
  /** Where the service account's key comes from. */
  readonly setting: string;
  readonly now: Date;
}

const refusalBody = z.object({
  error: z.string(),
  error_description: z.string().catch(""),
});

/** Google's words for a refusal; `null` where the body is not one of its own. */
export function readRefusal(body: unknown): z.infer<typeof refusalBody> | null {
  return refusalBody.safeParse(body).data ?? null;
}

/**
 * Sentences for `invalid_grant`, the one error that has several causes. The description only picks
 * the sentence; what the engine does follows from the code, which is the same for all.
 * https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
 */
const INVALID_GRANT: readonly (readonly [RegExp, string])[] = [
  [
    /short-lived|reasonable timeframe/i,
    "Google does not accept the time in the request: the clock of this machine is wrong. " +
    "Set it by a time server",
  ],
  [
    /email|user id|account not found/i,
    "Google does not know the account: check the user named by impersonate in endpoint_config, " +
    "and that the service account still exists",
  ],
];

const DELEGATION =
  "Google does not let this service account act for the user named by impersonate: in the Google " +
  "Admin console (Security, API controls, Domain-wide delegation) allow the service account's " +
  "numeric client id the scope https://www.googleapis.com/auth/drive.metadata.readonly; " +
  "it may take up to 24 hours to take effect";

const SENTENCES: ReadonlyMap<string, string> = new Map([
  ["access_denied", "Google denied access: an administrator's policy forbids it"],
  [
    "admin_policy_enforced",
    "The organization's policy does not allow this application to read Drive",
  ],
  ["invalid_client", "Google does not know this service account: create a new JSON key"],
  [
    "deleted_client",
    "The service account was deleted: create another one with a new JSON key",
  ],
  [
    "disabled_client",
    "The service account is disabled: enable it in the Google Cloud console",
  ],
  ["org_internal", "The application may be used inside its own organization only"],
  ["invalid_scope", "Google does not grant the scope drive.metadata.readonly to this account"],
]);

function describe(refusal: TokenRefusal): string {
  const refused = readRefusal(refusal.body);
  if (refused === null) return `Google refused the service account (status ${refusal.status})`;
  const { error, error_description } = refused;
  if (error === "unauthorized_client") {
    return refusal.impersonate === null
      ? "Google does not let this service account obtain tokens: check that it is enabled"
      : DELEGATION;
  }
  if (error === "invalid_grant") {
    if (/signature/i.test(error_description)) {
      return "Google does not accept the service account's key: it was deleted, disabled or " +
        `replaced. Create a new JSON key and set it as ${refusal.setting}`;
    }
    const known = INVALID_GRANT.find(([pattern]) => pattern.test(error_description));
    return known?.[1] ?? "Google does not accept the service account's request: check its JSON key";
  }
  return SENTENCES.get(error) ?? `Google refused the service account (status ${refusal.status})`;
}

/** The refusals that pass by themselves; `null` for all others. */
export function toPassingError(
  { status, headers, now }: Pick<TokenRefusal, "status" | "headers" | "now">,
): SyncError | null {
  const wait = retryAfterMs(headers, now);
  if (status === 429) {
    const message = "Google asks for fewer token requests; it will be tried again";
    return new SyncError("rate_limited", message, wait);
  }
  if (status < 500 && status !== 408) return null;
  const message = `Google's token service did not answer (status ${status}); ` +
    "it will be tried again";
  return new SyncError("unavailable", message, wait);
}

/** Translates a refusal of the token endpoint; what Google wrote itself is not repeated. */
export function toTokenError(refusal: TokenRefusal): SyncError {
  return toPassingError(refusal) ?? new SyncError("credentials_invalid", describe(refusal));
}
