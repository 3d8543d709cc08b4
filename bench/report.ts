import type { Measured, Result } from "./row.ts";

const HEADS = ["measure", "measured", "must", "aim", "", "values"] as const;

function cells(result: Result): string[] {
  return [
    result.measure,
    result.figure,
    result.must,
    result.aim,
    result.isAimMet ? "aim met" : result.isMet ? "met" : "MISSED",
    result.detail,
  ];
}

/** The table as lines of text. */
export function reportLines(measured: readonly Measured[]): string[] {
  const rows = [[...HEADS], ...measured.flatMap(({ results }) => results.map(cells))];
  const widths = HEADS.map((_, column) =>
    Math.max(...rows.map((row) => [...row[column] ?? ""].length))
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
      .join("  ").trimEnd();
  const [heads = [], ...rest] = rows;
  return [line(heads), widths.map((width) => "-".repeat(width)).join("  "), ...rest.map(line)];
}

/** The table as the text of a section, in Markdown, with the machine and how each figure came about. */
export function toMarkdown(
  measured: readonly Measured[],
  machine: readonly string[],
  rounds: number,
): string {
  const line = (row: readonly string[]) => `| ${row.map(escapeCell).join(" | ")} |`;
  return [
    `Written by \`deno task bench\`. Ratios, each the median of ${rounds}, all from one run on one machine:`,
    "",
    ...machine.map((fact) => `- ${fact}`),
    "",
    line(HEADS),
    line(HEADS.map(() => "---")),
    ...measured.flatMap(({ results }) => results.map((result) => line(cells(result)))),
    "",
    "### How it is measured",
    "",
    "The stack is the embedded one, whole: the functions run in processes of their own, the emulated",
    "provider in another; the database's data is made safe at each commit as in production.",
    "",
    ...measured.map(({ row }) => `- **${row.name}**: ${row.method}`),
  ].join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
