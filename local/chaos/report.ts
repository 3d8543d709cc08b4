import type { CampaignReport } from "./campaign.ts";

/** What a campaign did and found, a line each. */
export function reportLines(report: CampaignReport): string[] {
  const counts = (record: Readonly<Record<string, number>>) =>
    Object.entries(record).map(([name, count]) => `${name} ${count}`).join(", ");
  return [
    `killed ${report.killed} in ${report.seconds} s: ${counts(report.kills)}`,
    `leases whose holder was killed: ${report.leasesLost}`,
    `troubles: ${counts(report.troubles)}`,
    `changes at the providers: ${report.changes}`,
    `runs: ${counts(report.runs)}`,
    `${report.endpoints} endpoints with ${report.files} files, at rest ${report.settledSeconds} s ` +
    `after the last blow; ${report.askedAgain} syncs were asked for again`,
    ...report.faults.map((fault) => `FAULT  ${fault}`),
  ];
}
