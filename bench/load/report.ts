import { show } from "../measure.ts";
import { demandsOf, growthOf } from "./demands.ts";
import type { Failures, Lag, Waiting } from "./lags.ts";
import type { ProcessUse, Samples } from "./sampler.ts";
import { CONCURRENT_SYNCS, ENDPOINTS, LARGE_ENDPOINTS, USERS } from "./world.ts";

/** What the load showed. */
export interface LoadReport {
  readonly minutes: number;
  readonly lags: readonly Lag[];
  readonly failures: Failures;
  readonly waiting: Waiting;
  readonly leftBehind: number;
  readonly loggedErrors: number;
  readonly samples: Samples;
  readonly machine: readonly string[];
  /** The system's load average (one minute) at the beginning and at the end. */
  readonly loadAverages: readonly [number, number];
}

/** Whether what must hold held. */
export function isMet(report: LoadReport): boolean {
  const runs = report.lags.find(({ whose }) => whose === "all")?.runs ?? 0;
  return runs > 0 && demandsOf(report).every((demand) => demand.isMet);
}

/** The report as the text of a section, in Markdown. */
export function toMarkdown(report: LoadReport): string {
  const { minutes, lags, waiting, samples, machine, loadAverages } = report;
  return [
    `Written by \`deno task load\`: ${
      ENDPOINTS.toLocaleString("en-US")
    } endpoints of ${USERS} users, ` +
    `${LARGE_ENDPOINTS} of them one user's, each synced every minute for ${minutes} minutes.`,
    "",
    ...machine.map((fact) => `- ${fact}`),
    `- \`CONNECTOR_MAX_CONCURRENT_SYNCS\` ${CONCURRENT_SYNCS}`,
    `- load average ${show(loadAverages[0])} at the beginning, ${
      show(loadAverages[1])
    } at the end: ` +
    "others were at work on the machine where it is above what this load makes",
    "",
    "| runs of | runs | due → started: p50 | p95 | longest | tick → started: p50 | p95 | longest |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...lags.map(lagLine),
    "",
    `At the end ${waiting.count} endpoints were due and not begun, the longest for ` +
    `${show(waiting.longest)} s.`,
    "",
    "| what must hold | must | measured | |",
    "| --- | --- | --- | --- |",
    ...demandsOf(report).map(({ what, must, measured, isMet }) =>
      `| ${what} | ${must} | ${measured} | ${isMet ? "met" : "MISSED"} |`
    ),
    "",
    "| process | largest memory | first half | second half | growth | cores busy |",
    "| --- | --- | --- | --- | --- | --- |",
    ...samples.processes.map(processLine),
    "",
    "### How it is measured",
    "",
    ...METHOD,
  ].join("\n");
}

const METHOD = [
  "- 700 endpoints have 20 files, 250 have 200, 50 have 2,000; one of each size is synced, the others",
  "  are copied from it by SQL. Their schedules are spread evenly over the minute. Each drive of the",
  "  emulated Google, which answers after 80 to 150 ms, gets a new file every ten seconds, so every",
  "  run finds something. A first round is not measured.",
  "- The scheduler ticks each minute, as in production: who becomes due just after a tick waits for",
  "  the next one, half a minute on average. *due → started* is `sync_logs.started_at - due_at`, what",
  "  an owner sees; *tick → started* counts from the first full minute after `due_at`, and is what the",
  "  queue adds.",
  "- Every two seconds sessions are counted in `pg_stat_activity` and memory is read: `VmRSS` of a",
  "  program; of the server's processes what is their own (`RssAnon`), since the buffers they share",
  "  (128 MiB) count in each that has touched them. The halves are means over each half of the time.",
  "- *Cores busy* is the CPU time used by the time that passed. The emulated Google, the gateway and",
  "  the REST stand-in are elsewhere in production.",
] as const;

function processLine(use: ProcessUse): string {
  const growth = growthOf(use);
  const cells = [
    `${show(use.largest)} MiB`,
    `${show(use.firstHalf)} MiB`,
    `${show(use.secondHalf)} MiB`,
    `${growth < 0 ? "−" : "+"}${show(Math.abs(growth))} MiB`,
    use.cores === null ? "" : use.cores.toFixed(2),
  ];
  return `| ${use.name} | ${cells.join(" | ")} |`;
}

function lagLine(lag: Lag): string {
  const figures = [
    lag.p50,
    lag.p95,
    lag.largest,
    lag.after_tick_p50,
    lag.after_tick_p95,
    lag.after_tick_largest,
  ];
  const cells = figures.map((seconds) => `${show(seconds)} s`).join(" | ");
  return `| ${lag.whose} | ${lag.runs.toLocaleString("en-US")} | ${cells} |`;
}
