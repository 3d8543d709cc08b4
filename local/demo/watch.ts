import type { Sql } from "postgres";
import type { Terminal } from "../terminal.ts";
import { judge, type Outcome } from "./outcome.ts";
import { type EndpointProgress, readProgress } from "./progress.ts";
import { progressLine } from "./progress_line.ts";

const TERMINAL_REFRESH_MS = 250;
/** A log file needs fewer lines than a terminal. */
const PLAIN_REFRESH_MS = 1_000;
/** A sync that shows no sign of life for this long is given up on by `--once`. */
const STALLED_AFTER_MS = 300_000;

/** What {@linkcode watchEndpoints} watches. */
export interface WatchOptions {
  readonly sql: Sql;
  readonly terminal: Terminal;
  readonly demoIds: readonly string[];
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Called once, when the demo endpoints have completed a sync or failed. */
  readonly onOutcome: (outcome: Exclude<Outcome, { type: "waiting" }>) => void;
}

/** Shows each endpoint on a live line until `signal` says to end. */
export async function watchEndpoints(options: WatchOptions): Promise<void> {
  const { sql, terminal, demoIds, signal } = options;
  const refreshMs = terminal.isInteractive ? TERMINAL_REFRESH_MS : PLAIN_REFRESH_MS;
  const startedAt = performance.now();
  const life = createLifeSign();
  let isJudged = demoIds.length === 0;
  while (!signal.aborted) {
    const progress = await readProgress(sql);
    terminal.live(progress.map((endpoint) => progressLine(endpoint, terminal)));
    if (!isJudged) {
      // The allowance is for a run that began between the endpoint's creation and this loop.
      const sinceSeconds = (performance.now() - startedAt) / 1000 + 5;
      const outcome = life.isStalled(progress) ? stalled() : judge(progress, demoIds, sinceSeconds);
      if (outcome.type !== "waiting") {
        isJudged = true;
        options.onOutcome(outcome);
      }
    }
    await pause(refreshMs, signal);
  }
}

function stalled(): Outcome {
  const minutes = STALLED_AFTER_MS / 60_000;
  return { type: "failed", reason: `Nothing has moved for ${minutes} minutes: see the logs` };
}

/** Notices when nothing about the endpoints changes any more. */
function createLifeSign() {
  let last = "";
  let lastChangeAt = performance.now();
  return {
    isStalled(progress: readonly EndpointProgress[]): boolean {
      const now = JSON.stringify(
        progress.map(({ status, file_count, run }) => [status, file_count, run?.files_seen]),
      );
      if (now !== last) {
        last = now;
        lastChangeAt = performance.now();
      }
      return performance.now() - lastChangeAt > STALLED_AFTER_MS;
    },
  };
}

/** Waits, but no longer than until `signal`. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(done.resolve, ms);
  signal.addEventListener("abort", () => done.resolve(), { once: true });
  await done.promise;
  clearTimeout(timer);
}
