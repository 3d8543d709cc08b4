/**
 * Makes a failing sequence smaller. fast-check's own shrinking knows nothing of what takes long here, a
 * sync, and a sequence is plain data: pieces are left out while it still fails.
 */
import type { AnySequence, AnySyncStep } from "./sequence.ts";

type Sync = AnySyncStep<unknown, unknown>;

/** One step of a sequence, as far as it can be made simpler. */
export type AnyStep = Sync | { readonly do: string };

/** The smallest failing sequence found within the time, and how many were tried. */
export interface Reduced<Sequence> {
  readonly sequence: Sequence;
  readonly tried: number;
}

/** Leaves out what the failure does not need. */
export async function reduceSequence<Sequence extends AnySequence<unknown, AnyStep>>(
  failing: Sequence,
  fails: (sequence: Sequence) => Promise<boolean>,
  deadlineMs: number,
): Promise<Reduced<Sequence>> {
  let smallest = failing;
  let tried = 0;
  const attempt = async (smaller: Sequence) => {
    if (Date.now() > deadlineMs) return false;
    tried += 1;
    if (!await fails(smaller)) return false;
    smallest = smaller;
    return true;
  };
  for (let size = -1; size !== sizeOf(smallest) && Date.now() < deadlineMs;) {
    size = sizeOf(smallest);
    await leaveOut((sequence) => sequence.steps, (steps) => ({ ...smallest, steps }));
    await leaveOut((sequence) => sequence.before, (before) => ({ ...smallest, before }));
    for (let at = 0; at < smallest.steps.length; at++) {
      for (let part = 0;; part++) {
        const simpler = simplerStep(smallest.steps[at], part);
        if (simpler === null) break;
        if (await attempt({ ...smallest, steps: smallest.steps.with(at, simpler) })) part = -1;
      }
    }
    for (const plain of [{ lanes: 1 }, { foldersPerTask: 1 }, { fuseFiles: 50 }]) {
      if (JSON.stringify({ ...smallest, ...plain }) !== JSON.stringify(smallest)) {
        await attempt({ ...smallest, ...plain });
      }
    }
  }
  return { sequence: smallest, tried };

  async function leaveOut<Item>(
    read: (sequence: Sequence) => readonly Item[],
    write: (items: Item[]) => Sequence,
  ): Promise<void> {
    for (let length = read(smallest).length; length >= 1; length = Math.floor(length / 2)) {
      for (let at = 0; at < read(smallest).length;) {
        if (!await attempt(write(read(smallest).toSpliced(at, length)))) at += length;
      }
    }
  }
}

/** A sync with one thing less that befalls it: the `part`-th; `null` when there is no such thing. */
function simplerStep(step: AnyStep | undefined, part: number): AnyStep | null {
  if (step === undefined || !isSync(step)) return null;
  const simpler: Sync[] = [
    ...(step.interruption === null ? [] : [{ ...step, interruption: null }]),
    ...(step.mode === "full" ? [{ ...step, mode: "incremental" } as const] : []),
    ...(step.cpuBudgetMs < 1_200 ? [{ ...step, cpuBudgetMs: 1_200 }] : []),
    ...step.troubles.map((_, at) => ({ ...step, troubles: step.troubles.toSpliced(at, 1) })),
    ...step.meanwhile.map((_, at) => ({ ...step, meanwhile: step.meanwhile.toSpliced(at, 1) })),
  ];
  return simpler[part] ?? null;
}

function isSync(step: AnyStep): step is Sync {
  return step.do === "sync";
}

function sizeOf(sequence: unknown): number {
  return JSON.stringify(sequence).length;
}
