import { type FailureCode, SyncError } from "../errors.ts";
import type { AccessTokenSource } from "../oauth/access_tokens.ts";
import type { CallPurpose, HttpFailure, Provider, Quota } from "../providers/types.ts";
import type { Secret } from "../secret.ts";
import type { Budget } from "./budget.ts";
import { classified, readFailure, translate } from "./call_failures.ts";
import type { Governor } from "./governor.ts";
import {
  CALL_ATTEMPTS,
  CALL_TIMEOUT_MS,
  FIRST_BACKOFF_MS,
  FOLDER_PATIENCE_MS,
  LONGEST_BACKOFF_MS,
  MAX_BODY_BYTES,
  PROBE_TIMEOUT_MS,
  SLICE_MS,
  UNREADABLE_ATTEMPTS,
} from "./limits.ts";
import type { PagePlace } from "./page_place.ts";
import { readJson } from "./read_json.ts";
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

/** How a call is made. */
export interface CallTerms {
  /** Aborting it ends the call with its reason. */
  readonly signal: AbortSignal;
  /** With one, the answer's body is read once there is room for it. */
  readonly place?: PagePlace | undefined;
  /** `run` where none is given. */
  readonly purpose?: CallPurpose | undefined;
}

/** The calls of one endpoint's slice to its provider. */
export interface ProviderCalls {
  /** See `ProviderContext.getJson`. */
  getJson(url: URL, terms: CallTerms): Promise<unknown>;
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
    async getJson(url, { signal: wanted, place, purpose = "run" }) {
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
      const course: Course = { purpose, sentFirstMs: null, failures: 0, unreadable: 0 };
      const send: Send = async (token) => {
        await admit(quota, signal, options);
        course.sentFirstMs ??= options.now().getTime();
        count += 1;
        options.budget.spend({ calls: 1 });
        return await sendOnce({ url, token, signal, place, purpose }, options);
      };
      while (true) {
        try {
          return await sendWithFreshToken(send, options);
        } catch (thrown) {
          signal.throwIfAborted();
          if (thrown instanceof SliceOver) throw thrown;
          const failure = translate(thrown, options.provider.displayName);
          course.failures += 1;
          if (failure.isUnreadable) course.unreadable += 1;
          await waitForRetry({ failure, course, quota, signal }, options);
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

/** What became of a call so far. */
interface Course {
  readonly purpose: CallPurpose;
  /** When it was first sent, in milliseconds of the epoch; `null` before that. */
  sentFirstMs: number | null;
  failures: number;
  /** Answers among them that could not be read. */
  unreadable: number;
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
  readonly purpose: CallPurpose;
}

async function sendOnce(
  { url, token, signal, place, purpose }: Sending,
  options: ProviderCallsOptions,
): Promise<unknown> {
  const timeout = new AbortController();
  const timeoutMs = timeoutOf(purpose, options);
  const sentMs = options.now().getTime();
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
      const leftMs = timeoutMs - (options.now().getTime() - sentMs);
      await place?.open();
      timer = setTimeout(() => timeout.abort(), Math.max(0, leftMs));
      return await readInto(place, response);
    }
    const failure = await readFailure(response, url);
    throw failure.status === 401 ? new TokenRejected(failure) : classified(failure, options);
  } finally {
    clearTimeout(timer);
  }
}

function timeoutOf(purpose: CallPurpose, { callTimeoutMs }: ProviderCallsOptions): number {
  const timeoutMs = callTimeoutMs ?? CALL_TIMEOUT_MS;
  return purpose === "probe" ? Math.min(timeoutMs, PROBE_TIMEOUT_MS) : timeoutMs;
}

async function readInto(place: PagePlace | undefined, response: Response): Promise<unknown> {
  try {
    return await readJson(response, MAX_BODY_BYTES);
  } catch (thrown) {
    place?.close();
    throw thrown;
  }
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
  readonly course: Course;
  readonly quota: Quota;
  readonly signal: AbortSignal;
}

/** Waits before the next attempt; throws where waiting is of no use. */
async function waitForRetry(call: FailedCall, options: ProviderCallsOptions): Promise<void> {
  const { failure, course, quota, signal } = call;
  if (!isPassing(call)) throw failure;
  const ceilingMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (course.failures - 1));
  const waitMs = Math.max(failure.retryAfterMs ?? 0, options.random() * ceilingMs);
  const isBlocked = failure.code === "rate_limited";
  // All who share the limit wait, in this worker and the others, not only who was told.
  if (isBlocked) await options.governor.block(quota, waitMs);
  if (course.failures >= CALL_ATTEMPTS || isGivenUp(call, options)) throw failure;
  const leftMs = options.budget.deadline.getTime() - options.now().getTime();
  if (waitMs >= leftMs) throw tooLong(failure, waitMs);
  // Being admitted again is the wait of a blocked call.
  if (!isBlocked) await options.sleep(waitMs, signal);
}

function isPassing({ failure, course }: FailedCall): boolean {
  return PASSING.has(failure.code) ||
    failure.isUnreadable && course.unreadable < UNREADABLE_ATTEMPTS;
}

/**
 * Whether a folder has been waited for long enough. A slice is too short for as many silences as other
 * calls are allowed: left to the next one, it would end there in the same way, and so on.
 */
function isGivenUp(
  { failure, course: { purpose, sentFirstMs, failures } }: FailedCall,
  { now }: ProviderCallsOptions,
): boolean {
  return purpose === "folder" && failure.code === "unavailable" && failures > 1 &&
    sentFirstMs !== null && now().getTime() - sentFirstMs >= FOLDER_PATIENCE_MS;
}

/** What to throw when a wait goes beyond this slice: the next one may have time enough for it. */
function tooLong(failure: SyncError, waitMs: number): Error {
  if (waitMs > SLICE_MS) return failure;
  return new SliceOver("The wait is the next slice's", { cause: failure });
}
