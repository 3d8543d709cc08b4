import { SyncError } from "../errors.ts";
import { HttpError } from "../http/http_error.ts";

const READABLE_CODE = /^[\w.-]{1,60}$/;

/**
 * Translates the `error` with which a provider ends a consent (RFC 6749, 4.1.2.1). Its description is
 * not passed on: whoever holds a state can write what they like into it.
 */
export function toConsentError(error: string, provider: string): HttpError | SyncError {
  switch (error) {
    case "access_denied":
      return new HttpError(
        "consent_denied",
        `No account was connected: access was refused at ${provider}, by the person or by the ` +
          "administrator of their organization.",
      );
    case "server_error":
    case "temporarily_unavailable":
      return new SyncError(
        "unavailable",
        `${provider} cannot ask for consent right now: connect the account again in a few minutes.`,
      );
    case "invalid_scope":
      return new SyncError(
        "setting_invalid",
        `${provider} does not let this application ask for the permissions it needs: its operator ` +
          "must add them to the application in the provider's console.",
      );
    case "invalid_request":
    case "unauthorized_client":
    case "unsupported_response_type":
      return new SyncError(
        "setting_invalid",
        `${provider} refuses this application (${error}): its operator must check the client id and ` +
          "the redirect address in the provider's console.",
      );
    default:
      return new HttpError(
        "consent_failed",
        `${provider} ended the consent with ${describe(error)}: connect the account again.`,
      );
  }
}

function describe(error: string): string {
  return READABLE_CODE.test(error) ? `the error ${error}` : "an error of its own";
}
