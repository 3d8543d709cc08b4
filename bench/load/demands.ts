import type { Lag, Waiting } from "./lags.ts";
import type { LoadReport } from "./report.ts";
import { LARGEST_SESSION, type ProcessUse, PROVIDER, SERVER } from "./sampler.ts";

/** What a function may have on the platform. */
const MOST_FUNCTION_MIB = 256;
/**
 * What a runtime's heap may rise before it is tidied up. In ten minutes some 5,000 syncs lie between
 * the middles of the two halves: what each of them left behind would be seen.
 */
const MOST_GROWTH_MIB = 32;
/** Ten of the REST API, and what the scheduler has of its own. */
const MOST_SESSIONS = 25;
/** Whoever has few endpoints is begun within this, counted from the tick, however much is due. */
const MOST_SECONDS_OF_OTHERS = 15;

/** Something that must hold under load. */
export interface Demand {
  readonly what: string;
  readonly must: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** What must hold, and whether it held. */
export function demandsOf(report: LoadReport): readonly Demand[] {
  const { failures, leftBehind, samples, loggedErrors } = report;
  const failed = Object.entries(failures);
  const grown = samples.processes.filter(isOurs).filter(hasGrown);
  const large = samples.processes.filter(isFunction).filter(({ largest }) =>
    largest > MOST_FUNCTION_MIB
  );
  return [
    count("runs that did not complete", failed.reduce((sum, [, runs]) => sum + runs, 0), failed),
    count("errors in the functions' logs", loggedErrors),
    count("endpoints without a run in the last 2.5 minutes", leftBehind),
    startOfOthers(report.lags, report.waiting),
    {
      what: "database sessions at one time",
      must: `≤ ${MOST_SESSIONS}`,
      measured: String(samples.mostConnections),
      isMet: samples.mostConnections <= MOST_SESSIONS,
    },
    {
      what: "functions above the platform's memory",
      must: `0 above ${MOST_FUNCTION_MIB} MiB`,
      measured: names(large),
      isMet: large.length === 0,
    },
    {
      what: "processes whose memory grows from the first half to the second",
      must: `0 by more than ${MOST_GROWTH_MIB} MiB`,
      measured: names(grown),
      isMet: grown.length === 0,
    },
  ];
}

/** How much more a process had in the second half of the time than in the first, in mebibytes. */
export function growthOf({ firstHalf, secondHalf }: ProcessUse): number {
  return secondHalf - firstHalf;
}

function hasGrown(use: ProcessUse): boolean {
  return growthOf(use) > MOST_GROWTH_MIB;
}

function isOurs({ name }: ProcessUse): boolean {
  return name !== PROVIDER;
}

function isFunction(use: ProcessUse): boolean {
  return ![PROVIDER, SERVER, LARGEST_SESSION, "gateway and REST", "scheduler"].includes(use.name);
}

function names(uses: readonly ProcessUse[]): string {
  return uses.length === 0 ? "0" : uses.map(({ name }) => name).join(", ");
}

function count(what: string, found: number, kinds: readonly [string, number][] = []): Demand {
  const told = kinds.map(([kind, times]) => `${times} × ${kind}`).join(", ");
  const measured = told === "" ? String(found) : `${found} (${told})`;
  return { what, must: "0", measured, isMet: found === 0 };
}

function startOfOthers(lags: readonly Lag[], waiting: Waiting): Demand {
  const others = lags.find(({ whose }) => whose === "the other 49");
  const started = others?.after_tick_largest ?? Infinity;
  // Whoever is due waits a minute for the tick at most.
  const isMet = started <= MOST_SECONDS_OF_OTHERS &&
    waiting.longest_of_others <= 60 + MOST_SECONDS_OF_OTHERS;
  return {
    what: "tick → started of the other 49, longest",
    must: `≤ ${MOST_SECONDS_OF_OTHERS} s`,
    measured: `${started.toFixed(1)} s`,
    isMet,
  };
}
