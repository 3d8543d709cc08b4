/** The headers the platform's gateway puts on every answer of its own and of the REST API. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "content-range, content-location, sb-error-code",
};

/** Answers as the platform does: a code, a sentence, and the code in a header too. */
export function errorAnswer(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, {
    status,
    headers: { ...CORS_HEADERS, "sb-error-code": code },
  });
}

/** Answers a browser's preflight request: anything it asks for is allowed. */
export function preflightAnswer(request: Request): Response {
  const asked = request.headers.get("access-control-request-headers");
  return new Response(null, {
    status: 204,
    headers: {
      ...CORS_HEADERS,
      "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS",
      "access-control-allow-headers": asked ?? "authorization, apikey, content-type, x-client-info",
      "access-control-max-age": "3600",
      vary: "Access-Control-Request-Headers",
    },
  });
}

/** Returns `answer` with the CORS headers added; its body is still streamed. */
export function withCors(answer: Response): Response {
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(CORS_HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return new Response(answer.body, {
    status: answer.status,
    statusText: answer.statusText,
    headers,
  });
}
