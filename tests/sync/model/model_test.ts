import assert from "node:assert/strict";
import fc from "fast-check";
import { createTerminal, type Terminal } from "../../../local/terminal.ts";
import { withDatabase } from "../../support/database.ts";
import { connectAsService, loadServiceAccount } from "../../support/drive_sync.ts";
import { type ModelOptions, readModelOptions } from "./options.ts";
import { play, type Stage } from "./play.ts";
import { reduceSequence } from "./reduce.ts";
import { type Sequence, sequence } from "./sequence.ts";

/** How long a smaller sequence is looked for that fails too. */
const REDUCE_MS = 120_000;

const options = readModelOptions();

Deno.test(`${options.sequences} random sequences of changes, faults and kills leave the table exact`, () =>
  withDatabase(async (sql) => {
    const stage: Stage = {
      sql,
      db: connectAsService(),
      account: await loadServiceAccount(),
      tally: new Map(),
    };
    const terminal = createTerminal();
    if (options.sequence !== undefined) return await play(options.sequence, stage);
    await playAll(options, stage, terminal);
  }));

async function playAll(
  { seed, path, sequences }: ModelOptions,
  stage: Stage,
  terminal: Terminal,
): Promise<void> {
  terminal.line(`model: seed ${seed}, ${sequences} sequences`);
  const startedAtMs = Date.now();
  const result = await fc.check(
    fc.asyncProperty(sequence, (each) => play(each, stage)),
    { seed, numRuns: sequences, endOnFailure: true, ...(path === undefined ? {} : { path }) },
  );
  const seconds = Math.round((Date.now() - startedAtMs) / 1000);
  const tally = [...stage.tally].sort().map(([what, times]) => `${times} ${what}`).join(", ");
  terminal.line(`model: ${result.numRuns} sequences in ${seconds} s: ${tally}`);
  const [failing] = result.counterexample ?? [];
  if (!result.failed || failing === undefined) return;
  const again = `CONNECTOR_MODEL_SEED=${seed} CONNECTOR_MODEL_PATH=${result.counterexamplePath}`;
  assert.fail(
    `Sequence ${result.numRuns} of seed ${seed} failed: ${result.errorInstance}\n` +
      `Again: ${again} npx deno task test tests/sync/model\n${await smallest(failing, stage)}`,
  );
}

/** What is left of a failing sequence without all that its failure does not need. */
async function smallest(failing: Sequence, stage: Stage): Promise<string> {
  let last: unknown = null;
  const fails = async (smaller: Sequence) => {
    try {
      await play(smaller, stage);
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
