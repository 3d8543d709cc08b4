import { FunctionFailure } from "./function_failure.ts";
import { type Ending, launch, type Launched, type LaunchOptions } from "./launch.ts";

const STOP_DEADLINE_MS = 6_000;
const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 10_000;
/** A process that has lived this long was healthy: its next crash counts as the first again. */
const HEALTHY_AFTER_MS = 5_000;

/** Options of {@linkcode serveFunction}. */
export interface FunctionProcessOptions extends Omit<LaunchOptions, "env"> {
  /** Makes the environment of the next process: each has an execution id of its own. */
  readonly env: () => Readonly<Record<string, string>>;
  /** How long a request may stay without an answer. */
  readonly idleTimeoutMs: number;
  /** Told of a process that ended by itself. */
  readonly onCrash: (message: string) => void;
}

/** A function and the process that serves it, whichever that is at the moment. */
export interface FunctionProcess {
  /** Waits until it listens; rejects with a `BootError` when it cannot start. */
  ready(): Promise<void>;
  /** The process id, or null between two processes. */
  pid(): number | null;
  /** Passes a request on, path and all; rejects with {@linkcode FunctionFailure}. */
  fetch(request: Request): Promise<Response>;
  stop(): Promise<void>;
}

/** Serves a function in a process of its own, started at once and again whenever it dies. */
export function serveFunction(options: FunctionProcessOptions): FunctionProcess {
  let current: Launched | null = null;
  let port: Promise<number>;
  let crashes = 0;
  let isStopping = false;
  let restartTimer: ReturnType<typeof setTimeout> | undefined;

  function start(): Promise<number> {
    const startedAt = Date.now();
    const launched = launch({ ...options, env: options.env() });
    let hasBooted = false;
    launched.port.then(() => hasBooted = true, () => {});
    void launched.ended.then((ending) => {
      current = null;
      if (isStopping) return;
      // One that was asked to end did not crash.
      const isOrderly = hasBooted && ending.code === 0;
      crashes = isOrderly || Date.now() - startedAt > HEALTHY_AFTER_MS ? 1 : crashes + 1;
      startAgain(hasBooted, ending);
    });
    current = launched;
    return launched.port;
  }

  function startAgain(hasBooted: boolean, ending: Ending): void {
    const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** (crashes - 1), LONGEST_BACKOFF_MS);
    const how = ending.signal ?? `status ${ending.code}`;
    options.onCrash(`ended with ${how}; starts again in ${waitMs} ms`);
    const next = Promise.withResolvers<number>();
    next.promise.catch(() => {});
    // Requests wait for the next process; after a failed boot they are told so at once instead.
    if (hasBooted) port = next.promise;
    restartTimer = setTimeout(() => {
      port = start();
      next.resolve(port);
    }, waitMs);
  }

  port = start();
  return {
    ready: async () => void (await port),
    pid: () => current?.pid ?? null,
    fetch: async (request) => {
      const target = await port.catch((cause) => {
        throw new FunctionFailure("boot_error", "The function cannot start", { cause });
      });
      return await pass(request, target, current, options.idleTimeoutMs);
    },
    async stop() {
      isStopping = true;
      clearTimeout(restartTimer);
      await current?.stop(STOP_DEADLINE_MS);
    },
  };
}

/** Sends `request` to a process and streams both bodies. */
async function pass(
  request: Request,
  port: number,
  worker: Launched | null,
  idleTimeoutMs: number,
): Promise<Response> {
  const address = new URL(request.url);
  const target = `http://127.0.0.1:${port}${address.pathname}${address.search}`;
  const headers = new Headers(request.headers);
  // Compression between two processes of one machine only costs time.
  headers.set("accept-encoding", "identity");
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), idleTimeoutMs);
  try {
    return await fetch(target, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      signal: idle.signal,
    });
  } catch (cause) {
    if (idle.signal.aborted) {
      throw new FunctionFailure("idle_timeout", "The function gave no answer in time", { cause });
    }
    throw new FunctionFailure("worker_limit", await endingOf(worker), { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Says how the process that held a request ended. */
async function endingOf(worker: Launched | null): Promise<string> {
  const timeout = new Promise<null>((resolve) => setTimeout(() => resolve(null), 1_000));
  const ending = worker === null ? null : await Promise.race([worker.ended, timeout]);
  if (ending === null) return "The function closed the connection";
  const isMemory = ending.lastLines.some((line) => line.includes("out of memory"));
  return isMemory
    ? "The function ran out of memory"
    : `The function's process ended with ${ending.signal ?? `status ${ending.code}`}`;
}
