/** How tables show times, sizes and states. */
import type { Style } from "../local/terminal.ts";
import type { Cell } from "./table.ts";

const STATUS_STYLES: Readonly<Record<string, Style>> = {
  completed: "green",
  running: "cyan",
  partial: "yellow",
  paused: "yellow",
  failed: "red",
  needs_attention: "red",
  needs_reauthorization: "red",
};

/** A state of an endpoint or a run. */
export function statusCell(status: string): Cell {
  const style = STATUS_STYLES[status];
  return style === undefined ? { text: status } : { text: status, style };
}

/** A whole number. */
export function numberCell(value: number | null): Cell {
  return { text: value === null ? "" : String(value), isRight: true };
}

/** An instant to the second, in UTC; nothing where there is none. */
export function showTime(at: string | null): string {
  const time = new Date(at ?? NaN);
  if (Number.isNaN(time.getTime())) return "";
  return time.toISOString().slice(0, 19).replace("T", " ");
}

/** How long something took. */
export function showDuration(from: string, to: string | null): string {
  const ms = Date.parse(to ?? "") - Date.parse(from);
  if (Number.isNaN(ms)) return "";
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
}
