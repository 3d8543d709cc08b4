import { SyncError } from "../../errors.ts";
import { readErrorCodes } from "./error_codes.ts";
import { retryAfterMs } from "./retry_after.ts";
import { CLIENT_SECRET, CLIENTS } from "./settings.ts";

/** A refusal of the token endpoint. */
export interface TokenRefusal {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body, or `null` where it was not JSON. */
  readonly body: unknown;
  readonly clientId: string;
  readonly now: Date;
}

function isAmong(words: readonly string[], codes: readonly string[]): boolean {
  return codes.some((code) => words.includes(code));
}

function toRefusal({ status, clientId }: TokenRefusal, codes: readonly string[]): SyncError {
  const client = `client id "${clientId}"`;
  if (isAmong(["AUTH-001", "UNAUTHORIZED_CLIENT"], codes)) {
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
        `Set the current one as ${CLIENT_SECRET}, or in ${CLIENTS}`,
    );
  }
  const message = `Autodesk refused a token to ${client} (status ${status}): check the client id ` +
    "and its secret";
  return new SyncError("credentials_invalid", message);
}

/** Translates a refusal of the token endpoint; what Autodesk wrote itself is not repeated. */
export function toTokenError(refusal: TokenRefusal): SyncError {
  const wait = retryAfterMs(refusal.headers, refusal.now);
  const codes = readErrorCodes(refusal.body);
  if (refusal.status === 429 || codes.includes("ERR-001")) {
    const message = "Autodesk asks for fewer token requests; it will be tried again";
    return new SyncError("rate_limited", message, wait);
  }
  if (refusal.status >= 500 || refusal.status === 408) {
    const message = `Autodesk's token service did not answer (status ${refusal.status}); ` +
      "it will be tried again";
    return new SyncError("unavailable", message, wait);
  }
  return toRefusal(refusal, codes);
}
