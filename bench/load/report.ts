import { show } from "../measure.ts";
import type { Failures, Lag } from "./lags.ts";
import type { Samples } from "./sampler.ts";
import { CONCURRENT_SYNCS, ENDPOINTS, LARGE_ENDPOINTS, USERS } from "./world.ts";

/** What the load showed. */
export interface LoadReport {
  readonly minutes: number;
  readonly lags: readonly Lag[];
  readonly failures: Failures;
  readonly leftBehind: number;
  readonly samples: Samples;
  readonly machine: readonly string[];
  /** The system's load average (one minute) at the beginning and at the end. */
  readonly loadAverages: readonly [number, number];
}

/** Whether what must hold held. */
export function isMet({ failures, leftBehind, lags }: LoadReport): boolean {
  const runs = lags.find(({ whose }) => whose === "all")?.runs ?? 0;
  return runs > 0 && leftBehind === 0 && Object.keys(failures).length === 0;
}

/** The report as a page of Markdown. */
export function toMarkdown(report: LoadReport): string {
  const { minutes, lags, failures, leftBehind, samples, machine, loadAverages } = report;
  const failed = Object.entries(failures).map(([end, count]) => `${count} × ${end}`).join(", ");
  return [
    "# Load",
    "",
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
    `Errors: ${failed === "" ? "0" : failed}. Endpoints without a run in the last two and a half ` +
    `minutes: ${leftBehind}. Most database sessions at one time: ${samples.mostConnections}.`,
    "",
    "| process | largest memory | growth |",
    "| --- | --- | --- |",
    ...samples.memory.map(({ name, largest, growth }) =>
      `| ${name} | ${show(largest)} MiB | ${growth >= 0 ? "+" : "−"}${show(Math.abs(growth))} MiB |`
    ),
    "",
    "## How it is measured",
    "",
    ...METHOD,
    "",
  ].join("\n");
}

const METHOD = [
  "- 700 endpoints have 20 files, 250 have 200, 50 have 2,000; one of each size is synced, the others",
  "  are copied from it by SQL. Their schedules are spread evenly over the minute. Each drive of the",
  "  emulated Google, which answers after 80 to 150 ms, gets a new file every ten seconds, so every",
  "  run finds something.",
  "- The scheduler ticks each minute, as in production: who becomes due just after a tick waits for",
  "  the next one, half a minute on average. *due → started* is `sync_logs.started_at - due_at`, what",
  "  an owner sees; *tick → started* counts from the first full minute after `due_at`, and is what the",
  "  queue adds.",
  "- Sessions are counted in `pg_stat_activity` and memory is `VmRSS`, both every two seconds. Growth",
  "  is the mean of the last quarter less the mean of the second quarter. A session's memory counts",
  "  the server's shared buffers (128 MB) as far as it has touched them.",
] as const;

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
