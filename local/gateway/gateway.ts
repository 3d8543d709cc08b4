import type { RunningFunction } from "../functions/runner.ts";
import type { StackKeys } from "../keys.ts";
import { CORS_HEADERS, errorAnswer, preflightAnswer, withCors } from "./answers.ts";
import { createFunctionsRoute } from "./functions_route.ts";
import { createJwtCheck } from "./verify_jwt.ts";

const REST_PREFIX = "/rest/v1";
const USER_PATH = /^\/auth\/v1\/admin\/users\/([^/]+)$/;

/** Answers one request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** What the gateway leads to. */
export interface GatewayOptions {
  readonly keys: StackKeys;
  readonly findFunction: (slug: string) => RunningFunction | undefined;
  /** The REST API, at `/rest/v1/…`. */
  readonly rest: Handler;
  /** Those whom Auth knows; without, there is no Auth to be asked. */
  readonly users?: readonly StackUser[];
}

/** A user, as far as anybody asks. */
export interface StackUser {
  readonly id: string;
  readonly email: string;
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
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
    if (isBelow(path, REST_PREFIX)) return withCors(await options.rest(request));
    if (path === "/auth/v1/.well-known/jwks.json" && request.method === "GET") {
      return Response.json(options.keys.jwks, { headers: CORS_HEADERS });
    }
    const [, userId] = USER_PATH.exec(path) ?? [];
    if (userId !== undefined && options.users !== undefined && request.method === "GET") {
      return userAnswer(request, userId, options.users, options.keys);
    }
    return errorAnswer(404, "NOT_FOUND", `No route matches ${path}`);
  };
}

/** Auth's answer to who holds the secret key, as far as the commands ask. */
function userAnswer(
  request: Request,
  id: string,
  users: readonly StackUser[],
  { secretKey }: StackKeys,
): Response {
  if (request.headers.get("apikey") !== secretKey) {
    return errorAnswer(401, "no_authorization", "This endpoint requires the secret key");
  }
  const user = users.find((candidate) => candidate.id === id.toLowerCase());
  if (user === undefined) {
    const failure = { code: 404, error_code: "user_not_found", msg: "User not found" };
    return Response.json(failure, { status: 404, headers: CORS_HEADERS });
  }
  return Response.json(user, { headers: CORS_HEADERS });
}
