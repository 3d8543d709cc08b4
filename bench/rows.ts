import type { Row } from "./row.ts";
import { cpu } from "./rows/cpu.ts";
import { drain } from "./rows/drain.ts";
import { firstSync } from "./rows/first_sync.ts";
import { latency } from "./rows/latency.ts";
import { memory } from "./rows/memory.ts";
import { nothingChanged } from "./rows/nothing_changed.ts";
import { projectChanges } from "./rows/project_changes.ts";
import { projectQuota } from "./rows/project_quota.ts";
import { projectWalk } from "./rows/project_walk.ts";
import { rename } from "./rows/rename.ts";
import { tick } from "./rows/tick.ts";
import { unchangedListing } from "./rows/unchanged_listing.ts";

/** All measurements, in the order of the table. */
export const ROWS: readonly Row[] = [
  firstSync,
  latency,
  nothingChanged,
  rename,
  drain,
  tick,
  cpu,
  memory,
  unchangedListing,
  projectWalk,
  projectQuota,
  projectChanges,
];
