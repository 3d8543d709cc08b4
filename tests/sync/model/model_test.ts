import assert from "node:assert/strict";
import fc from "fast-check";
import { createTerminal } from "../../../local/terminal.ts";
import { withDatabase } from "../../support/database.ts";
import { connectAsService, loadServiceAccount } from "../../support/drive_sync.ts";
import { readModelOptions } from "./options.ts";
import { play, type Stage } from "./play.ts";
import { type Sequence, sequence } from "./sequence.ts";

const options = readModelOptions();

/** How long a smaller sequence is looked for that fails too. */
const SHRINK_MS = 60_000;

/** Plays sequences; some time after the first failure all others count as good, which ends the search. */
function createPlayer(stage: Stage): (each: Sequence) => Promise<void> {
  let failedAtMs = Infinity;
  return async (each) => {
    if (Date.now() - failedAtMs > SHRINK_MS) return;
    try {
      await play(each, stage);
    } catch (cause) {
      failedAtMs = Math.min(failedAtMs, Date.now());
      throw cause;
    }
  };
}

Deno.test(`${options.sequences} random sequences of changes, troubles and kills leave the table exact`, () =>
  withDatabase(async (sql) => {
    const stage: Stage = {
      sql,
      db: connectAsService(),
      account: await loadServiceAccount(),
      tally: new Map(),
    };
    const { seed, sequences, path } = options;
    const terminal = createTerminal();
    terminal.line(`model: seed ${seed}, ${sequences} sequences`);
    const result = await fc.check(
      fc.asyncProperty(sequence, createPlayer(stage)),
      { seed, numRuns: sequences, ...(path === undefined ? {} : { path }) },
    );
    terminal.line(`model: ${JSON.stringify(Object.fromEntries([...stage.tally].sort()))}`);
    if (!result.failed) return;
    const again =
      `CONNECTOR_MODEL_SEED=${result.seed} CONNECTOR_MODEL_PATH=${result.counterexamplePath} ` +
      "npx deno task test tests/sync/model";
    const shown = JSON.stringify(result.counterexample?.[0], null, 1);
    assert.fail(
      `Sequence ${result.numRuns} failed: ${result.errorInstance}\n` +
        `Smallest failing sequence found (in ${result.numShrinks} steps): ${shown}\nAgain: ${again}`,
    );
  }));
