import type { CampaignReport } from "./campaign.ts";

function counts(record: Readonly<Record<string, number>>): string {
  return Object.entries(record).map(([name, count]) => `${name} ${count}`).join(", ");
}

/** What a campaign did and found, a line each. */
export function reportLines(report: CampaignReport): string[] {
  return [
    `killed ${report.killed} in ${report.seconds} s: ${counts(report.kills)}`,
    `leases whose holder was killed: ${report.leasesLost}`,
    `troubles: ${counts(report.troubles)}`,
    `changes at the providers: ${report.changes}`,
    `runs: ${counts(report.runs)}`,
    `${report.endpoints} endpoints with ${report.files} files, at rest ${report.settledSeconds} s ` +
    `after the last blow; ${report.askedAgain} syncs were asked for again; a lease was overdue for ` +
    `${report.longestOverdueSeconds} s at most`,
    ...report.faults.map((fault) => `FAULT  ${fault}`),
  ];
}

/** What a campaign did and found, as a section of Markdown. */
export function toMarkdown(
  report: CampaignReport,
  seed: number,
  machine: readonly string[],
): string {
  const line = (what: string, found: string | number) => `| ${what} | ${found} |`;
  return [
    "Written by `deno task chaos`: processes of a stack of its own are killed (SIGKILL) at random",
    "instants of first and incremental syncs of two emulated providers, which change all the while; and",
    "what lies between the processes is cut, slowed and filled up. Then everything is compared.",
    "",
    ...machine.map((fact) => `- ${fact}`),
    `- seed ${seed}`,
    "",
    line("", ""),
    line("---", "---"),
    line("processes killed", `${report.killed} in ${report.seconds} s: ${counts(report.kills)}`),
    line("leases whose holder was killed", report.leasesLost),
    line("troubles", counts(report.troubles)),
    line("changes at the providers", report.changes),
    line("runs", counts(report.runs)),
    line("at rest after the last blow", `${report.settledSeconds} s`),
    line("longest that a lease was overdue then", `${report.longestOverdueSeconds} s`),
    line("files compared", `${report.files} of ${report.endpoints} endpoints`),
    line(
      "files lost, doubled, stale or kept by mistake; stuck leases; runs left running",
      report.faults.length,
    ),
    ...report.faults.length === 0 ? [] : ["", ...report.faults.map((fault) => `- ${fault}`)],
  ].join("\n");
}
