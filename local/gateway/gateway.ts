import { StackError } from "../failure.ts";
import type { RunningFunction } from "../functions/runner.ts";
import type { StackKeys } from "../keys.ts";
import { CORS_HEADERS, errorAnswer, preflightAnswer, withCors } from "./answers.ts";
import { createFunctionsRoute } from "./functions_route.ts";
import { createJwtCheck } from "./verify_jwt.ts";

const REST_PREFIX = "/rest/v1";

/** Answers one request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** What the gateway leads to. */
export interface GatewayOptions {
  readonly keys: StackKeys;
  readonly findFunction: (slug: string) => RunningFunction | undefined;
  /** The REST API; it sees the path below `/rest/v1`. */
  readonly rest: Handler;
  readonly onError?: (cause: unknown) => void;
}

/** A listening gateway. */
export interface Gateway {
  readonly port: number;
  stop(): Promise<void>;
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

function restRequest(request: Request): Request {
  const url = new URL(request.url);
  url.pathname = url.pathname.slice(REST_PREFIX.length) || "/";
  return new Request(url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
    signal: request.signal,
  });
}

/** Returns the handler of the whole API address: REST, functions and the public signing keys. */
export function createGatewayHandler(options: GatewayOptions): Handler {
  const functions = createFunctionsRoute({
    find: options.findFunction,
    checkJwt: createJwtCheck(options.keys),
  });

  return async (request) => {
    const path = new URL(request.url).pathname;
    if (isBelow(path, "/functions/v1")) return await functions(request);
    if (request.method === "OPTIONS") return preflightAnswer(request);
    if (isBelow(path, REST_PREFIX)) return withCors(await options.rest(restRequest(request)));
    if (path === "/auth/v1/.well-known/jwks.json" && request.method === "GET") {
      return Response.json(options.keys.jwks, { headers: CORS_HEADERS });
    }
    return errorAnswer(404, "NOT_FOUND", `No route matches ${path}`);
  };
}

/** Listens on `port` (0 picks a free one) of this machine alone. */
export function startGateway(port: number, options: GatewayOptions): Gateway {
  const handler = createGatewayHandler(options);
  try {
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port,
      onListen: () => {},
      onError: (cause) => {
        options.onError?.(cause);
        return errorAnswer(500, "INTERNAL", "The gateway failed; see its log");
      },
    }, handler);
    return { port: server.addr.port, stop: () => stop(server) };
  } catch (cause) {
    if (cause instanceof Deno.errors.AddrInUse) {
      throw new StackError(
        `Cannot listen on port ${port} as it is in use: stop what uses it, or choose --api-port`,
        { cause },
      );
    }
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new StackError(`Cannot listen on port ${port}: permission denied`, { cause });
    }
    throw cause;
  }
}

/** Lets answers under way end, but waits for none of them long. */
async function stop(server: Deno.HttpServer): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const handle = setTimeout(timer.resolve, 2_000);
  await Promise.race([server.shutdown(), timer.promise]);
  clearTimeout(handle);
}
