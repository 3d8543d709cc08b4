/** How many sequences are played, and which. */
import { z } from "zod";

const Environment = z.object({
  /** How many sequences, of the provider that plays most of them. */
  CONNECTOR_MODEL_SEQUENCES: z.coerce.number().int().positive().optional(),
  /** The seed of all of them. */
  CONNECTOR_MODEL_SEED: z.coerce.number().int().optional(),
  /** With a seed: one of its sequences, as a failure names it. */
  CONNECTOR_MODEL_PATH: z.string().min(1).optional(),
  /** One sequence as it is, in JSON. */
  CONNECTOR_MODEL_SEQUENCE: z.string().transform((text): unknown => JSON.parse(text)).optional(),
});

/** How many sequences are played, and which. */
export interface ModelOptions<Sequence> {
  readonly sequences: number;
  readonly seed: number;
  readonly path: string | undefined;
  /** Only this one, instead. */
  readonly sequence: Sequence | undefined;
}

/** The seed of the run that every change must pass: a fault it finds is the change's, not chance's. */
const USUAL_SEED = 20261122;

/** How many of its sequences a provider plays. */
export interface Amount {
  /** In every usual run. */
  readonly usual: number;
  /** Of the number that the environment names: this part. */
  readonly share: number;
}

/**
 * Reads the options from the environment. Without a seed, the usual run plays the usual sequences,
 * and a run of another length, such as `test:long`, plays new ones every time.
 */
export function readModelOptions<Sequence>({ usual, share }: Amount): ModelOptions<Sequence> {
  const names = Object.keys(Environment.shape);
  const given = Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
  const read = Environment.parse(given);
  const { CONNECTOR_MODEL_SEQUENCES: most, CONNECTOR_MODEL_SEQUENCE: one } = read;
  return {
    sequences: most === undefined ? usual : Math.ceil(most * share),
    seed: read.CONNECTOR_MODEL_SEED ??
      (most === undefined ? USUAL_SEED : newSeed()),
    path: read.CONNECTOR_MODEL_PATH,
    sequence: z.custom<Sequence>((value) => typeof value === "object").optional().parse(one),
  };
}

function newSeed(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
}
