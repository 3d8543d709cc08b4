/** No answer to a request for tokens is longer. */
const LONGEST_BODY = 256 * 1024;

/** Statuses whose answers have no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * `fetch`, over a connection of its own, with the answer's body already read. The runtime's own
 * `fetch` may send a request a second time when the kept connection it chose turns out to be dead,
 * though the server may have acted on the first: a code or a refresh token that is good for one use
 * would be spent. The same goes for HTTP/2, where many requests share one connection. The platform has
 * had such clients since 2025 (edge-runtime pull request 515); an older one's `fetch` sends a POST
 * once, so it will do. Node's client is no way out: under Deno 2.1 it is silent of broken connections.
 */
export async function freshFetch(
  input: URL | RequestInfo,
  init: RequestInit = {},
): Promise<Response> {
  const client = createClient();
  try {
    const response = await fetch(input, client === null ? init : { ...init, client });
    const { status, statusText, headers } = response;
    const body = await readBody(response);
    return new Response(WITHOUT_BODY.has(status) ? null : body, { status, statusText, headers });
  } finally {
    client?.close();
  }
}

function createClient(): Deno.HttpClient | null {
  return "createHttpClient" in Deno
    ? Deno.createHttpClient({ poolMaxIdlePerHost: 0, http2: false })
    : null;
}

async function readBody(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  // Leaving the loop by throwing cancels the body, so nothing more of it is received.
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST_BODY) throw new TypeError("The answer is too long to hold tokens");
  }
  return text + decoder.decode();
}
