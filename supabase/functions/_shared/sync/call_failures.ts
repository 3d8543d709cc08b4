/** Calls to a provider that went wrong, put into the codes of the engine. */
import { type FailureCode, SyncError, toSyncError } from "../errors.ts";
import type { HttpFailure, Provider } from "../providers/types.ts";
import { MAX_BODY_BYTES } from "./limits.ts";
import { readJson } from "./read_json.ts";
import { retryAfterMs } from "./retry_after.ts";

/** Who judges a failure, and when. */
export interface Classifying {
  readonly provider: Pick<Provider<unknown>, "classify" | "displayName">;
  readonly now: () => Date;
}

/** Reads an answer that was not 2xx, as far as its body can be read. */
export async function readFailure(response: Response, url: URL): Promise<HttpFailure> {
  let body: unknown = null;
  try {
    body = await readJson(response, MAX_BODY_BYTES);
  } catch (thrown) {
    // A page of HTML, or a broken body: the status says enough.
    if (!(thrown instanceof SyncError)) await response.body?.cancel().catch(() => {});
  }
  return { status: response.status, headers: response.headers, body, url };
}

/** What an answer that was not 2xx means: as the provider says, else by its status. */
export function classified(failure: HttpFailure, options: Classifying): SyncError {
  const verdict = options.provider.classify(failure) ??
    verdictByStatus(failure.status, options.provider.displayName);
  const waitMs = retryAfterMs(failure.headers, options.now());
  return new SyncError(
    verdict.code,
    verdict.message,
    waitMs === null ? {} : { retryAfterMs: waitMs },
  );
}

function verdictByStatus(
  status: number,
  name: string,
): { readonly code: FailureCode; readonly message: string } {
  if (status === 429) {
    return { code: "rate_limited", message: `${name} asks for fewer calls (status 429).` };
  }
  if (status >= 500 || status === 408 || status === 425) {
    return { code: "unavailable", message: `${name} cannot answer now (status ${status}).` };
  }
  if (status === 401) {
    return {
      code: "credentials_invalid",
      message: `${name} rejects the access token, a new one too. Check the credentials.`,
    };
  }
  if (status === 403) {
    return {
      code: "access_denied",
      message: `${name} refuses access. Share what is to be synced with the connected account.`,
    };
  }
  if (status === 404) {
    return {
      code: "scope_not_found",
      message: `${name} does not find what is to be synced, or does not show it to the ` +
        "connected account. Check the ids in endpoint_config, and the sharing.",
    };
  }
  return { code: "response_invalid", message: `${name} refuses the call (status ${status}).` };
}

/** Turns what a call threw into a `SyncError`. */
export function translate(thrown: unknown, name: string): SyncError {
  if (thrown instanceof SyncError) return thrown;
  if (thrown instanceof DOMException && thrown.name === "AbortError") {
    return new SyncError("unavailable", `${name} did not answer in time.`, { cause: thrown });
  }
  // fetch and body readers report every broken connection, and a refused redirect, as a TypeError.
  if (thrown instanceof TypeError) {
    return new SyncError("unavailable", `The connection to ${name} failed.`, { cause: thrown });
  }
  return toSyncError(thrown);
}
