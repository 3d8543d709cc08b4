import type { World } from "./world.ts";

/** One line of the table. */
export interface Result {
  readonly measure: string;
  /** What was measured, with its unit. */
  readonly figure: string;
  readonly must: string;
  readonly aim: string;
  readonly isMet: boolean;
  readonly isAimMet: boolean;
  /** The values behind the figure. */
  readonly detail: string;
}

/** One measurement: a name for `--row`, how it is done, and the lines it gives. */
export interface Row {
  readonly name: string;
  /** How it is measured, for the reader of the table. */
  readonly method: string;
  measure(world: World): Promise<readonly Result[]>;
}

/** A measurement and what it gave. */
export interface Measured {
  readonly row: Row;
  readonly results: readonly Result[];
}
