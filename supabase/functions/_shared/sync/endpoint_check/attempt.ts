import { SyncError, toSyncError } from "../../errors.ts";
import { SliceOver } from "../slice_over.ts";

/** Thrown where a test has asked a provider as often as it may. */
export class TestOver extends Error {
  override readonly name = "TestOver";
}

/** How a step ended, and how long it took. */
export type Attempt<Value> =
  | { readonly type: "done"; readonly value: Value; readonly tookMs: number }
  | { readonly type: "failed"; readonly error: SyncError; readonly tookMs: number }
  /** It was going well, and goes beyond what a test may ask. */
  | { readonly type: "over"; readonly message: string; readonly tookMs: number };

/** What {@linkcode attempt} needs. */
export interface AttemptOptions {
  readonly now: () => Date;
  /** Ends the whole test. */
  readonly deadline: AbortSignal;
}

/** Does one step; whatever it throws is an outcome. */
export async function attempt<Value>(
  { now, deadline }: AttemptOptions,
  step: () => Value | Promise<Value>,
): Promise<Attempt<Value>> {
  const startedAtMs = now().getTime();
  const tookMs = () => now().getTime() - startedAtMs;
  try {
    const value = await step();
    return { type: "done", value, tookMs: tookMs() };
  } catch (thrown) {
    if (thrown instanceof TestOver) {
      return { type: "over", message: thrown.message, tookMs: tookMs() };
    }
    return { type: "failed", error: translate(thrown, deadline), tookMs: tookMs() };
  }
}

function translate(thrown: unknown, deadline: AbortSignal): SyncError {
  if (thrown instanceof SyncError) return thrown;
  // A sync would go on after the wait; a test says what it would wait for.
  if (thrown instanceof SliceOver && thrown.cause instanceof SyncError) return thrown.cause;
  if (deadline.aborted) {
    const message = "The test took longer than it may: try again, and look whether the provider " +
      "is slow or a proxy stands between";
    return new SyncError("unavailable", message, { cause: thrown });
  }
  return toSyncError(thrown);
}
