import { type FaultPlan as PlanOf, FaultQueue } from "../emulator/fault_queue.ts";
import { type ApiError, dataError, gatewayError, quotaExceeded } from "./api_error.ts";

/** What can be made to go wrong with a call. */
export type Fault =
  /** An error answer, in the form of the service or (`gateway`) of the gateway in front of it. */
  | {
    readonly type: "status";
    readonly status: number;
    readonly shape?: "service" | "gateway" | undefined;
    readonly code?: string | undefined;
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
  /** Contents: from now on this page is an empty one in the middle, and the rest comes after it. */
  | { readonly type: "empty_page" }
  /** Contents: the page begins with the last `count` entries of the page before (or its own). */
  | { readonly type: "duplicates"; readonly count: number }
  /** Contents: the tip versions are missing, `null`, or half of them are. */
  | { readonly type: "included"; readonly mode: "absent" | "null" | "partial" }
  /** Lists: the link to the next page leads to another host. */
  | { readonly type: "foreign_next"; readonly origin: string };

/** When a fault happens. */
export type FaultPlan = PlanOf<Fault>;

/** A call as faults are matched with it. */
export interface FaultableCall {
  readonly method: string;
  readonly pathAndQuery: string;
}

/** The routes of the authentication service, which faults leave alone unless they name one. */
export const AUTH_ROUTES: ReadonlySet<string> = new Set([
  "token",
  "authorize",
  "revoke",
  "introspect",
  "keys",
  "userinfo",
]);

const PAGED_ROUTES = new Set(["folders.contents", "projects.list", "items.versions"]);

/** A queue of the faults of an emulated account. */
export function createFaultQueue(): FaultQueue<Fault, FaultableCall> {
  return new FaultQueue(matches);
}

function matches(plan: FaultPlan, call: FaultableCall): boolean {
  if (plan.method === undefined ? AUTH_ROUTES.has(call.method) : plan.method !== call.method) {
    return false;
  }
  if (plan.path !== undefined && !call.pathAndQuery.includes(plan.path)) return false;
  switch (plan.fault.type) {
    case "empty_page":
    case "duplicates":
    case "included":
      return call.method === "folders.contents";
    case "foreign_next":
      return PAGED_ROUTES.has(call.method);
    default:
      return true;
  }
}

const TEXTS: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ["BAD_INPUT", "Bad Request"],
  401: ["Auth-006", "The access token provided is invalid or expired."],
  403: ["FORBIDDEN", "Forbidden"],
  404: ["NOT_FOUND", "Not Found"],
  423: ["LOCKED", "Locked"],
  500: ["INTERNAL_SERVER_ERROR", "Internal Server Error"],
  502: ["BAD_GATEWAY", "Bad Gateway"],
  503: ["SERVICE_UNAVAILABLE", "Service Unavailable"],
  504: ["GATEWAY_TIMEOUT", "Gateway Timeout"],
};

/** The error answer that a `status` fault stands for. */
export function statusFaultError(fault: Extract<Fault, { type: "status" }>): ApiError {
  const { status, retryAfterSeconds } = fault;
  if (status === 429 && fault.code === undefined) return quotaExceeded(retryAfterSeconds ?? null);
  const [code, message] = TEXTS[status] ?? ["UNKNOWN", "Unknown Error"];
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
  // What has to do with tokens is said by the gateway.
  return fault.shape === "gateway" || (fault.shape === undefined && status === 401)
    ? gatewayError(status, fault.code ?? code, fault.message ?? message, headers)
    : dataError(status, fault.code ?? code, fault.message ?? message, { headers });
}
