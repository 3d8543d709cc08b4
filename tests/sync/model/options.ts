/** How many sequences are played, and which. */
import { z } from "zod";

const Environment = z.object({
  /** How many sequences. */
  CONNECTOR_MODEL_SEQUENCES: z.coerce.number().int().positive().default(200),
  /** The seed of all of them. */
  CONNECTOR_MODEL_SEED: z.coerce.number().int().optional(),
  /** With a seed: one of its sequences, as a failure names it. */
  CONNECTOR_MODEL_PATH: z.string().min(1).optional(),
});

/** How many sequences are played, and which. */
export interface ModelOptions {
  readonly sequences: number;
  readonly seed: number;
  readonly path: string | undefined;
}

/** Reads the options from the environment; without a seed every run has another one. */
export function readModelOptions(): ModelOptions {
  const names = Object.keys(Environment.shape);
  const given = Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
  const read = Environment.parse(given);
  return {
    sequences: read.CONNECTOR_MODEL_SEQUENCES,
    seed: read.CONNECTOR_MODEL_SEED ?? crypto.getRandomValues(new Int32Array(1))[0] ?? 0,
    path: read.CONNECTOR_MODEL_PATH,
  };
}
