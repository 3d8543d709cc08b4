import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { denoSystemEnvironment, findFunctionsDeno } from "../../local/functions/deno_binary.ts";
import { serveHttp } from "../../local/emulator/http_server.ts";
import { freshFetch } from "../../supabase/functions/_shared/http/fresh_fetch.ts";

const SENDER = fileURLToPath(new URL("send_once.ts", import.meta.url));
const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/**
 * A server that answers the first request and keeps its connection, then reads each further one and
 * breaks off. It speaks no HTTP of a library's, which might hide a request that was sent again.
 */
async function withBreakingServer(
  test: (url: string, requests: readonly string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const server = createServer((socket) => {
    let text = "";
    // A connection that its client breaks is of no interest.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const [, length, body = ""] = /content-length: (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/i.exec(text) ??
        [];
      if (length === undefined || body.length < Number(length)) return;
      requests.push(body);
      text = "";
      if (requests.length === 1) socket.write(ANSWER);
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  try {
    await test(`http://127.0.0.1:${address.port}/token`, requests);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function sendWith(deno: string, url: string): Promise<string> {
  const { stdout } = await new Deno.Command(deno, {
    args: ["run", "--no-config", "--no-lock", "--no-check", "-A", SENDER, url],
    env: denoSystemEnvironment(),
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("a request for tokens is sent once, though the connection breaks after it was read", () =>
  withBreakingServer(async (url, requests) => {
    assert.equal(await sendWith(Deno.execPath(), url), "TypeError");
    assert.deepEqual(requests, ["first", "refresh_token=used+once"]);
  }));

Deno.test("the platform's Deno sends a request for tokens once too", async () => {
  const { path } = await findFunctionsDeno();
  await withBreakingServer(async (url, requests) => {
    assert.equal(await sendWith(path, url), "TypeError");
    assert.deepEqual(requests, ["first", "refresh_token=used+once"]);
  });
});

Deno.test("freshFetch() gives status, headers and body, follows no redirect, and reads no endless body", async () => {
  const answers: Readonly<Record<string, () => Response>> = {
    "/plain": () => new Response("grüße", { status: 418, headers: { "retry-after": "3" } }),
    "/empty": () => new Response(null, { status: 204 }),
    "/away": () => new Response(null, { status: 307, headers: { location: "/plain" } }),
    "/long": () => new Response("x".repeat(300_000)),
  };
  const server = await serveHttp(
    (request) => Promise.resolve(answers[new URL(request.url).pathname]?.() ?? Response.error()),
    { port: 0, hostname: "127.0.0.1" },
  );
  try {
    const ask = (path: string) => freshFetch(`${server.origin}${path}`, { redirect: "error" });
    const plain = await ask("/plain");
    assert.deepEqual(
      [plain.status, plain.headers.get("retry-after"), await plain.text()],
      [418, "3", "grüße"],
    );
    assert.equal((await ask("/empty")).status, 204);
    await assert.rejects(ask("/away"), TypeError);
    await assert.rejects(ask("/long"), TypeError);
    await assert.rejects(
      freshFetch(`${server.origin}/plain`, { signal: AbortSignal.abort(new Error("over")) }),
      /over/,
    );
  } finally {
    await server.stop();
  }
});
