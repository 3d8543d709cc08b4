import { join } from "node:path";
import { TextLineStream } from "./text_lines.ts";
import { denoSystemEnvironment } from "./deno_binary.ts";

/**
 * The platform's memory limit of one worker: of its heap as a whole, as Edge Runtime sets it. The
 * engine makes the part for young objects as small as befits that.
 */
export const HEAP_FLAG = "--v8-flags=--max-heap-size=256";
const BOOT_TIMEOUT_MS = 120_000;
/** A crash of the engine prints its reason above a long trace. */
const LAST_LINES = 100;

/** What starts one process of a function. */
export interface LaunchOptions {
  readonly denoPath: string;
  /** The repository: the only folder, besides the temporary one, a function may read. */
  readonly root: string;
  readonly entrypoint: string;
  readonly env: Readonly<Record<string, string>>;
  /** Further files a function may read, such as a credentials file named in its settings. */
  readonly readable: readonly string[];
  readonly onLine: (line: string) => void;
}

/** How a process of a function came to its end. */
export interface Ending {
  readonly code: number;
  readonly signal: string | null;
  /** The last lines it wrote. */
  readonly lastLines: readonly string[];
}

/** One running process of a function. */
export interface Launched {
  readonly pid: number;
  /** The port it listens on; rejects with {@linkcode BootError} when it never listens. */
  readonly port: Promise<number>;
  readonly ended: Promise<Ending>;
  /** Asks it to end; past `deadlineMs` it is killed. */
  stop(deadlineMs: number): Promise<void>;
}

/** A function that could not start; the message is the function's own last word. */
export class BootError extends Error {
  override readonly name = "BootError";
}

function denoArguments(options: LaunchOptions): string[] {
  const temporary = Deno.env.get("TMPDIR") ?? "/tmp";
  const readable = [options.root, temporary, ...options.readable].join(",");
  return [
    "run",
    "--no-lock",
    "--no-prompt",
    "--quiet",
    `--config=${join(options.root, "deno.json")}`,
    HEAP_FLAG,
    "--allow-net",
    "--allow-env",
    "--allow-sys",
    `--allow-read=${readable}`,
    `--allow-write=${temporary}`,
    join(import.meta.dirname ?? ".", "serve.ts"),
    new URL(`file://${options.entrypoint}`).href,
  ];
}

function portIn(line: string): number | null {
  if (!line.startsWith('{"listening":')) return null;
  const port = Number(line.slice('{"listening":'.length, -1));
  return Number.isInteger(port) ? port : null;
}

/** Picks the line of a crash that says what went wrong. */
function reasonIn(lines: readonly string[]): string {
  const told = lines.find((line) => line.startsWith("error: "));
  const reason = told?.replace(/^error: (Uncaught )?(\(in promise\) )?/, "") ?? lines.at(-1);
  return reason ?? "it ended without a word";
}

/** Starts a process for a function. */
export function launch(options: LaunchOptions): Launched {
  const child = new Deno.Command(options.denoPath, {
    args: denoArguments(options),
    cwd: options.root,
    clearEnv: true,
    env: { ...denoSystemEnvironment(), ...options.env },
    // Held open for as long as this process lives: its end of file tells the child to end too.
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lastLines: string[] = [];
  const listening = Promise.withResolvers<number>();

  function take(line: string): void {
    const port = portIn(line);
    if (port !== null) return listening.resolve(port);
    lastLines.push(line);
    if (lastLines.length > LAST_LINES) lastLines.shift();
    options.onLine(line);
  }

  const drained = Promise.all([drain(child.stdout, take), drain(child.stderr, take)]);
  const ended = (async () => {
    const status = await child.status;
    // A grandchild that inherited the pipes must not keep the news of the end from anyone.
    await Promise.race([drained, delay(500)]);
    listening.reject(new BootError(reasonIn(lastLines)));
    return { code: status.code, signal: status.signal, lastLines };
  })();
  const bootTimer = setTimeout(() => {
    listening.reject(new BootError(`it did not listen within ${BOOT_TIMEOUT_MS / 1000} s`));
    kill(child, "SIGKILL");
  }, BOOT_TIMEOUT_MS);
  listening.promise.catch(() => {}).finally(() => clearTimeout(bootTimer));

  return {
    pid: child.pid,
    port: listening.promise,
    ended,
    async stop(deadlineMs) {
      kill(child, "SIGTERM");
      const timer = setTimeout(() => kill(child, "SIGKILL"), deadlineMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function drain(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) take(line);
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (cause) {
    // It has ended already, which is what was wanted.
    if (!(cause instanceof TypeError || cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    Deno.unrefTimer(timer);
  });
}
