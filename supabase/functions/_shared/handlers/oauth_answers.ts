/** Whether the caller follows no redirect to another origin, as `fetch` in a browser cannot. */
export function wantsJson(request: Request): boolean {
  return request.headers.get("accept")?.includes("application/json") ?? false;
}

/** Sends the browser on. */
export function redirectAnswer(status: 302 | 303, location: string): Response {
  return new Response(null, { status, headers: { location } });
}

/**
 * What a person sees who came from no page of the project. The platform shows no HTML:
 * https://supabase.com/docs/guides/functions/limits
 */
export function connectedAnswer(): Response {
  return new Response("Connected. You can close this window.\n", {
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}

/** These addresses carry codes and states: no cache keeps the answer, and no other page learns them. */
export function withPrivacy(response: Response): Response {
  response.headers.set("cache-control", "no-store");
  response.headers.set("referrer-policy", "no-referrer");
  return response;
}
