import { Buffer } from "node:buffer";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";

/** No answer to a request for tokens is longer. */
const LONGEST_BODY_BYTES = 256 * 1024;

/** Statuses whose answers have no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * `fetch`, over a connection of its own, with the answer's body already read. The runtime's own
 * `fetch` may send a request a second time when the kept connection it chose turns out to be dead,
 * though the server may have acted on the first: a code or a refresh token that is good for one use
 * would be spent. The same goes for HTTP/2, where many requests share one connection. Node's client
 * is used since the platform's functions have no `Deno.createHttpClient`. Redirects are not followed,
 * whatever `init` says: they throw.
 */
export async function freshFetch(
  input: URL | RequestInfo,
  init: RequestInit = {},
): Promise<Response> {
  const request = new Request(input, init);
  const body = Buffer.from(await request.arrayBuffer());
  const message = await send(request, body);
  const status = message.statusCode ?? 0;
  if (status >= 300 && status < 400 && status !== 304) {
    message.destroy();
    throw new TypeError(`The answer is a redirect (status ${status}), which is not followed`);
  }
  const content = await readBody(message);
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return new Response(WITHOUT_BODY.has(status) ? null : content, { status, headers });
}

function send(request: Request, body: Buffer): Promise<IncomingMessage> {
  const url = new URL(request.url);
  const open = url.protocol === "https:" ? requestSecure : requestPlain;
  const headers = {
    ...Object.fromEntries(request.headers),
    // Nothing here unpacks an answer.
    "accept-encoding": "identity",
    "content-length": String(body.byteLength),
    connection: "close",
  };
  return new Promise((resolve, reject) => {
    const { method, signal } = request;
    const sent = open(url, { method, headers, agent: false }, resolve);
    // The platform's client says nothing at all of a connection that ends without an answer: then the
    // time limit, which is the signal's, ends the waiting.
    const stop = () => {
      reject(signal.reason);
      sent.destroy();
    };
    signal.addEventListener("abort", stop, { once: true });
    sent.on("error", (cause) => reject(new TypeError("The connection failed", { cause })));
    sent.on("close", () => {
      signal.removeEventListener("abort", stop);
      reject(new TypeError("The connection ended without an answer"));
    });
    sent.end(body);
    if (signal.aborted) stop();
  });
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    // Leaving the loop by throwing destroys the message, so nothing more of it is received.
    if (bytes > LONGEST_BODY_BYTES) throw new TypeError("The answer is too long to hold tokens");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
