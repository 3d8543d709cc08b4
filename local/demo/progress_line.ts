import { plainText } from "../plain_text.ts";
import { showBytes } from "../show_bytes.ts";
import type { Style, Terminal } from "../terminal.ts";
import type { EndpointProgress } from "./progress.ts";

const NAME_WIDTH = 22;
const PHASE_WIDTH = 12;

const STYLES: Readonly<Record<string, Style>> = {
  running: "cyan",
  completed: "green",
  partial: "yellow",
  failed: "red",
  needs_attention: "red",
  needs_reauthorization: "red",
  paused: "red",
};

function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Returns a duration as a person reads it. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

function details(endpoint: EndpointProgress): string[] {
  const { run, status } = endpoint;
  if (endpoint.error_code !== null && status !== "running") {
    return [`${endpoint.error_code}: ${plainText(endpoint.error_message ?? "")}`];
  }
  if (run === null) return ["waits for the next tick of the scheduler"];
  const rate = run.elapsed_seconds > 0 ? run.files_seen / run.elapsed_seconds : 0;
  const pace = `${formatCount(Math.round(rate))} files/s`;
  if (status === "running") {
    return [`${formatCount(run.files_seen)} files`, pace, formatSeconds(run.elapsed_seconds)];
  }
  return [
    `${formatCount(endpoint.file_count)} files`,
    showBytes(endpoint.total_bytes),
    `last sync ${formatSeconds(run.elapsed_seconds)}, ${
      formatCount(run.files_changed)
    } changed, ${pace}`,
  ];
}

/** Returns the one line that shows an endpoint, whatever its owner called it: phase, files, files per second, elapsed. */
export function progressLine(endpoint: EndpointProgress, terminal: Terminal): string {
  const phase = endpoint.status.replaceAll("_", " ").padEnd(PHASE_WIDTH);
  const style = STYLES[endpoint.status] ?? "dim";
  const name = plainText(endpoint.name).padEnd(NAME_WIDTH);
  return `  ${name} ${terminal.style(style, phase)} ${details(endpoint).join("   ")}`;
}
