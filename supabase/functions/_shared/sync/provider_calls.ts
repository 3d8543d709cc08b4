import { SyncError, toSyncError } from "../errors.ts";
import type { FailureCode } from "../errors.ts";
import type { AccessTokenSource } from "../oauth/access_tokens.ts";
import type { HttpFailure, Provider, Quota } from "../providers/types.ts";
import type { Secret } from "../secret.ts";
import type { Budget } from "./budget.ts";
import type { Governor } from "./governor.ts";
import {
  CALL_ATTEMPTS,
  CALL_TIMEOUT_MS,
  FIRST_BACKOFF_MS,
  LONGEST_BACKOFF_MS,
  MAX_BODY_BYTES,
  SLICE_MS,
} from "./limits.ts";
import type { PagePlace } from "./page_place.ts";
import { readJson } from "./read_json.ts";
import { retryAfterMs } from "./retry_after.ts";
import { SliceOver } from "./slice_over.ts";

/** What {@linkcode createProviderCalls} needs. */
export interface ProviderCallsOptions {
  readonly provider: Pick<Provider<unknown>, "classify" | "displayName">;
  readonly apiUrl: string;
  /** Of the provider's own, on every call; the engine's win over them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokens: AccessTokenSource;
  readonly governor: Governor;
  /** Which limit a call counts against. */
  readonly quotaOf: (url: URL) => Quota;
  readonly budget: Budget;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Waits; rejects when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly callTimeoutMs?: number;
}

/** The calls of one endpoint's slice to its provider. */
export interface ProviderCalls {
  /**
   * See `ProviderContext.getJson`. Aborting the signal ends the call with the signal's reason. With a
   * place, the answer's body is read once there is room for it.
   */
  getJson(url: URL, signal: AbortSignal, place?: PagePlace): Promise<unknown>;
  /** The number of requests sent since it was last taken: to be reported, or given back. */
  takeCount(): number;
  /** Puts a taken count back, because reporting it failed. */
  giveBack(count: number): void;
}

/** Failures that pass by themselves soon enough to be waited for within a slice. */
const PASSING: ReadonlySet<FailureCode> = new Set(["unavailable", "rate_limited"]);

/** Creates the authorized, repeated, time-limited and counted calls of one slice. */
export function createProviderCalls(options: ProviderCallsOptions): ProviderCalls {
  const origin = new URL(options.apiUrl).origin;
  let count = 0;

  return {
    async getJson(url, wanted, place) {
      const signal = AbortSignal.any([wanted, options.budget.unloading]);
      // The token goes to the provider alone, whatever a page of its answers points to.
      if (url.origin !== origin) {
        throw new SyncError(
          "response_invalid",
          `${options.provider.displayName} pointed to another host than the configured one; ` +
            "the call was refused.",
        );
      }
      const quota = options.quotaOf(url);
      const send: Send = async (token) => {
        await admit(quota, signal, options);
        count += 1;
        options.budget.spend({ calls: 1 });
        return await sendOnce({ url, token, signal, place }, options);
      };
      for (let attempt = 1;; attempt++) {
        try {
          return await sendWithFreshToken(send, options);
        } catch (thrown) {
          signal.throwIfAborted();
          if (thrown instanceof SliceOver) throw thrown;
          const failure = translate(thrown, options.provider.displayName);
          await waitForRetry({ failure, attempt, quota, signal }, options);
        }
      }
    },
    takeCount() {
      const taken = count;
      count = 0;
      return taken;
    },
    giveBack(taken) {
      count += taken;
    },
  };
}

/** Sends the request once, with this token. */
type Send = (token: Secret) => Promise<unknown>;

/** Sends a call; a rejected token is renewed and the call repeated, once. */
async function sendWithFreshToken(send: Send, options: ProviderCallsOptions): Promise<unknown> {
  for (let isRepeated = false;; isRepeated = true) {
    const token = await options.tokens.get();
    try {
      return await send(token);
    } catch (thrown) {
      if (!(thrown instanceof TokenRejected)) throw thrown;
      if (isRepeated || !options.tokens.invalidate(token)) {
        throw classified(thrown.failure, options);
      }
    }
  }
}

/** An answer 401. It never leaves this file: the second one becomes a `SyncError`. */
class TokenRejected extends Error {
  override readonly name = "TokenRejected";
  constructor(readonly failure: HttpFailure) {
    super("The provider rejected the access token");
  }
}

interface Sending {
  readonly url: URL;
  readonly token: Secret;
  readonly signal: AbortSignal;
  readonly place: PagePlace | undefined;
}

async function sendOnce(
  { url, token, signal, place }: Sending,
  options: ProviderCallsOptions,
): Promise<unknown> {
  const timeout = new AbortController();
  const timeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
  let timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const response = await options.fetch(url, {
      headers: {
        ...options.headers,
        authorization: `Bearer ${token.reveal()}`,
        accept: "application/json",
      },
      redirect: "error",
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    if (response.ok) {
      // To wait for room is not the provider's delay.
      clearTimeout(timer);
      await place?.open();
      timer = setTimeout(() => timeout.abort(), timeoutMs);
      return await readInto(place, response);
    }
    const failure = await readFailure(response, url);
    throw failure.status === 401 ? new TokenRejected(failure) : classified(failure, options);
  } finally {
    clearTimeout(timer);
  }
}

async function readInto(place: PagePlace | undefined, response: Response): Promise<unknown> {
  try {
    return await readJson(response, MAX_BODY_BYTES);
  } catch (thrown) {
    place?.close();
    throw thrown;
  }
}

async function readFailure(response: Response, url: URL): Promise<HttpFailure> {
  let body: unknown = null;
  try {
    body = await readJson(response, MAX_BODY_BYTES);
  } catch (thrown) {
    // A page of HTML, or a broken body: the status says enough.
    if (!(thrown instanceof SyncError)) await response.body?.cancel().catch(() => {});
  }
  return { status: response.status, headers: response.headers, body, url };
}

function classified(failure: HttpFailure, options: ProviderCallsOptions): SyncError {
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
function translate(thrown: unknown, name: string): SyncError {
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

/** Waits until the provider's limits allow a call. */
async function admit(
  quota: Quota,
  signal: AbortSignal,
  { governor, budget, provider }: ProviderCallsOptions,
): Promise<void> {
  const waitMs = await governor.admit(quota, { deadline: budget.deadline, signal });
  signal.throwIfAborted();
  if (waitMs > 0) {
    const message = `${provider.displayName} has been asked as often as it allows for now.`;
    throw tooLong(new SyncError("rate_limited", message, { retryAfterMs: waitMs }), waitMs);
  }
}

interface FailedCall {
  readonly failure: SyncError;
  readonly attempt: number;
  readonly quota: Quota;
  readonly signal: AbortSignal;
}

/** Waits before the next attempt; throws where waiting is of no use. */
async function waitForRetry(
  { failure, attempt, quota, signal }: FailedCall,
  options: ProviderCallsOptions,
): Promise<void> {
  if (!PASSING.has(failure.code)) throw failure;
  const ceilingMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
  const waitMs = Math.max(failure.retryAfterMs ?? 0, options.random() * ceilingMs);
  const isBlocked = failure.code === "rate_limited";
  // All who share the limit wait, in this worker and the others, not only who was told.
  if (isBlocked) await options.governor.block(quota, waitMs);
  if (attempt >= CALL_ATTEMPTS) throw failure;
  const leftMs = options.budget.deadline.getTime() - options.now().getTime();
  if (waitMs >= leftMs) throw tooLong(failure, waitMs);
  // Being admitted again is the wait of a blocked call.
  if (!isBlocked) await options.sleep(waitMs, signal);
}

/** What to throw when a wait goes beyond this slice: the next one may have time enough for it. */
function tooLong(failure: SyncError, waitMs: number): Error {
  if (waitMs > SLICE_MS) return failure;
  return new SliceOver("The wait is the next slice's", { cause: failure });
}
