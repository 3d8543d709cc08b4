import { withDatabase } from "../../support/database.ts";
import { connectAsService } from "../../support/synced.ts";
import { readModelOptions } from "../model/options.ts";
import { playAll } from "../model/play_all.ts";
import { play, type Stage } from "./play.ts";
import { type Sequence, sequence } from "./sequence.ts";

const options = readModelOptions<Sequence>({ usual: 100, share: 0.5 });

Deno.test(`${options.sequences} random sequences on an Autodesk project leave the table exact`, () =>
  withDatabase(async (sql) => {
    const stage: Stage = { sql, db: connectAsService(), tally: new Map() };
    await playAll(options, {
      path: "tests/sync/autodesk_model",
      sequence,
      play: (each) => play(each, stage),
      tally: stage.tally,
    });
  }));
