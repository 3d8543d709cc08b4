/** `deno task chaos`: killed at any instant, the connector loses nothing. */
import { machineFacts } from "../bench/machine.ts";
import { writeSection } from "../bench/results.ts";
import { runCampaign } from "../local/chaos/campaign.ts";
import { CHAOS_USAGE, parseChaosOptions, WRITTEN_FROM_KILLS } from "../local/chaos/options.ts";
import { reportLines, toMarkdown } from "../local/chaos/report.ts";
import { runCommandLine } from "../local/command.ts";
import { findFunctionsDeno } from "../local/functions/deno_binary.ts";
import { createTerminal } from "../local/terminal.ts";

const terminal = createTerminal();

async function main(): Promise<number> {
  const { isHelp, seed, kills, server } = parseChaosOptions(Deno.args);
  if (isHelp) {
    terminal.line(CHAOS_USAGE);
    return 0;
  }
  terminal.line(`seed ${seed}`);
  const startedAt = performance.now();
  const say = (line: string) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
    terminal.line(terminal.style("dim", `${seconds} s  ${line}`));
  };
  const report = await runCampaign({
    server,
    seed,
    kills,
    scale: 1,
    longestPauseMs: 7_000,
    longestTroubleMs: 6_000,
    endsWithDeploy: false,
    say,
  });
  for (const line of reportLines(report)) terminal.line(line);
  if (kills >= WRITTEN_FROM_KILLS) {
    const { version: denoVersion } = await findFunctionsDeno();
    const section = toMarkdown(report, seed, machineFacts({ ...report, denoVersion }));
    terminal.line(await writeSection("Chaos", section));
  }
  terminal.line(`seed ${seed}: ${report.faults.length === 0 ? "nothing was lost" : "FAILED"}`);
  return report.faults.length === 0 ? 0 : 1;
}

if (import.meta.main) await runCommandLine(main);
