import assert from "node:assert/strict";
import { SequencedLog } from "../../../local/google/sequenced_log.ts";

Deno.test("A sequenced log keeps the newest entry of each key, at the end", () => {
  const log = new SequencedLog<string, number>();
  for (const [key, value] of [["a", 1], ["b", 2], ["a", 3]] as const) log.append(key, value);
  assert.deepEqual([...log.from(1)].map((entry) => entry.key + entry.value), ["b2", "a3"]);
  assert.deepEqual([...log.from(3)].map((entry) => entry.key), ["a"]);
  assert.deepEqual([...log.newestFirst()].map((entry) => entry.key), ["a", "b"]);
  assert.equal(log.lastSequence, 3);
});

Deno.test("A sequenced log drops its dead entries and keeps its numbers", () => {
  const log = new SequencedLog<number, number>();
  for (let turn = 0; turn < 5000; turn++) log.append(turn % 10, turn);
  assert.equal(log.size, 10);
  assert.deepEqual([...log.from(4996)].map((entry) => entry.value), [4995, 4996, 4997, 4998, 4999]);
});
