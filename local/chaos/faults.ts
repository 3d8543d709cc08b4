/** What may be found wrong when the chaos is over. */

/** Everything that is looked at, in the order of the report. */
export const CHECKS = [
  "leases stuck beyond their time",
  "files lost",
  "files there twice",
  "files gone and still there",
  "files not up to date",
  "counters that are off",
  "runs left running",
  "endpoints not at rest",
  "leftovers of runs that are over",
  "runs ended as internal",
  "log lines that nobody writes",
  "things refused to people",
] as const;

/** One of {@linkcode CHECKS}. */
export type Check = typeof CHECKS[number];

/** Something that is not as it must be. */
export interface Fault {
  readonly check: Check;
  /** How many of them there are. */
  readonly count: number;
  /** Of the first ones, what there is to tell. */
  readonly told: string;
}

/** Most of one kind that are told. */
const MOST_TOLD = 3;

/** The fault of a list of things; none where the list is empty. */
export function faultOf(check: Check, list: readonly string[], prefix = ""): readonly Fault[] {
  if (list.length === 0) return [];
  const more = list.length > MOST_TOLD ? [`${list.length} in all`] : [];
  return [{
    check,
    count: list.length,
    told: prefix + [...list.slice(0, MOST_TOLD), ...more].join("; "),
  }];
}

/** How many there are of each, those included of which there is none. */
export function countFaults(faults: readonly Fault[]): ReadonlyMap<Check, number> {
  return new Map(CHECKS.map((check) => {
    const ours = faults.filter((fault) => fault.check === check);
    return [check, ours.reduce((sum, { count }) => sum + count, 0)];
  }));
}
