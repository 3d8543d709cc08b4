import {
  CPU_BUDGET_MS,
  CPU_PER_CALL_MS,
  CPU_PER_ITEM_MS,
  HELD_PAGES,
  OPEN_PAGES,
  SLICE_MS,
} from "./limits.ts";
import { createSlots, type Slots } from "./slots.ts";

/** What one invocation may still do; shared by all endpoints it works on. */
export interface Budget {
  /** No new page, and no wait for a provider, goes beyond this instant. */
  readonly deadline: Date;
  /** Aborted when the platform is about to end the worker: reading stops at once. */
  readonly unloading: AbortSignal;
  /** A page is asked for only with one of these places. */
  readonly pages: Slots;
  /** The answer to a call for a page is read, and kept, only with one of these. */
  readonly openPages: Slots;
  /** Whether it is time to stop: nothing new may be begun. */
  isSpent(): boolean;
  /** Counts HTTP exchanges and listed items against the CPU time of the worker. */
  spend(work: { readonly calls?: number; readonly items?: number }): void;
}

/** What {@linkcode createBudget} needs. */
export interface BudgetOptions {
  readonly now: () => Date;
  readonly startedAt: Date;
  readonly unloading: AbortSignal;
  /** For measurements; production takes the defaults of `limits.ts`. */
  readonly sliceMs?: number;
  readonly cpuBudgetMs?: number;
}

/** Creates the budget of one invocation, counted from `startedAt`. */
export function createBudget(options: BudgetOptions): Budget {
  const deadline = new Date(options.startedAt.getTime() + (options.sliceMs ?? SLICE_MS));
  let cpuLeftMs = options.cpuBudgetMs ?? CPU_BUDGET_MS;
  return {
    deadline,
    unloading: options.unloading,
    pages: createSlots(HELD_PAGES),
    openPages: createSlots(OPEN_PAGES),
    isSpent: () =>
      options.unloading.aborted || cpuLeftMs <= 0 || options.now().getTime() >= deadline.getTime(),
    spend: ({ calls = 0, items = 0 }) => {
      cpuLeftMs -= calls * CPU_PER_CALL_MS + items * CPU_PER_ITEM_MS;
    },
  };
}
