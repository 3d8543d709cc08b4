import { errorAnswer, readRequestId, REQUEST_ID_HEADER } from "../http/answers.ts";
import { allowAnyOrigin, preflightAnswer } from "../http/cors.ts";
import { HttpError, toRefusal } from "../http/http_error.ts";
import { type Log, logWith } from "../log.ts";
import type { FunctionDeps } from "./function_deps.ts";
import { type Audience, hideSettings } from "./hide_settings.ts";

/** What goes with one request. */
export interface RequestContext {
  readonly requestId: string;
  /** Repeats the request's id on every line. */
  readonly log: Log;
}

/** Answers one request; whatever it throws becomes an error answer. */
export type Answer = (request: Request, context: RequestContext) => Promise<Response>;

/** One function: the methods it knows, and what it does once its settings are read. */
export interface FunctionPlan {
  readonly methods: readonly string[];
  /** Web pages may call it. */
  readonly allowsBrowsers: boolean;
  /** Who is told which setting cannot be read: the function itself checks its callers. */
  readonly audience: Audience;
  /** Reads the settings and opens clients; called once, at the first request. */
  readonly prepare: () => Answer;
}

/** A function as the platform calls it. */
export type Handler = (request: Request) => Promise<Response>;

/** What a handler itself touches. */
type HandlerDeps = Pick<FunctionDeps, "env" | "log" | "newId">;

/**
 * Wraps a function: request id, methods, CORS, settings read once, and errors as
 * `{code, message, request_id}`.
 */
export function createHandler(deps: HandlerDeps, plan: FunctionPlan): Handler {
  const prepared = prepareOnce(plan);
  return async function handle(request) {
    const requestId = readRequestId(request, deps.newId);
    const log = logWith(deps.log, { request_id: requestId });
    const work: Work = { plan, prepared, env: deps.env };
    const response = await answer(work, request, { requestId, log });
    response.headers.set(REQUEST_ID_HEADER, requestId);
    return plan.allowsBrowsers ? allowAnyOrigin(response) : response;
  };
}

/** The function behind a handler: ready to answer, or why it never will be. */
type Prepared = { readonly answer: Answer } | { readonly error: unknown };

interface Work extends Pick<FunctionDeps, "env"> {
  readonly plan: FunctionPlan;
  readonly prepared: () => Prepared;
}

async function answer(
  { plan, prepared, env }: Work,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  if (request.method === "OPTIONS" && plan.allowsBrowsers) return preflightAnswer(plan.methods);
  try {
    checkMethod(request.method, plan.methods);
    const ready = prepared();
    if ("error" in ready) throw await hideSettings(ready.error, request, plan.audience, env);
    return await ready.answer(request, context);
  } catch (thrown) {
    const refusal = toRefusal(thrown);
    const fields = { code: refusal.code, status: refusal.status, cause: thrown };
    if (refusal.status >= 500) context.log.error("request_failed", fields);
    else context.log.info("request_refused", fields);
    return errorAnswer(refusal, context.requestId);
  }
}

function checkMethod(method: string, methods: readonly string[]): void {
  if (methods.includes(method)) return;
  const allow = methods.join(", ");
  throw new HttpError("method_not_allowed", `This function answers ${allow} only.`, {
    headers: { allow },
  });
}

// A worker's environment never changes: what it lacks at the first request, it lacks at the last.
function prepareOnce(plan: FunctionPlan): () => Prepared {
  let result: Prepared | null = null;
  return () => {
    if (result !== null) return result;
    try {
      result = { answer: plan.prepare() };
    } catch (error) {
      result = { error };
    }
    return result;
  };
}
