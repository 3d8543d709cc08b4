/** A bounded number of places; those who find none free wait in the order they came. */
export interface Slots {
  /**
   * Waits for a place; the answer gives it back, and may be called once only. Who leads goes before all
   * who wait and do not.
   */
  take(isLeading?: boolean): Promise<() => void>;
}

/** Creates `count` places. */
export function createSlots(count: number): Slots {
  const leading: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let free = count;

  function giveBack(): void {
    const next = leading.shift() ?? waiting.shift();
    // A place goes straight to who waits for it: nobody can come in between.
    if (next !== undefined) next();
    else free += 1;
  }

  return {
    take(isLeading = false) {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(giveBack);
      }
      const line = isLeading ? leading : waiting;
      return new Promise((resolve) => line.push(() => resolve(giveBack)));
    },
  };
}
