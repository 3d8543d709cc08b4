import type { Refusal } from "./http_error.ts";

/** Carries the request's id in both directions. */
export const REQUEST_ID_HEADER = "x-request-id";

const ACCEPTED_ID = /^[\w.:-]{8,128}$/;

/**
 * The id under which a request is found in the logs: the caller's own, the platform's, or a new one.
 */
export function readRequestId(request: Request, newId: () => string): string {
  for (const header of [REQUEST_ID_HEADER, "sb-request-id"]) {
    const id = request.headers.get(header);
    if (id !== null && ACCEPTED_ID.test(id)) return id;
  }
  return newId();
}

/** A JSON answer that no cache keeps. */
export function jsonAnswer(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, "content-type": "application/json", "cache-control": "no-store" },
  });
}

/** The answer to a refused request: `{code, message, request_id}`. */
export function errorAnswer(refusal: Refusal, requestId: string): Response {
  const { code, message, status, headers } = refusal;
  return jsonAnswer({ code, message, request_id: requestId }, status, headers);
}
