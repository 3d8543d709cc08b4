import { oneLine } from "../failure.ts";
import { FunctionFailure, type FunctionFault } from "../functions/function_failure.ts";
import type { RunningFunction } from "../functions/runner.ts";
import { errorAnswer } from "./answers.ts";
import type { JwtCheck } from "./verify_jwt.ts";

const PREFIX = "/functions/v1";
const METHODS = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const FAULTS: Readonly<Record<FunctionFault, { status: number; code: string }>> = {
  boot_error: { status: 503, code: "BOOT_ERROR" },
  worker_limit: { status: 546, code: "WORKER_LIMIT" },
  idle_timeout: { status: 504, code: "IDLE_TIMEOUT" },
};

/** What {@linkcode createFunctionsRoute} needs. */
export interface FunctionsRouteOptions {
  readonly find: (slug: string) => RunningFunction | undefined;
  readonly checkJwt: JwtCheck;
}

/** The function sees `/<slug>/…`, without the gateway's prefix, and where the call came in. */
function forwarded(request: Request): Request {
  const url = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.set("x-forwarded-host", url.hostname);
  headers.set("x-forwarded-port", url.port);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  headers.set("x-forwarded-prefix", PREFIX);
  url.pathname = url.pathname.slice(PREFIX.length);
  return new Request(url, {
    method: request.method,
    headers,
    body: request.body,
    redirect: "manual",
  });
}

function failureAnswer(cause: unknown): Response {
  if (!(cause instanceof FunctionFailure)) throw cause;
  const { status, code } = FAULTS[cause.fault];
  return errorAnswer(status, code, oneLine(cause));
}

/** Returns the handler of `/functions/v1/<slug>[/…]`. */
export function createFunctionsRoute(
  options: FunctionsRouteOptions,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const slug = new URL(request.url).pathname.slice(PREFIX.length + 1).split("/")[0] ?? "";
    const target = options.find(slug);
    if (target === undefined) {
      return errorAnswer(404, "NOT_FOUND", "Requested function was not found");
    }
    if (!METHODS.has(request.method)) {
      return errorAnswer(405, "METHOD_NOT_ALLOWED", `Method ${request.method} is not allowed`);
    }
    // A browser's preflight request never carries credentials: the function answers it.
    if (target.spec.verifyJwt && request.method !== "OPTIONS") {
      const refusal = await options.checkJwt(request.headers);
      if (refusal !== null) return errorAnswer(401, refusal.code, refusal.message);
    }
    return await target.fetch(forwarded(request)).catch(failureAnswer);
  };
}
