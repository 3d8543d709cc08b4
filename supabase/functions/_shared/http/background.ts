import type { Log } from "../log.ts";

/** Lets work go on after the answer; a failure is logged, never thrown. */
export type Background = (name: string, work: Promise<unknown>) => void;

/** The part of the platform's `EdgeRuntime` that is used here. */
export interface EdgeRuntime {
  waitUntil(work: Promise<unknown>): unknown;
}

/**
 * Creates the background. On the platform `waitUntil` keeps the worker alive for the work, within
 * its time limits (https://supabase.com/docs/guides/functions/background-tasks); elsewhere the
 * process lives on by itself.
 */
export function createBackground(log: Log, runtime: EdgeRuntime | null): Background {
  return function background(name, work) {
    const watched = work.catch((cause) =>
      log.error("background_work_failed", { work: name, cause })
    );
    runtime?.waitUntil(watched);
  };
}

/** The platform's `EdgeRuntime`, or `null` where there is none. */
export function findEdgeRuntime(scope: object): EdgeRuntime | null {
  const runtime: unknown = Reflect.get(scope, "EdgeRuntime");
  return isEdgeRuntime(runtime) ? runtime : null;
}

function isEdgeRuntime(value: unknown): value is EdgeRuntime {
  return typeof value === "object" && value !== null && "waitUntil" in value &&
    typeof value.waitUntil === "function";
}
