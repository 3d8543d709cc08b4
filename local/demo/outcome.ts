import { plainText } from "../plain_text.ts";
import type { EndpointProgress } from "./progress.ts";

const FAILED = new Set(["failed", "needs_attention", "needs_reauthorization", "paused"]);

/** How the wait for the demo endpoints stands. */
export type Outcome =
  | { readonly type: "waiting" }
  | { readonly type: "completed" }
  | { readonly type: "failed"; readonly reason: string };

/**
 * Judges the demo endpoints by the runs that began within the last `sinceSeconds`: completed when
 * each has completed one, failed when one of them has failed.
 */
export function judge(
  progress: readonly EndpointProgress[],
  demoIds: readonly string[],
  sinceSeconds: number,
): Outcome {
  const demos = progress.filter(({ id }) => demoIds.includes(id));
  const runs = demos.map(({ run }) => run !== null && run.age_seconds <= sinceSeconds ? run : null);
  const failed = demos.find((_demo, index) => FAILED.has(runs[index]?.status ?? ""));
  if (failed !== undefined) {
    const reason = `${failed.error_code ?? failed.status}: ${failed.error_message ?? "no reason"}`;
    return { type: "failed", reason: plainText(`The sync of "${failed.name}" failed: ${reason}`) };
  }
  const isDone = demos.length === demoIds.length &&
    runs.every((run) => run?.status === "completed");
  return isDone ? { type: "completed" } : { type: "waiting" };
}
