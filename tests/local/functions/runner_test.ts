import assert from "node:assert/strict";
import { join } from "node:path";
import { isProcessAlive } from "../../../local/processes.ts";
import { FunctionFailure } from "../../../local/functions/function_failure.ts";
import { PLATFORM_DENO_VERSION } from "../../../local/functions/deno_binary.ts";
import { waitFor } from "../../support/wait_for.ts";
import { call, serveSources } from "./fixture.ts";

const ECHO = `
export default {
  async fetch(request: Request) {
    return Response.json({
      path: new URL(request.url).pathname,
      method: request.method,
      header: request.headers.get("x-test"),
      body: await request.text(),
      deno: Deno.version.deno,
      pid: Deno.pid,
      names: Object.keys(Deno.env.toObject()),
    });
  },
};`;

Deno.test("a function runs in its own process under the platform's Deno, and the first request waits for it", async () => {
  await using served = await serveSources({ echo: ECHO });
  const answer = await call(served, "echo", "/deep?x=1", {
    method: "PUT",
    headers: { "x-test": "passed" },
    body: "hello",
  });
  const seen = await answer.json();
  assert.equal(answer.status, 200);
  assert.deepEqual([seen.path, seen.method, seen.header, seen.body], [
    "/echo/deep",
    "PUT",
    "passed",
    "hello",
  ]);
  assert.equal(
    seen.deno,
    Deno.env.get("CONNECTOR_FUNCTIONS_DENO") ? seen.deno : PLATFORM_DENO_VERSION,
  );
  assert.equal(seen.pid, served.functions.pids()["echo"]);
});

Deno.test("a function sees the environment it is given and none of this process's own", async () => {
  Deno.env.set("LEAKED_TO_FUNCTIONS", "yes");
  await using served = await serveSources({ echo: ECHO }, { env: { CONNECTOR_ENVIRONMENT: "x" } });
  const seen = await (await call(served, "echo")).json();
  Deno.env.delete("LEAKED_TO_FUNCTIONS");
  assert(seen.names.includes("CONNECTOR_ENVIRONMENT"));
  assert.equal(seen.names.includes("LEAKED_TO_FUNCTIONS"), false);
});

Deno.test("ready() names the function that cannot start and the function's own reason", async () => {
  const broken = `throw new Error("The setting CONNECTOR_X is missing");`;
  await using served = await serveSources({ broken });
  await assert.rejects(
    served.functions.ready(),
    /Cannot start the function "broken": Error: The setting CONNECTOR_X is missing \(log: /,
  );
  await assert.rejects(call(served, "broken"), (cause) => {
    assert(cause instanceof FunctionFailure);
    assert.equal(cause.fault, "boot_error");
    return true;
  });
});

Deno.test("a function that dies with a request in its hands is started again", async () => {
  const fatal = `
export default {
  fetch(request: Request) {
    if (request.url.endsWith("/die")) Deno.exit(9);
    return Response.json({ pid: Deno.pid });
  },
};`;
  await using served = await serveSources({ fatal });
  const before = await (await call(served, "fatal")).json();
  await assert.rejects(call(served, "fatal", "/die"), (cause) => {
    assert(cause instanceof FunctionFailure);
    assert.equal(cause.fault, "worker_limit");
    assert.match(cause.message, /status 9/);
    return true;
  });
  const after = await (await call(served, "fatal")).json();
  assert.notEqual(after.pid, before.pid);
  assert.equal(isProcessAlive(before.pid), false);
});

Deno.test("a function that gives no answer fails with idle_timeout and lives on", async () => {
  const slow = `
export default {
  fetch: (request: Request) =>
    request.url.endsWith("/never") ? new Promise(() => {}) : new Response("fast"),
};`;
  await using served = await serveSources({ slow }, { idleTimeoutMs: 3_000 });
  await served.functions.ready();
  await assert.rejects(call(served, "slow", "/never"), (cause) => {
    assert(cause instanceof FunctionFailure);
    assert.equal(cause.fault, "idle_timeout");
    return true;
  });
  assert.equal(await (await call(served, "slow")).text(), "fast");
});

Deno.test("a function that exceeds its memory dies with worker_limit", async () => {
  const greedy = `
export default {
  fetch() {
    const kept: unknown[] = [];
    while (true) kept.push(new Array(100_000).fill(0).map(() => ({})));
  },
};`;
  await using served = await serveSources({ greedy });
  await served.functions.ready();
  await assert.rejects(call(served, "greedy"), /ran out of memory/);
});

Deno.test("stop() announces the end with beforeunload and lets background work finish", async () => {
  const background = `
declare const EdgeRuntime: { waitUntil(work: Promise<unknown>): void };
const ending = Promise.withResolvers<string>();
addEventListener("beforeunload", (event) => {
  ending.resolve(event instanceof CustomEvent ? event.detail.reason : "unknown");
});
export default {
  fetch() {
    EdgeRuntime.waitUntil(ending.promise.then((reason) => console.log("told:", reason)));
    return new Response("accepted", { status: 202 });
  },
};`;
  const served = await serveSources({ background });
  assert.equal((await call(served, "background")).status, 202);
  const pid = served.functions.pids()["background"] ?? 0;
  await served.functions.stop();
  const log = await Deno.readTextFile(join(served.logFolder, "background.log"));
  await served[Symbol.asyncDispose]();
  assert.match(log, /told: termination/);
  assert.equal(isProcessAlive(pid), false);
});

Deno.test("a function ends by itself when the process that started it is killed", async () => {
  const root = await Deno.makeTempDir();
  const program = `
import { serveSources } from "${new URL("./fixture.ts", import.meta.url).href}";
const served = await serveSources({ echo: "export default { fetch: () => new Response() };" });
await served.functions.ready();
console.log(JSON.stringify([served.root, served.functions.pids().echo]));
await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const path = join(root, "parent.ts");
  await Deno.writeTextFile(path, program);
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-lock", `--config=${config}`, path],
    stdout: "piped",
  }).spawn();
  const reader = parent.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "[]" } = await reader.read();
  const [served, pid] = JSON.parse(value);
  assert.equal(isProcessAlive(pid), true);
  parent.kill("SIGKILL");
  await parent.status;
  await reader.cancel();
  await waitFor("the function to end", () => !isProcessAlive(pid));
  await Deno.remove(root, { recursive: true });
  await Deno.remove(served, { recursive: true });
});
