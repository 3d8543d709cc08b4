/** Plays random sequences, and makes the first one that fails small. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createTerminal, type Terminal } from "../../../local/terminal.ts";
import type { ModelOptions } from "./options.ts";
import { type AnyStep, reduceSequence } from "./reduce.ts";
import type { AnySequence } from "./sequence.ts";

/** How long a smaller sequence is looked for that fails too. */
const REDUCE_MS = 120_000;

/** Whose sequences are played, and how. */
export interface Player<Sequence> {
  /** Where the tests of the model are, to be named when one fails. */
  readonly path: string;
  readonly sequence: fc.Arbitrary<Sequence>;
  /** Plays a sequence; throws when something is not as it must be. */
  readonly play: (sequence: Sequence) => Promise<void>;
  /** What has happened in all sequences so far: a model that tries nothing finds nothing. */
  readonly tally: ReadonlyMap<string, number>;
}

/** Plays as many sequences as asked for, or the one that is named. */
export async function playAll<Sequence extends AnySequence<unknown, AnyStep>>(
  options: ModelOptions<Sequence>,
  player: Player<Sequence>,
  terminal: Terminal = createTerminal(),
): Promise<void> {
  if (options.sequence !== undefined) return await player.play(options.sequence);
  const { seed, path, sequences } = options;
  terminal.line(`model: seed ${seed}, ${sequences} sequences`);
  const startedAtMs = Date.now();
  const result = await fc.check(
    fc.asyncProperty(player.sequence, player.play),
    { seed, numRuns: sequences, endOnFailure: true, ...(path === undefined ? {} : { path }) },
  );
  const seconds = Math.round((Date.now() - startedAtMs) / 1000);
  const tally = [...player.tally].sort().map(([what, times]) => `${times} ${what}`).join(", ");
  terminal.line(`model: ${result.numRuns} sequences in ${seconds} s: ${tally}`);
  const [failing] = result.counterexample ?? [];
  if (!result.failed || failing === undefined) return;
  const again = `CONNECTOR_MODEL_SEED=${seed} CONNECTOR_MODEL_PATH=${result.counterexamplePath}`;
  assert.fail(
    `Sequence ${result.numRuns} of seed ${seed} failed: ${result.errorInstance}\n` +
      `Again: ${again} npx deno task test ${player.path}\n${await smallest(failing, player)}`,
  );
}

/** What is left of a failing sequence without all that its failure does not need. */
async function smallest<Sequence extends AnySequence<unknown, AnyStep>>(
  failing: Sequence,
  { play }: Player<Sequence>,
): Promise<string> {
  let last: unknown = null;
  const fails = async (smaller: Sequence) => {
    try {
      await play(smaller);
      return false;
    } catch (cause) {
      last = cause;
      return true;
    }
  };
  const reduced = await reduceSequence(failing, fails, Date.now() + REDUCE_MS);
  return `The smallest of ${reduced.tried} tried that fails too: ${last}\n` +
    `CONNECTOR_MODEL_SEQUENCE='${JSON.stringify(reduced.sequence)}'`;
}
