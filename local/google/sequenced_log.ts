/** One live entry of a {@linkcode SequencedLog}. */
export interface LogEntry<Key, Value> {
  readonly sequence: number;
  readonly key: Key;
  readonly value: Value;
}

interface Slot<Key, Value> extends LogEntry<Key, Value> {
  isLive: boolean;
}

/**
 * An append-only log that keeps one entry for each key: appending a key again takes its older entry
 * away and puts the new one at the end. Sequence numbers only grow, so a position stays meaningful
 * whatever is appended after it was handed out.
 */
export class SequencedLog<Key, Value> {
  #slots: Slot<Key, Value>[] = [];
  readonly #byKey = new Map<Key, Slot<Key, Value>>();
  #lastSequence = 0;

  /** The highest sequence number given so far. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Number of live entries. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Appends `value`, in place of what `key` had. */
  append(key: Key, value: Value): number {
    this.remove(key);
    this.#lastSequence++;
    const slot = { sequence: this.#lastSequence, key, value, isLive: true };
    this.#slots.push(slot);
    this.#byKey.set(key, slot);
    return this.#lastSequence;
  }

  /** Takes the entry of `key` away, if there is one. */
  remove(key: Key): void {
    const slot = this.#byKey.get(key);
    if (slot === undefined) return;
    slot.isLive = false;
    this.#byKey.delete(key);
    const dead = this.#slots.length - this.#byKey.size;
    if (dead > 1024 && dead > this.#byKey.size) {
      this.#slots = this.#slots.filter((each) => each.isLive);
    }
  }

  /** Live entries with a sequence of at least `first`, oldest first. */
  *from(first: number): Generator<LogEntry<Key, Value>> {
    for (let index = this.#indexOf(first); index < this.#slots.length; index++) {
      const slot = this.#slots[index];
      if (slot?.isLive) yield slot;
    }
  }

  /** All live entries, newest first. */
  *newestFirst(): Generator<LogEntry<Key, Value>> {
    for (let index = this.#slots.length - 1; index >= 0; index--) {
      const slot = this.#slots[index];
      if (slot?.isLive) yield slot;
    }
  }

  /** The sequence of the live entry of `key`; 0 where there is none. */
  sequenceOf(key: Key): number {
    return this.#byKey.get(key)?.sequence ?? 0;
  }

  #indexOf(first: number): number {
    let low = 0;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slots[middle]?.sequence ?? Infinity) < first) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
