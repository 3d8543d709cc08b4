import type { Slots } from "./slots.ts";

/**
 * The place of one page that is asked for. Asking costs no memory; the answer does, from its first
 * byte until the page is committed. So an answer that has come waits outside until there is room.
 */
export interface PagePlace {
  /** Waits for room to read an answer; at once where an earlier one of this page has it already. */
  open(): Promise<void>;
  /** Nothing has come of the reading: others may have the room. */
  close(): void;
  /** Gives everything back, once. */
  leave(): void;
}

/** Creates a place; `open` takes one of each of the slots, in their order. */
export function createPagePlace(slots: readonly Slots[], onLeave: () => void): PagePlace {
  const taken: (() => void)[] = [];
  let opening: Promise<void> | null = null;
  let isLeft = false;

  function close(): void {
    opening = null;
    for (let giveBack = taken.pop(); giveBack !== undefined; giveBack = taken.pop()) giveBack();
  }

  async function takeAll(): Promise<void> {
    for (const each of slots.slice(taken.length)) taken.push(await each.take());
    // Whoever asked may have given up meanwhile.
    if (isLeft) close();
  }

  return {
    // Calls that a page makes side by side share the room.
    open: () => opening ??= takeAll(),
    close,
    leave() {
      isLeft = true;
      close();
      onLeave();
    },
  };
}
