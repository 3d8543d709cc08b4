/**
 * Serves one function in a process of its own, as the platform's runtime would: the function's
 * default export answers, `EdgeRuntime.waitUntil` keeps background work, and `beforeunload` says
 * that the end is near. Runs under the platform's version of Deno and so uses nothing newer.
 *
 * Arguments: the file URL of the function's `index.ts`.
 * Standard output, first line: `{"listening":<port>}`. Standard input: when it closes, the process
 * that started this one is gone, and this one ends too.
 */
import process from "node:process";

/** How long work in hand may go on once the end has been announced. */
const GRACE_MS = 4_000;

type Handler = (request: Request) => Response | Promise<Response>;

const background = new Set<Promise<unknown>>();

/** Keeps the process until `work` has settled, or until its time is up. */
function waitUntil<Work>(work: Promise<Work>): Promise<Work> {
  const settled = work.then(
    () => {},
    (cause) => process.stderr.write(`background work failed: ${describe(cause)}\n`),
  ).finally(() => background.delete(settled));
  background.add(settled);
  return work;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.stack ?? cause.message : String(cause);
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

/** Returns the handler a function module exports: `export default { fetch }`. */
function handlerOf(module: unknown): Handler {
  if (typeof module === "object" && module !== null && "default" in module) {
    const exported = module.default;
    if (typeof exported === "object" && exported !== null && "fetch" in exported) {
      const { fetch: handler } = exported;
      if (isHandler(handler)) return (request) => handler.call(exported, request);
    }
  }
  throw new Error("Cannot serve the function as it has no `export default { fetch }`");
}

/** As the platform answers when a handler throws: the details are in the log alone. */
async function answer(handler: Handler, request: Request): Promise<Response> {
  try {
    return await handler(request);
  } catch (cause) {
    process.stderr.write(`handler failed: ${describe(cause)}\n`);
    const body = { code: "EDGE_FUNCTION_ERROR", message: "The function threw an error" };
    return Response.json(body, { status: 500, headers: { "sb-error-code": body.code } });
  }
}

async function main(entrypoint: string): Promise<void> {
  Object.defineProperty(globalThis, "EdgeRuntime", { value: { waitUntil } });
  const handler = handlerOf(await import(entrypoint));
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => process.stdout.write(`${JSON.stringify({ listening: port })}\n`),
  }, (request) => answer(handler, request));

  let ending = false;
  async function end(): Promise<void> {
    if (ending) return;
    ending = true;
    const deadline = setTimeout(() => Deno.exit(0), GRACE_MS);
    globalThis.dispatchEvent(
      new CustomEvent("beforeunload", { detail: { reason: "termination" } }),
    );
    await server.shutdown();
    while (background.size > 0) await Promise.allSettled([...background]);
    clearTimeout(deadline);
    Deno.exit(0);
  }

  Deno.addSignalListener("SIGTERM", end);
  // A terminal sends Ctrl-C to every process of its group; the parent decides the order of ending.
  Deno.addSignalListener("SIGINT", () => {});
  await Deno.stdin.readable.pipeTo(new WritableStream());
  await end();
}

const [entrypoint] = Deno.args;
if (entrypoint === undefined) throw new Error("Cannot serve: no function given");
await main(entrypoint);
