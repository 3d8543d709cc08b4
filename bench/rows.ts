import type { Row } from "./row.ts";
import { firstSync } from "./rows/first_sync.ts";

/** All measurements, in the order of the table. */
export const ROWS: readonly Row[] = [firstSync];
