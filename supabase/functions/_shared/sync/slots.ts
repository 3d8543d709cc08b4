/** A bounded number of places; those who find none free wait in the order they came. */
export interface Slots {
  /** Waits for a place; the answer gives it back, and may be called once only. */
  take(): Promise<() => void>;
}

/** Creates `count` places. */
export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  function giveBack(): void {
    const next = waiting.shift();
    // A place goes straight to who waits for it: nobody can come in between.
    if (next !== undefined) next();
    else free += 1;
  }

  return {
    take() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(giveBack);
      }
      return new Promise((resolve) => waiting.push(() => resolve(giveBack)));
    },
  };
}
