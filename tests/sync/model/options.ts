/** How many sequences are played, and which. */
import { z } from "zod";
import type { Sequence } from "./sequence.ts";

const Environment = z.object({
  /** How many sequences. */
  CONNECTOR_MODEL_SEQUENCES: z.coerce.number().int().positive().default(200),
  /** The seed of all of them. */
  CONNECTOR_MODEL_SEED: z.coerce.number().int().optional(),
  /** With a seed: one of its sequences, as a failure names it. */
  CONNECTOR_MODEL_PATH: z.string().min(1).optional(),
  /** One sequence as it is, in JSON. */
  CONNECTOR_MODEL_SEQUENCE: z.string().transform((text): unknown => JSON.parse(text))
    .pipe(z.custom<Sequence>((value) => typeof value === "object" && value !== null)).optional(),
});

/** How many sequences are played, and which. */
export interface ModelOptions {
  readonly sequences: number;
  readonly seed: number;
  readonly path: string | undefined;
  /** Only this one, instead. */
  readonly sequence: Sequence | undefined;
}

/** The seed of the run that every change must pass: a fault it finds is the change's, not chance's. */
const USUAL_SEED = 20261122;

/**
 * Reads the options from the environment. Without a seed, the usual run plays the usual sequences,
 * and a run of another length, such as `test:long`, plays new ones every time.
 */
export function readModelOptions(): ModelOptions {
  const names = Object.keys(Environment.shape);
  const given = Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
  const read = Environment.parse(given);
  return {
    sequences: read.CONNECTOR_MODEL_SEQUENCES,
    seed: read.CONNECTOR_MODEL_SEED ??
      (given.CONNECTOR_MODEL_SEQUENCES === undefined ? USUAL_SEED : newSeed()),
    path: read.CONNECTOR_MODEL_PATH,
    sequence: read.CONNECTOR_MODEL_SEQUENCE,
  };
}

function newSeed(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
}
