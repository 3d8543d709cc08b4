import assert from "node:assert/strict";
import { z } from "zod";
import { readRequestId } from "../../supabase/functions/_shared/http/answers.ts";
import {
  createBackground,
  findEdgeRuntime,
} from "../../supabase/functions/_shared/http/background.ts";
import { readJsonBody } from "../../supabase/functions/_shared/http/body.ts";
import { secretsEqual } from "../../supabase/functions/_shared/http/secrets_equal.ts";
import { createTimedFetch } from "../../supabase/functions/_shared/http/timed_fetch.ts";
import { createLog } from "../../supabase/functions/_shared/log.ts";

const Body = z.object({ leases: z.array(z.object({ id: z.number() })).default([]) });

function post(body: BodyInit | null): Request {
  return new Request("http://functions.test/", { method: "POST", body });
}

Deno.test("readJsonBody() parses a body and takes an empty one as {}", async () => {
  assert.deepEqual(await readJsonBody(post('{"leases":[{"id":1}]}'), Body), {
    leases: [{ id: 1 }],
  });
  assert.deepEqual(await readJsonBody(post(null), Body), { leases: [] });
  assert.deepEqual(await readJsonBody(post(" "), Body), { leases: [] });
});

Deno.test("readJsonBody() names the field that is wrong", async () => {
  await assert.rejects(readJsonBody(post('{"leases":[{"id":"x"}]}'), Body), {
    status: 400,
    code: "body_invalid",
    message: /leases\.0\.id/,
  });
});

Deno.test("readJsonBody() stops reading a body without a length at 64 KiB", async () => {
  let chunks = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      chunks++;
      controller.enqueue(new Uint8Array(1024));
    },
  });
  await assert.rejects(readJsonBody(post(endless), Body), { status: 413, code: "body_too_large" });
  assert.ok(chunks < 100, `${chunks} chunks were read`);
});

Deno.test("readJsonBody() keeps characters that are cut between two chunks", async () => {
  const bytes = new TextEncoder().encode('{"name":"Größe"}');
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  assert.deepEqual(await readJsonBody(post(stream), z.object({ name: z.string() })), {
    name: "Größe",
  });
});

Deno.test("readRequestId() takes the caller's id only when it is harmless", () => {
  const idOf = (headers: Record<string, string>) =>
    readRequestId(new Request("http://functions.test/", { headers }), () => "new");
  assert.equal(idOf({ "x-request-id": "abc-12345" }), "abc-12345");
  assert.equal(idOf({ "sb-request-id": "0198-platform" }), "0198-platform");
  assert.equal(idOf({ "x-request-id": 'a"},{"forged' }), "new");
  assert.equal(idOf({ "x-request-id": "x".repeat(200) }), "new");
  assert.equal(idOf({}), "new");
});

Deno.test("secretsEqual() compares whole texts of any length", async () => {
  assert.equal(await secretsEqual("abc", "abc"), true);
  assert.equal(await secretsEqual("abc", "abd"), false);
  assert.equal(await secretsEqual("abc", "abcd"), false);
  assert.equal(await secretsEqual("", "a"), false);
});

Deno.test("createBackground() hands work to the platform and logs its failure", async () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const log = createLog({ level: "info", function: "t", write, now: () => new Date(0) });
  const waited: Promise<unknown>[] = [];
  const runtime = { waitUntil: (work: Promise<unknown>) => waited.push(work) };
  createBackground(log, runtime)("dispatch", Promise.reject(new Error("lost the thread")));
  await Promise.all(waited);
  assert.equal(waited.length, 1);
  assert.ok(lines[0]?.includes("background_work_failed") && lines[0].includes("lost the thread"));
});

Deno.test("findEdgeRuntime() finds the platform's runtime and nothing that only looks like it", () => {
  const runtime = { waitUntil: () => {} };
  assert.equal(findEdgeRuntime({ EdgeRuntime: runtime }), runtime);
  assert.equal(findEdgeRuntime({ EdgeRuntime: {} }), null);
  assert.equal(findEdgeRuntime({}), null);
});

Deno.test("createTimedFetch() refuses redirects and ends with the caller's or its own signal", async () => {
  const seen: RequestInit[] = [];
  const fetch = (_input: URL | RequestInfo, init: RequestInit = {}) => {
    seen.push(init);
    return Promise.resolve(new Response());
  };
  const [own, caller] = [new AbortController(), new AbortController()];
  const timed = createTimedFetch({ fetch, timeoutMs: 60_000, signal: own.signal });
  await timed("http://a.test/", { method: "POST", redirect: "follow", signal: caller.signal });
  await timed("http://a.test/");
  const [first, second] = seen;
  assert.equal(first?.redirect, "error");
  assert.equal(first.method, "POST");
  caller.abort();
  assert.equal(first.signal?.aborted, true);
  assert.equal(second?.signal?.aborted, false);
  own.abort();
  assert.equal(second.signal.aborted, true);
});
