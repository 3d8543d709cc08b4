import { SyncError } from "../../errors.ts";
import type { GrantFailure } from "../types.ts";
import { CLIENT_ID, CLIENT_SECRET } from "./credentials.ts";
import { readRefusal, toPassingError } from "./token_errors.ts";

/** What `invalid_grant` means depends on what was asked. */
const GRANT_OVER: Readonly<Record<GrantFailure["request"], string>> = {
  exchange:
    "Google does not accept the code of this consent: it was used already, or is too old. " +
    "Connect the account again",
  refresh: "Google no longer accepts the connection of this account: it was taken back, was not " +
    "used for six months, or is older than seven days while the consent screen is in testing. " +
    "Connect the account again",
  revoke: "Google does not know this connection any more: there is nothing left to take back",
};

/** Words that only the operator, or an administrator of the account's organization, can mend. */
const CREDENTIALS: ReadonlyMap<string, string> = new Map([
  [
    "invalid_client",
    `Google does not accept ${CLIENT_ID} and ${CLIENT_SECRET}: the secret is wrong, has expired or ` +
    "was replaced. Set the current one",
  ],
  [
    "deleted_client",
    `The OAuth client of ${CLIENT_ID} was deleted: create another one in the Google Cloud console ` +
    "(APIs & Services, Credentials), and connect the accounts again",
  ],
  [
    "disabled_client",
    `The OAuth client of ${CLIENT_ID} is disabled: enable it in the Google Cloud console`,
  ],
  [
    "unauthorized_client",
    `Google does not let the client of ${CLIENT_ID} connect accounts: create one of type Web ` +
    "application in the Google Cloud console (APIs & Services, Credentials)",
  ],
  [
    "invalid_scope",
    `Google does not grant the scope drive.metadata.readonly to the client of ${CLIENT_ID}: add it ` +
    "to the consent screen (Google Auth Platform, Data Access)",
  ],
  [
    "redirect_uri_mismatch",
    "Google does not know the address it is to send people back to: add " +
    "<CONNECTOR_PUBLIC_URL>/functions/v1/oauth/callback to the authorized redirect URIs of the " +
    `client of ${CLIENT_ID}`,
  ],
  [
    "admin_policy_enforced",
    "The policy of the account's organization does not let this application read Drive: its " +
    "administrator must trust the application",
  ],
  [
    "access_denied",
    "Google denied access: an administrator's policy of the account's organization forbids it",
  ],
  [
    "org_internal",
    "The consent screen is for users of its own organization only: make it External, or connect " +
    "an account of the organization",
  ],
]);

/** Words of RFC 6749 for what passes by itself. */
const PASSING: ReadonlySet<string> = new Set(["server_error", "temporarily_unavailable"]);

function strange({ status }: GrantFailure): SyncError {
  const message =
    `Google's token service answered in a way that is not its own (status ${status}): ` +
    "check what stands between, such as a proxy; it will be tried again";
  return new SyncError("response_invalid", message);
}

/**
 * Translates what Google says of a person's grant; its own words are not repeated.
 * https://developers.google.com/identity/protocols/oauth2#expiration
 */
export function classifyGrant(failure: GrantFailure): SyncError {
  const passing = toPassingError(failure);
  if (passing !== null) return passing;
  const refusal = readRefusal(failure.body);
  if (refusal === null) return strange(failure);
  const { error } = refusal;
  if (PASSING.has(error)) {
    return new SyncError("unavailable", "Google cannot answer now; it will be tried again");
  }
  // `invalid_token` is what the revocation address says of a token it does not know.
  if (error === "invalid_grant" || error === "invalid_token") {
    return new SyncError("grant_revoked", GRANT_OVER[failure.request]);
  }
  const sentence = CREDENTIALS.get(error) ??
    `Google refused the request for this account (status ${failure.status}): check ${CLIENT_ID} ` +
      `and ${CLIENT_SECRET}`;
  return new SyncError("credentials_invalid", sentence);
}
