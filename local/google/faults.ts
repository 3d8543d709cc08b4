import { type FaultPlan as PlanOf, FaultQueue } from "../emulator/fault_queue.ts";
import { ApiError } from "./api_error.ts";

/** What can be made to go wrong with a call. */
export type Fault =
  /** An error answer; `reason` and `domain` as in the API's error table. */
  | {
    readonly type: "status";
    readonly status: number;
    readonly reason?: string | undefined;
    readonly domain?: string | undefined;
    readonly message?: string | undefined;
    readonly retryAfterSeconds?: number | undefined;
  }
  /** No answer, until the caller gives up. */
  | { readonly type: "timeout" }
  /** The connection breaks before an answer. */
  | { readonly type: "reset" }
  /** 200 with the first half of the JSON. */
  | { readonly type: "truncated" }
  /** 200 with bytes that are not JSON. */
  | { readonly type: "garbage" }
  /** A proxy's HTML page; by default with status 200. */
  | { readonly type: "html"; readonly status?: number | undefined }
  /** Lists: the answer says `incompleteSearch: true` and leaves the last half of its page out for good. */
  | { readonly type: "incomplete_search" }
  /** Lists: an empty page with a token for the same place. */
  | { readonly type: "empty_page" }
  /** Lists: the following page begins with the last `count` entries of this one again. */
  | { readonly type: "duplicates"; readonly count: number }
  /**
   * Searches of several folders at once: nothing comes back, not even the rest of what a page before
   * has shown; or, from the first page to the last, half the folders are missing.
   */
  | { readonly type: "grouped_parents"; readonly mode: "empty" | "partial" };

/** When a fault happens. */
export type FaultPlan = PlanOf<Fault>;

/** A call as faults are matched with it. */
export interface FaultableCall {
  readonly method: string;
  readonly pathAndQuery: string;
  /** Whether the call searches several folders at once. */
  readonly isGrouped: boolean;
}

// Faults leave these alone unless they name one.
const OAUTH_METHODS = new Set(["token", "revoke", "authorize"]);
const LIST_METHODS = new Set(["files.list", "changes.list"]);

/** A queue of the faults of a Drive. */
export function createFaultQueue(): FaultQueue<Fault, FaultableCall> {
  return new FaultQueue(matches);
}

function matches(plan: FaultPlan, call: FaultableCall): boolean {
  if (plan.method === undefined ? OAUTH_METHODS.has(call.method) : plan.method !== call.method) {
    return false;
  }
  if (plan.path !== undefined && !call.pathAndQuery.includes(plan.path)) return false;
  switch (plan.fault.type) {
    case "incomplete_search":
      return call.method === "files.list";
    case "empty_page":
    case "duplicates":
      return LIST_METHODS.has(call.method);
    case "grouped_parents":
      return call.isGrouped &&
        (plan.fault.mode === "empty" || !call.pathAndQuery.includes("pageToken="));
    default:
      return true;
  }
}

const REASONS: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ["badRequest", "Bad Request"],
  401: ["authError", "Invalid Credentials"],
  403: ["userRateLimitExceeded", "User Rate Limit Exceeded"],
  404: ["notFound", "File not found: ."],
  429: ["rateLimitExceeded", "Rate Limit Exceeded"],
  500: ["internalError", "Internal Error"],
  502: ["backendError", "Bad Gateway"],
  503: ["backendError", "Backend Error"],
  504: ["backendError", "Gateway Timeout"],
};

/** The error answer that a `status` fault stands for. */
export function statusFaultError(fault: Extract<Fault, { type: "status" }>): ApiError {
  const [reason, message] = REASONS[fault.status] ?? ["unknown", "Unknown Error"];
  const given = fault.reason ?? reason;
  return new ApiError({
    status: fault.status,
    reason: given,
    message: fault.message ?? message,
    domain: fault.domain ?? (/LimitExceeded$/.test(given) ? "usageLimits" : "global"),
    retryAfterSeconds: fault.retryAfterSeconds,
  });
}
