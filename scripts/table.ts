import type { Style, Terminal } from "../local/terminal.ts";
import { plainText } from "../local/plain_text.ts";

/** One cell: text from wherever, and how it looks on a terminal. */
export interface Cell {
  readonly text: string;
  readonly style?: Style;
  readonly isRight?: boolean;
}

/** Longest cell: what is longer is cut, so that one name does not push the others off the screen. */
const WIDEST_CELL = 60;

/** The lines of a table with a head; the last column is as long as it likes. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  terminal: Terminal,
): string[] {
  const shown = rows.map((row) =>
    row.map((cell, at) => ({ ...cell, text: fit(cell.text, at === row.length - 1) }))
  );
  const widths = head.map((title, at) =>
    Math.max(lengthOf(title), ...shown.map((row) => lengthOf(row[at]?.text ?? "")))
  );
  const titles = head.map((text, at) => ({
    text,
    style: "dim" as const,
    isRight: shown[0]?.[at]?.isRight ?? false,
  }));
  return [titles, ...shown].map((row) => lineOf(row, widths, terminal));
}

/** One line of cells in columns of the given widths. */
export function lineOf(
  row: readonly Cell[],
  widths: readonly number[],
  terminal: Terminal,
): string {
  const cells = row.map(({ text, style, isRight = false }, at) => {
    const isLast = at === row.length - 1;
    const plain = fit(text, isLast);
    const padding = " ".repeat(Math.max(0, (widths[at] ?? 0) - lengthOf(plain)));
    const drawn = style === undefined || plain === "" ? plain : terminal.style(style, plain);
    if (isRight) return padding + drawn;
    return isLast ? drawn : drawn + padding;
  });
  return cells.join("  ").trimEnd();
}

function fit(text: string, isLast: boolean): string {
  const plain = plainText(text);
  if (isLast || lengthOf(plain) <= WIDEST_CELL) return plain;
  return `${[...plain].slice(0, WIDEST_CELL - 1).join("")}…`;
}

function lengthOf(text: string): number {
  return [...text].length;
}
