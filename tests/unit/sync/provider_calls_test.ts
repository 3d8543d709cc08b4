import assert from "node:assert/strict";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { Secret } from "../../../supabase/functions/_shared/log.ts";
import type { HttpFailure } from "../../../supabase/functions/_shared/providers/types.ts";
import { createPagePlace } from "../../../supabase/functions/_shared/sync/page_place.ts";
import { createSlots } from "../../../supabase/functions/_shared/sync/slots.ts";
import { SliceOver } from "../../../supabase/functions/_shared/sync/slice_over.ts";
import { type Answer, failure, json, PAGE, setUp, text } from "./provider_calls_setup.ts";

Deno.test("getJson() sends the token to the provider and reads the answer", async () => {
  const { get, sent } = setUp([json({ files: [] })]);
  assert.deepEqual(await get(), { files: [] });
  assert.deepEqual(sent, [{ url: PAGE.href, authorization: "Bearer first", redirect: "error" }]);
});

Deno.test("getJson() refuses every other origin before it sends the token", async () => {
  const { get, sent } = setUp([]);
  for (
    const url of [
      "https://evil.example/files",
      "http://api.example/files",
      "https://api.example:444/files",
      "https://api.example.evil.example/files",
    ]
  ) {
    assert.equal((await failure(get(new URL(url)))).code, "response_invalid", url);
  }
  assert.equal(sent.length, 0);
});

Deno.test("getJson() repeats a call that is unavailable, with growing waits", async () => {
  const { get, sent, clock } = setUp([
    text("", 503),
    text("<html>bad gateway</html>", 502),
    json({ error: {} }, 500),
    json({ ok: true }),
  ]);
  assert.deepEqual(await get(), { ok: true });
  assert.equal(sent.length, 4);
  assert.deepEqual(clock.waits, [250, 500, 1000]);
});

Deno.test("getJson() repeats a call whose connection broke", async () => {
  const { get } = setUp([
    () => Promise.reject(new TypeError("connection reset")),
    () => {
      const broken = new ReadableStream({
        start: (controller) => controller.error(new TypeError("connection closed early")),
      });
      return new Response(broken);
    },
    json({ ok: true }),
  ]);
  assert.deepEqual(await get(), { ok: true });
});

Deno.test("getJson() gives up after five attempts and counts each one", async () => {
  const { get, calls, sent } = setUp(Array.from({ length: 5 }, () => text("", 503)));
  assert.equal((await failure(get())).code, "unavailable");
  assert.equal(sent.length, 5);
  assert.equal(calls.takeCount(), 5);
  assert.equal(calls.takeCount(), 0);
  calls.giveBack(5);
  assert.equal(calls.takeCount(), 5);
});

Deno.test("getJson() waits as long as Retry-After asks, in seconds or as a date", async () => {
  const { get, clock } = setUp([
    text("", 429, { "retry-after": "4" }),
    text("", 429, { "retry-after": "Sun, 22 Nov 2026 12:00:10 GMT" }),
    json({ ok: true }),
  ]);
  await get();
  assert.deepEqual(clock.waits, [4_000, 6_000]);
});

Deno.test("getJson() makes everybody wait when the provider asks for fewer calls", async () => {
  const { get, blocks, clock } = setUp([
    text("", 429, { "retry-after": "4" }),
    text("", 429),
    text("", 503),
    json({ ok: true }),
  ]);
  await get();
  assert.deepEqual(blocks, [4, 0.5], "a server that is down has no quota to be kept");
  assert.deepEqual(clock.waits, [4_000, 500, 1_000]);
});

Deno.test("getJson() hands over a wait that is longer than a slice", async () => {
  const { get, clock, blocks } = setUp([text("", 429, { "retry-after": "61" })]);
  const thrown = await failure(get());
  assert.equal(thrown.code, "rate_limited");
  assert.equal(thrown.retryAfterMs, 61_000);
  assert.deepEqual(blocks, [61]);
  assert.deepEqual(clock.waits, []);
});

Deno.test("getJson() leaves a wait that goes beyond the deadline to the next slice", async () => {
  for (const status of [503, 429]) {
    const { get, clock, sent } = setUp([text("", status)]);
    clock.advance(59_900);
    await assert.rejects(get(), SliceOver);
    assert.equal(sent.length, 1);
  }
});

Deno.test("getJson() renews a refused token once and repeats the call once", async () => {
  const { get, sent, refused } = setUp([text("", 401), json({ ok: true })]);
  assert.deepEqual(await get(), { ok: true });
  assert.deepEqual(sent.map(({ authorization }) => authorization), [
    "Bearer first",
    "Bearer second",
  ]);
  assert.deepEqual(refused, ["first"]);
});

Deno.test("getJson() takes a second refusal as bad credentials", async () => {
  const { get, sent } = setUp([text("", 401), text("", 401)]);
  assert.equal((await failure(get())).code, "credentials_invalid");
  assert.equal(sent.length, 2);
});

Deno.test("getJson() does not repeat a call for a token that cannot be replaced", async () => {
  const { get, sent } = setUp([text("", 401)], {
    tokens: { get: () => Promise.resolve(new Secret("only")), invalidate: () => false },
  });
  assert.equal((await failure(get())).code, "credentials_invalid");
  assert.equal(sent.length, 1);
});

Deno.test("getJson() lets the provider judge a failure first, with its parsed body", async () => {
  const seen: HttpFailure[] = [];
  const { get } = setUp([json({ error: { reason: "daily" } }, 403)], {
    provider: {
      displayName: "Example",
      classify(failure) {
        seen.push(failure);
        return { code: "quota_exhausted", message: "Tomorrow." };
      },
    },
  });
  const thrown = await failure(get());
  assert.equal(thrown.code, "quota_exhausted");
  assert.equal(thrown.message, "Tomorrow.");
  assert.deepEqual(seen.map(({ status, body }) => ({ status, body })), [
    { status: 403, body: { error: { reason: "daily" } } },
  ]);
});

Deno.test("getJson() judges by status where the provider does not", async () => {
  const byStatus = {
    400: "response_invalid",
    403: "access_denied",
    404: "scope_not_found",
    410: "response_invalid",
  };
  for (const [status, code] of Object.entries(byStatus)) {
    const { get } = setUp([text("<html>no</html>", Number(status))]);
    assert.equal((await failure(get())).code, code, status);
  }
});

Deno.test("getJson() asks once more for HTML, garbage or an empty body, and then says what came", async () => {
  for (const body of ["<!doctype html><title>Sign in</title>", '{"files":[', ""]) {
    const { get, sent, clock } = setUp([text(body), text(body)]);
    const thrown = await failure(get());
    assert.equal(thrown.code, "response_invalid");
    assert.equal(thrown.isUnreadable, true);
    assert.ok(!thrown.message.includes("html"), thrown.message);
    assert.equal(sent.length, 2);
    assert.deepEqual(clock.waits, [250]);
    const { get: getMended } = setUp([text(body), json({ ok: true })]);
    assert.deepEqual(await getMended(), { ok: true });
  }
});

Deno.test("getJson() repeats an unreadable answer once, however many other failures there were", async () => {
  const { get, sent } = setUp([text("", 503), text("<html>"), text("", 503), text("<html>")]);
  assert.equal((await failure(get())).code, "response_invalid");
  assert.equal(sent.length, 4);
});

Deno.test("getJson() stops reading an answer that never ends", async () => {
  let chunks = 0;
  let cancelled = 0;
  const endless: Answer = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          chunks += 1;
          controller.enqueue(new Uint8Array(1024 * 1024).fill(32));
        },
        cancel() {
          cancelled += 1;
        },
      }),
    );
  const { get, sent } = setUp([endless, endless]);
  const thrown = await failure(get());
  assert.deepEqual([thrown.code, thrown.isUnreadable], ["response_invalid", true]);
  assert.ok(chunks <= 2 * 20, `${chunks} MiB were read`);
  assert.equal(cancelled, sent.length);
});

Deno.test("getJson() gives up an answer that does not come in time", async () => {
  const { get, sent } = setUp([], {
    callTimeoutMs: 5,
    fetch: (_input, init) => {
      sent.push({ url: "", authorization: "", redirect: "" });
      const { promise, reject } = Promise.withResolvers<Response>();
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      return promise;
    },
  });
  assert.equal((await failure(get())).code, "unavailable");
  assert.equal(sent.length, 5);
});

Deno.test("getJson() ends at once, without another attempt, when it is no longer wanted", async () => {
  const stop = new AbortController();
  const { get, sent } = setUp([() => {
    stop.abort(new SyncError("lease_lost", "gone"));
    return new Response("", { status: 503 });
  }]);
  assert.equal((await failure(get(PAGE, stop.signal))).code, "lease_lost");
  assert.equal(sent.length, 1);
});

Deno.test("getJson() ends at once when the worker is being unloaded", async () => {
  const { get, unload, sent } = setUp([]);
  unload.abort();
  await assert.rejects(get(), { name: "AbortError" });
  assert.equal(sent.length, 0);
});

Deno.test("getJson() never puts the token or the answer into an error", async () => {
  for (const status of [400, 401, 403, 404, 429, 500, 200]) {
    const { get } = setUp(Array.from({ length: 5 }, () => text("the raw answer", status)), {
      tokens: { get: () => Promise.resolve(new Secret("t0ken")), invalidate: () => false },
    });
    const { message } = await failure(get());
    assert.ok(!message.includes("t0ken") && !message.includes("raw answer"), message);
  }
});

Deno.test("an answer is read only when there is room for it, and a broken one leaves the room", async () => {
  const broken = new ReadableStream({
    pull: (stream) => stream.error(new TypeError("The connection broke")),
  });
  const { calls } = setUp([() => new Response(broken), json({ page: 1 })]);
  const slots = createSlots(1);
  const leave = await slots.take();
  const place = createPagePlace([slots], () => {});
  let isRead = false;
  const reading = calls.getJson(PAGE, { signal: new AbortController().signal, place }).then(
    (body) => {
      isRead = true;
      return body;
    },
  );
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  assert.equal(isRead, false);
  leave();
  assert.deepEqual(await reading, { page: 1 });
  place.leave();
  (await slots.take())();
});
