import type { CampaignReport } from "./campaign.ts";
import { countFaults } from "./faults.ts";

type Counts = Readonly<Record<string, number>>;

function list(counts: Counts): string {
  return Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");
}

function settled({ settledSeconds, askedAgain }: CampaignReport): string {
  return `at rest ${settledSeconds} s after the last blow; ${askedAgain} syncs were asked for again`;
}

function leasesOf({ leasesLost, firstSyncsLost, lapsed }: CampaignReport): string {
  return `${leasesLost}, ${firstSyncsLost} of them of first syncs; ${lapsed.lapsed} were seen past ` +
    `their end, the longest for ${lapsed.longestSeconds.toFixed(1)} s`;
}

/** What a campaign did and found, a line each. */
export function reportLines(report: CampaignReport): string[] {
  return [
    `killed ${report.killed} in ${report.seconds} s: ${list(report.kills)}`,
    `leases whose holder was killed: ${leasesOf(report)}`,
    `troubles: ${list(report.troubles)}`,
    `changes at the providers: ${report.changes}`,
    `runs: ${list(report.runs.byEnd)}`,
    `runs by mode: ${list(report.runs.byMode)}`,
    `${report.removed} endpoints removed meanwhile; ${report.endpoints} with ${report.files} files left, ` +
    settled(report),
    ...[...countFaults(report.faults)].map(([check, count]) => `${check}: ${count}`),
    ...report.faults.map(({ check, told }) => `FAULT  ${check}: ${told}`),
  ];
}

/** The same as the text of a section of `bench/results.md`, in Markdown. */
export function toMarkdown(
  report: CampaignReport,
  seed: number,
  machine: readonly string[],
): string {
  return [
    `Written by \`deno task chaos\`: ${report.killed} processes killed (SIGKILL) at random instants ` +
    `within ${report.seconds} s, seed ${seed}; then every file compared with the providers.`,
    "",
    ...machine.map((fact) => `- ${fact}`),
    "",
    ...table(["killed", "times"], Object.entries(report.kills)),
    ...table(["gone wrong besides", "times"], Object.entries(report.troubles)),
    ...table(["what happened", "figure"], [
      ["leases whose holder was killed", leasesOf(report)],
      ["changes at the providers meanwhile", report.changes],
      ["runs by how they ended", list(report.runs.byEnd)],
      ["runs by provider and mode", list(report.runs.byMode)],
      ["endpoints removed meanwhile", report.removed],
      ["endpoints, files compared", `${report.endpoints}, ${report.files.toLocaleString("en-US")}`],
      ["converged", settled(report)],
    ]),
    ...table(
      ["what must be none", "found"],
      [...countFaults(report.faults)],
    ),
    ...report.faults.map(({ check, told }) => `- ${check}: ${told}`),
    "",
    "### How it is measured",
    "",
    ...METHOD,
  ].join("\n");
}

const METHOD = [
  "- The stack is the embedded one, whole, with ticks each two seconds; the two emulated providers are",
  "  changed all the time by people who ask for syncs, and add, edit and remove endpoints. *deploy* kills all",
  "  functions at once, *session* a session of the server, on which the server ends all others and",
  "  recovers; each process counts.",
  "- A lease outlives its holder by two minutes in production. Here those whose holder was killed are",
  "  made to lapse at once; for the tick to return them is what is tried. One that is 60 seconds past",
  "  its end while the chaos goes on (outages included), or 15 when it is over, is stuck.",
  "- Files are compared by id, name, path and size with what the providers hold, and with what was",
  "  ever seen in the table. Nothing may be running or due when all is at rest.",
] as const;

type Row = readonly (string | number)[];

function table(heads: readonly string[], rows: readonly Row[]): string[] {
  const line = (cells: Row) => `| ${cells.map((cell) => cellText(cell)).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line), ""];
}

function cellText(cell: string | number): string {
  return String(cell).replaceAll("|", "\\|");
}
