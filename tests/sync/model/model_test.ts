import { withDatabase } from "../../support/database.ts";
import { connectAsService, loadServiceAccount } from "../../support/drive_sync.ts";
import { readModelOptions } from "./options.ts";
import { play, type Stage } from "./play.ts";
import { playAll } from "./play_all.ts";
import { sequence } from "./random_sequence.ts";
import type { Sequence } from "./sequence.ts";

const options = readModelOptions<Sequence>({ usual: 200, share: 1 });

Deno.test(`${options.sequences} random sequences of changes, faults and kills leave the table exact`, () =>
  withDatabase(async (sql) => {
    const account = await loadServiceAccount();
    const stage: Stage = { sql, db: connectAsService(), account, tally: new Map() };
    await playAll(options, {
      path: "tests/sync/model",
      sequence,
      play: (each) => play(each, stage),
      tally: stage.tally,
    });
  }));
