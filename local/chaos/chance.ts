import { seededRandom } from "../emulator/random_ids.ts";

/** Decisions that depend on a seed alone. */
export interface Chance {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** One of the list; undefined where it is empty. */
  pick<Value>(list: readonly Value[]): Value | undefined;
  /** One of the keys, each as often as its weight says. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key;
}

/** Creates the decisions of one seed. */
export function createChance(seed: number): Chance {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  return {
    between,
    pick: (list) => list[between(0, list.length - 1)],
    weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key {
      const keys = keysOf(weights);
      let left = random() * keys.reduce((sum, key) => sum + weights[key], 0);
      for (const key of keys) {
        left -= weights[key];
        if (left < 0) return key;
      }
      throw new RangeError("Cannot choose as there is nothing to choose from");
    },
  };
}

/** The keys of a record, with their type. */
export function keysOf<Key extends string>(weights: Readonly<Record<Key, number>>): Key[] {
  const keys: Key[] = [];
  for (const key in weights) keys.push(key);
  return keys;
}
