import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { GrantFailure } from "../types.ts";
import { CLIENT_SECRET, CLIENTS } from "./credentials.ts";
import { readErrorCodes } from "./error_codes.ts";
import { toPassingError } from "./token_errors.ts";

/** What Autodesk means, whichever of its two error bodies says it. */
type Meaning = "grant_over" | "client_refused" | "client_not_allowed" | "scope_refused";

const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["INVALID_GRANT", "grant_over"],
  ["INVALID_TOKEN", "grant_over"],
  ["INVALID_CLIENT", "client_refused"],
  ["UNAUTHORIZED_CLIENT", "client_not_allowed"],
  ["INVALID_SCOPE", "scope_refused"],
]);

/**
 * The token service documents its refusals by their texts alone, and the gateway before it gives one
 * code to several of them: there, the text is the only word there is.
 * https://aps.autodesk.com/en/docs/oauth/v2/reference/http/gettoken-POST/
 */
const TEXTS: readonly (readonly [RegExp, Meaning])[] = [
  [/refresh token|authorization code|pkce/i, "grant_over"],
  [/client credentials/i, "client_refused"],
  [/scope/i, "scope_refused"],
];

const text = z.string().catch("");
const texts = z.object({ developerMessage: text, error_description: text });

const GRANT_OVER: Readonly<Record<GrantFailure["request"], string>> = {
  exchange: "Autodesk does not accept the code of this consent: it was used already, or is older " +
    "than five minutes. Connect the account again",
  refresh: "Autodesk no longer accepts the connection of this account: it was taken back, or was " +
    "not used for 15 days. Connect the account again",
  revoke: "Autodesk does not know this connection any more: there is nothing left to take back",
};

function meaningOf({ status, body }: GrantFailure): Meaning | null {
  const codes = readErrorCodes(body);
  for (const code of codes) {
    const meaning = MEANINGS.get(code);
    if (meaning !== undefined) return meaning;
  }
  const { developerMessage, error_description } = texts.safeParse(body).data ??
    { developerMessage: "", error_description: "" };
  const said = `${developerMessage} ${error_description}`;
  const known = TEXTS.find(([pattern]) => pattern.test(said));
  if (known !== undefined) return known[1];
  if (status === 401) return "client_refused";
  return codes.includes("AUTH-001") ? "client_not_allowed" : null;
}

function toError(meaning: Meaning, request: GrantFailure["request"]): SyncError {
  switch (meaning) {
    case "grant_over":
      return new SyncError("grant_revoked", GRANT_OVER[request]);
    case "client_refused":
      return new SyncError(
        "credentials_invalid",
        "Autodesk does not accept the secret of the application: it is wrong, has expired or was " +
          `replaced. Set the current one as ${CLIENT_SECRET}, or in ${CLIENTS}`,
      );
    case "client_not_allowed":
      return new SyncError(
        "api_disabled",
        "Autodesk does not let the application connect accounts: check on aps.autodesk.com under " +
          "My Applications that it is a traditional web application and has the Data Management API",
      );
    case "scope_refused":
      return new SyncError(
        "credentials_invalid",
        "Autodesk does not grant the scope data:read to the application: check on aps.autodesk.com " +
          "under My Applications that it has the Data Management API",
      );
  }
}

/** Translates what Autodesk says of a person's grant; its own words are not repeated. */
export function classifyGrant(failure: GrantFailure): SyncError {
  const passing = toPassingError(failure);
  if (passing !== null) return passing;
  const meaning = meaningOf(failure);
  if (meaning !== null) return toError(meaning, failure.request);
  if (failure.body === null) {
    const message = "Autodesk's token service answered in a way that is not its own (status " +
      `${failure.status}): check what stands between, such as a proxy; it will be tried again`;
    return new SyncError("response_invalid", message);
  }
  return new SyncError(
    "credentials_invalid",
    `Autodesk refused the request for this account (status ${failure.status}): check the client ` +
      `id, and its secret in ${CLIENT_SECRET} or ${CLIENTS}`,
  );
}
