/**
 * Drives the stand-ins of pg_cron and pg_net, as the background workers of the real ones do inside
 * the server. Keeps all its state in the database: it may be killed at any instant.
 */

import process from "node:process";
import { z } from "zod";
import { createTerminal } from "../terminal.ts";
import { runCronLoop } from "./cron_loop.ts";
import { WORKER_LOOPS, type WorkerLoop } from "./loops.ts";
import { runNetLoop } from "./net_loop.ts";
import { supervise } from "./supervise.ts";

const Settings = z.object({
  STACK_WORKER_DATABASE_URL: z.url(),
  STACK_WORKER_LOOPS: z.string().transform((text) => text.split(","))
    .pipe(z.array(z.enum(WORKER_LOOPS))),
});

const RUN = { pg_cron: runCronLoop, pg_net: runNetLoop } as const;

const settings = Settings.parse(Deno.env.toObject());
const terminal = createTerminal();
const stopping = new AbortController();
const log = (line: string) => terminal.line(`${new Date().toISOString()} ${line}`);

Deno.addSignalListener("SIGTERM", () => stopping.abort());
Deno.addSignalListener("SIGINT", () => stopping.abort());
stopWithStarter(process.ppid);
await Promise.all(settings.STACK_WORKER_LOOPS.map((loop: WorkerLoop) =>
  supervise(
    loop,
    (signal) => RUN[loop](settings.STACK_WORKER_DATABASE_URL, signal, log),
    stopping.signal,
    log,
  )
));
Deno.exit(0);

/** A worker whose starter was killed would run jobs beside the next one. */
function stopWithStarter(starter: number): void {
  setInterval(() => {
    if (process.ppid !== starter) Deno.exit(0);
  }, 1_000);
}
