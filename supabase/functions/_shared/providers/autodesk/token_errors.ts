import { SyncError } from "../../errors.ts";
import { readErrorCodes } from "./error_codes.ts";
import { retryAfterMs } from "./retry_after.ts";
import { CLIENT_SECRET, CLIENTS, SERVICE_ACCOUNTS } from "./credentials.ts";

/** A refusal of the token endpoint. */
export interface TokenRefusal {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body, or `null` where it was not JSON. */
  readonly body: unknown;
  readonly clientId: string;
  /** The name of the service account that asks, or `null`. */
  readonly serviceAccount: string | null;
  readonly now: Date;
}

function isAmong(words: readonly string[], codes: readonly string[]): boolean {
  return codes.some((code) => words.includes(code));
}

function refusedAssertion(serviceAccount: string, clientId: string): SyncError {
  return new SyncError(
    "credentials_invalid",
    `Autodesk does not accept what the service account "${serviceAccount}" signs: check in ` +
      `${SERVICE_ACCOUNTS} that service_account_id, key_id and private_key belong together, that ` +
      `the account belongs to client id "${clientId}", that account and key are enabled, and that ` +
      "the clock of this machine is right",
  );
}

function toRefusal(refusal: TokenRefusal, codes: readonly string[]): SyncError {
  const { status, clientId, serviceAccount } = refusal;
  const client = `client id "${clientId}"`;
  // The client is refused with 401; the gateway has one code for whatever else it finds wrong.
  const isOfScope = isAmong(["INVALID_SCOPE", "UNAUTHORIZED_CLIENT"], codes);
  if (serviceAccount !== null && status === 400 && !isOfScope) {
    return refusedAssertion(serviceAccount, clientId);
  }
  // The gateway says AUTH-001 of a wrong secret too, with another status.
  if (status !== 401 && isAmong(["AUTH-001", "UNAUTHORIZED_CLIENT"], codes)) {
    return new SyncError(
      "api_disabled",
      `Autodesk does not let ${client} obtain tokens of its own: check on aps.autodesk.com under ` +
        "My Applications that it is a traditional or server-to-server application and has the " +
        "Data Management API",
    );
  }
  if (isAmong(["INVALID_SCOPE"], codes)) {
    const message = `Autodesk does not grant the scope data:read to ${client}`;
    return new SyncError("credentials_invalid", message);
  }
  if (status === 401 || isAmong(["INVALID_CLIENT"], codes)) {
    return new SyncError(
      "credentials_invalid",
      `Autodesk does not accept the secret of ${client}: it is wrong, has expired or was replaced. ` +
        `Set the current one as ${CLIENT_SECRET}, or in ${CLIENTS} or ${SERVICE_ACCOUNTS}`,
    );
  }
  const message = `Autodesk refused a token to ${client} (status ${status}): check the client id ` +
    "and its secret";
  return new SyncError("credentials_invalid", message);
}

/** The refusals that pass by themselves; `null` for all others. */
export function toPassingError(
  { status, headers, body, now }: Pick<TokenRefusal, "status" | "headers" | "body" | "now">,
): SyncError | null {
  const wait = retryAfterMs(headers, now);
  if (status === 429 || readErrorCodes(body).includes("ERR-001")) {
    const message = "Autodesk asks for fewer token requests; it will be tried again";
    return new SyncError("rate_limited", message, wait);
  }
  if (status < 500 && status !== 408) return null;
  const message = `Autodesk's token service did not answer (status ${status}); ` +
    "it will be tried again";
  return new SyncError("unavailable", message, wait);
}

/** Translates a refusal of the token endpoint; what Autodesk wrote itself is not repeated. */
export function toTokenError(refusal: TokenRefusal): SyncError {
  return toPassingError(refusal) ?? toRefusal(refusal, readErrorCodes(refusal.body));
}
