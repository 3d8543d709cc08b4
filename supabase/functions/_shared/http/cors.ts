/**
 * Answers may be read from any web page: no cookie is involved, a caller shows a token or a key on
 * each request. The headers are those that `supabase-js` sends (its `cors` module), and ours.
 */
const CORS_HEADERS: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers":
    "authorization, x-client-info, apikey, content-type, x-retry-count, traceparent, tracestate, " +
    "baggage, x-request-id",
  "access-control-expose-headers": "x-request-id, retry-after",
};

/** Adds the headers that let a web page read the answer. */
export function allowAnyOrigin(response: Response): Response {
  for (const [name, value] of Object.entries(CORS_HEADERS)) response.headers.set(name, value);
  return response;
}

/** The answer to a browser's question whether it may call. */
export function preflightAnswer(methods: readonly string[]): Response {
  const headers = {
    "access-control-allow-methods": methods.join(", "),
    "access-control-max-age": "600",
  };
  return allowAnyOrigin(new Response(null, { status: 204, headers }));
}
