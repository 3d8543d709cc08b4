import { join } from "node:path";
import { oneLine, StackError } from "../failure.ts";
import type { DenoBinary } from "./deno_binary.ts";
import { type FunctionProcess, serveFunction } from "./function_process.ts";
import type { FunctionSpec } from "./function_list.ts";
import { type LogFile, openLogFile } from "./log_file.ts";

/** The platform gives up on a request after this long without an answer. */
const IDLE_TIMEOUT_MS = 150_000;

/** Options of {@linkcode startFunctions}. */
export interface RunnerOptions {
  readonly deno: DenoBinary;
  readonly root: string;
  readonly functions: readonly FunctionSpec[];
  readonly logFolder: string;
  /** Makes the environment of a function's next process. */
  readonly env: (slug: string) => Readonly<Record<string, string>>;
  readonly readable?: readonly string[];
  readonly idleTimeoutMs?: number;
  readonly onCrash?: (slug: string, message: string) => void;
}

/** One function as the gateway sees it. */
export interface RunningFunction {
  readonly spec: FunctionSpec;
  readonly fetch: (request: Request) => Promise<Response>;
}

/** All functions, each in its own process. */
export interface Functions {
  get(slug: string): RunningFunction | undefined;
  all(): readonly RunningFunction[];
  /** The living processes, by slug. */
  pids(): Readonly<Record<string, number>>;
  /** Waits until each listens; throws a {@linkcode StackError} about the first that cannot start. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

interface Served extends RunningFunction {
  readonly process: FunctionProcess;
  readonly log: LogFile;
}

function serve(spec: FunctionSpec, options: RunnerOptions): Served {
  const { slug } = spec;
  const log = openLogFile(options.logFolder, slug);
  const process = serveFunction({
    denoPath: options.deno.path,
    root: options.root,
    entrypoint: spec.entrypoint,
    env: () => options.env(slug),
    readable: options.readable ?? [],
    idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    onLine: log.write,
    onCrash: (message) => {
      log.write(`[runner] ${slug} ${message}`);
      options.onCrash?.(slug, message);
    },
  });
  return { spec, process, log, fetch: process.fetch };
}

/** Starts every function at once; nothing is waited for. */
export function startFunctions(options: RunnerOptions): Functions {
  const served = new Map(options.functions.map((spec) => [spec.slug, serve(spec, options)]));

  async function readyOne({ spec, process }: Served): Promise<void> {
    try {
      await process.ready();
    } catch (cause) {
      const log = join(options.logFolder, `${spec.slug}.log`);
      throw new StackError(
        `Cannot start the function "${spec.slug}": ${oneLine(cause)} (log: ${log})`,
        { cause },
      );
    }
  }

  return {
    get: (slug) => served.get(slug),
    all: () => [...served.values()],
    pids: () =>
      Object.fromEntries(
        [...served].flatMap(([slug, { process }]) => {
          const pid = process.pid();
          return pid === null ? [] : [[slug, pid]];
        }),
      ),
    ready: async () => void (await Promise.all([...served.values()].map(readyOne))),
    async stop() {
      await Promise.all([...served.values()].map(async ({ process, log }) => {
        await process.stop();
        log.close();
      }));
    },
  };
}
