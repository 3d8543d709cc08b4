/** `deno task load`: many endpoints, each minute, for a while. */
import { runCommandLine } from "../../local/command.ts";
import { createTerminal } from "../../local/terminal.ts";
import { describeMachine } from "../machine.ts";
import { writeSection } from "../results.ts";
import { countLeftBehind, readFailures, readLags, readWaiting } from "./lags.ts";
import { LOAD_USAGE, parseLoadOptions, WRITTEN_FROM_MINUTES } from "./options.ts";
import { isMet, type LoadReport, toMarkdown } from "./report.ts";
import { startSampler } from "./sampler.ts";
import { createLoadWorld, type LoadWorld } from "./world.ts";

const terminal = createTerminal();

async function main(): Promise<number> {
  const { isHelp, minutes } = parseLoadOptions(Deno.args);
  if (isHelp) {
    terminal.line(LOAD_USAGE);
    return 0;
  }
  const say = (line: string) => terminal.line(terminal.style("dim", line));
  await using world = await createLoadWorld(say);
  // A part of the stack that ends by itself ends the measurement, too.
  const broken = world.stack.failed.then((reason) => Promise.reject(reason));
  const report = await Promise.race([measure(world, minutes, say), broken]);
  const section = toMarkdown(report);
  terminal.line(section);
  if (minutes >= WRITTEN_FROM_MINUTES) terminal.line(await writeSection("Load", section));
  const isAllMet = isMet(report);
  terminal.line(isAllMet ? "all that must hold held" : "FAILED: see what is MISSED above");
  return isAllMet ? 0 : 1;
}

async function measure(
  world: LoadWorld,
  minutes: number,
  say: (line: string) => void,
): Promise<LoadReport> {
  const { sql } = world;
  // The first round gets each endpoint its access token: it is not what every minute is like.
  say("the first round, which is not measured");
  await pause(75_000);
  const [row] = await sql<[{ now: Date }]>`select clock_timestamp() as now`;
  const loadAtFirst = Deno.loadavg()[0] ?? 0;
  const sampler = startSampler(world);
  for (let minute = 1; minute <= minutes; minute++) {
    await pause(60_000);
    const [all] = await readLags(sql, row.now);
    say(
      `minute ${minute} of ${minutes}: ${all?.runs ?? 0} runs, p95 ${all?.p95.toFixed(1) ?? "–"} s`,
    );
  }
  return {
    minutes,
    lags: await readLags(sql, row.now),
    failures: await readFailures(sql, row.now),
    waiting: await readWaiting(sql),
    leftBehind: await countLeftBehind(sql),
    loggedErrors: await world.countLoggedErrors(),
    samples: await sampler.stop(),
    machine: await describeMachine(world),
    loadAverages: [loadAtFirst, Deno.loadavg()[0] ?? 0],
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) await runCommandLine(main);
