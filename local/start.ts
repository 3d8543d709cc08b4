/** `deno task start`: the whole of File Connector on this machine, with something to look at. */
import postgres from "postgres";
import { runCommandLine } from "./command.ts";
import { startAutodeskDemo } from "./demo/autodesk.ts";
import type { Demo } from "./demo/content.ts";
import { ensureDemoEndpoint } from "./demo/endpoint.ts";
import { startGoogleDemo } from "./demo/google.ts";
import type { Outcome } from "./demo/outcome.ts";
import { summaryLines } from "./demo/summary.ts";
import { watchEndpoints } from "./demo/watch.ts";
import { type Stack, startStack } from "./stack.ts";
import {
  type DemoSource,
  parseStartOptions,
  START_USAGE,
  type StartOptions,
} from "./start_options.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

const STOP_DEADLINE_MS = 30_000;

/** What ends a running start: the person, the demo's outcome, or a part that broke. */
type Ending =
  | { readonly type: "interrupted" }
  | { readonly type: "broken"; readonly cause: Error }
  | Exclude<Outcome, { type: "waiting" }>;

async function main(): Promise<number> {
  const terminal = createTerminal();
  const options = parseStartOptions(Deno.args);
  if (options.isHelp) {
    terminal.line(START_USAGE);
    return 0;
  }
  const interrupted = Promise.withResolvers<Ending>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      interrupted.resolve({ type: "interrupted" });
      // Whatever hangs while stopping must not keep the terminal from the person.
      Deno.unrefTimer(setTimeout(() => Deno.exit(1), STOP_DEADLINE_MS));
    });
  }
  const ending = await run(options, terminal, interrupted.promise);
  if (ending.type === "failed") terminal.error(`error: ${ending.reason}`);
  if (ending.type === "broken") terminal.error(`error: ${ending.cause.message}`);
  return ending.type === "failed" || ending.type === "broken" ? 1 : 0;
}

async function run(
  options: StartOptions,
  terminal: Terminal,
  interrupted: Promise<Ending>,
): Promise<Ending> {
  await using parts = new AsyncDisposableStack();
  const booting = boot(options, terminal, parts);
  const early = await Promise.race([booting, interrupted]);
  // Stopped by a person half way through: what comes up still has to be taken down.
  if ("type" in early) return await booting.then(() => early, () => early);
  return await watch(early, options, terminal, interrupted);
}

/** What runs once everything is up. */
interface Running {
  readonly stack: Stack;
  readonly demoIds: readonly string[];
}

async function boot(
  options: StartOptions,
  terminal: Terminal,
  parts: AsyncDisposableStack,
): Promise<Running> {
  const startedAt = performance.now();
  const log = (line: string) => terminal.line(terminal.style("dim", `  ${line}`));
  terminal.line(terminal.style("bold", "File Connector"));
  const demos = options.demo === null ? [] : await startDemos(options.demo, parts);
  const stack = await startStack({
    stateDir: options.stateDir,
    apiPort: options.apiPort,
    dbPort: options.dbPort,
    server: options.database instanceof URL ? { url: options.database.href } : options.database,
    reset: options.isReset,
    settings: Object.assign({}, ...demos.map(({ settings }) => settings)),
    log,
  });
  parts.defer(() => stopVisibly(stack, terminal));
  const demoIds: string[] = [];
  for (const demo of demos) {
    demo.allowCallback(stack.callbackUrl);
    demoIds.push(await ensureDemoEndpoint(stack, demo.endpoint));
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  terminal.line(`  ready in ${seconds} s at ${stack.info.api_url}`);
  for (const { description } of demos) terminal.line(`  ${description}`);
  terminal.line(`  stand-ins: ${stack.info.stand_ins.join(", ") || "none"}`);
  terminal.line();
  return { stack, demoIds };
}

/** Starts one emulator for each provider, all over the same source. */
async function startDemos(source: DemoSource, parts: AsyncDisposableStack): Promise<Demo[]> {
  const demos: Demo[] = [];
  for (const start of [() => startGoogleDemo(source), () => startAutodeskDemo(source)]) {
    const demo = await start();
    parts.defer(demo.stop);
    demos.push(demo);
  }
  return demos;
}

async function stopVisibly(stack: Stack, terminal: Terminal): Promise<void> {
  terminal.endLive();
  terminal.line(terminal.style("dim", "  stopping"));
  await stack.stop();
}

async function watch(
  { stack, demoIds }: Running,
  options: StartOptions,
  terminal: Terminal,
  interrupted: Promise<Ending>,
): Promise<Ending> {
  const judged = Promise.withResolvers<Ending>();
  const ended = new AbortController();
  const sql = postgres(stack.info.db_url, { max: 1, onnotice: () => {}, onclose: () => {} });
  const summary = () => showSummary(stack, options, terminal);
  if (demoIds.length === 0) summary();
  const watching = watchEndpoints({
    sql,
    terminal,
    demoIds,
    signal: ended.signal,
    onOutcome: (outcome) => {
      if (options.isOnce) judged.resolve(outcome);
      else summary();
    },
  }).catch((cause: Error) => judged.resolve({ type: "broken", cause }));
  const broken = stack.failed.then((cause): Ending => ({ type: "broken", cause }));
  const waits = options.isOnce && demoIds.length === 0
    ? [Promise.resolve<Ending>({ type: "completed" })]
    : [interrupted, broken, judged.promise];
  const ending = await Promise.race(waits);
  ended.abort();
  await watching;
  await sql.end({ timeout: 2 });
  return ending;
}

function showSummary(stack: Stack, { demo, stateDir }: StartOptions, terminal: Terminal): void {
  const lines = summaryLines({
    stack: stack.info,
    stateDir,
    folder: demo?.type === "folder" ? demo.path : null,
    hasDemo: demo !== null,
  });
  for (const line of ["", ...lines, "", "Ctrl-C stops everything.", ""]) terminal.line(line);
}

await runCommandLine(main);
