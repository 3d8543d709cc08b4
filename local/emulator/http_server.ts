import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Buffer } from "node:buffer";
import { ConnectionReset } from "./connection_reset.ts";

const LARGEST_BODY_BYTES = 4 * 1024 * 1024;

/** A server that is listening. */
export interface HttpServer {
  readonly origin: string;
  /** Breaks open connections and stops. */
  stop(): Promise<void>;
}

/**
 * Serves `handle` over HTTP. Node's server is used, not `Deno.serve`, because a fault must be able
 * to break a connection before any answer.
 */
export async function serveHttp(
  handle: (request: Request) => Promise<Response>,
  options: { readonly port: number; readonly hostname: string },
): Promise<HttpServer> {
  let origin = "";
  const server = createServer((incoming, outgoing) => {
    answer(handle, origin, incoming, outgoing).catch((error: unknown) => {
      // A caller that has gone away needs no answer.
      if (outgoing.destroyed) return;
      if (error instanceof ConnectionReset || outgoing.headersSent) {
        incoming.socket.destroy();
        return;
      }
      outgoing.writeHead(500);
      outgoing.end(`The emulator failed: ${String(error)}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.hostname, () => resolve());
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  origin = `http://${options.hostname}:${port}`;
  return {
    origin,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  handle: (request: Request) => Promise<Response>,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const abort = new AbortController();
  outgoing.once("close", () => abort.abort());
  const response = await handle(await readRequest(incoming, origin, abort.signal));
  if (outgoing.destroyed) return;
  const body = Buffer.from(await response.arrayBuffer());
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    "content-length": String(body.length),
  });
  outgoing.end(body);
}

async function readRequest(
  incoming: IncomingMessage,
  origin: string,
  signal: AbortSignal,
): Promise<Request> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST_BODY_BYTES) throw new ConnectionReset("The request's body is too large");
    chunks.push(bytes);
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const method = incoming.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD";
  // The caller may know this machine by another name. The path may begin with `//`, which must not
  // be taken for a host.
  const base = /^[A-Za-z0-9.-]+(?::\d+)?$/.test(headers.get("host") ?? "")
    ? `http://${headers.get("host")}`
    : origin;
  const url = `${base}/${(incoming.url ?? "/").replace(/^\/+/, "")}`;
  return new Request(url, {
    method,
    headers,
    signal,
    ...(hasBody ? { body: Buffer.concat(chunks).toString("utf8") } : {}),
  });
}
