/** Plays a sequence, whichever the provider: its steps one by one, what is checked after each sync, its end. */
import { addEndpoint, type Sql } from "../../support/database.ts";
import type { TestClock } from "../../support/test_clock.ts";
import type { History } from "./history.ts";
import {
  edit,
  type EndpointInPlay,
  expireLease,
  isEdit,
  isEndpointStep,
  letTimePass,
  loseLease,
  takeEndpointStep,
} from "./endpoint_steps.ts";
import type { AnySequence, AnySyncStep, EndpointStep, Meanwhile } from "./sequence.ts";
import {
  checkAlways,
  checkAtRest,
  checkExact,
  checkKept,
  checkNothingLeft,
  checkUnswept,
  readMachinery,
  readRows,
} from "./table.ts";
import type { Worker } from "./worker.ts";

/** What all sequences share, whichever the provider. */
export interface CommonStage {
  readonly sql: Sql;
  /** What has happened in all sequences so far: a model that tries nothing finds nothing. */
  readonly tally: Map<string, number>;
}

/** What a sequence is played on. */
export interface Board<Plan, Event> {
  readonly stage: CommonStage;
  readonly clock: TestClock;
  readonly control: {
    addFault(plan: Plan): void;
    clearFaults(): void;
    readonly faults: { readonly pending: readonly unknown[] };
  };
  readonly worker: Worker;
  readonly history: History;
  readonly endpoint: {
    readonly endpoint_type: string;
    readonly endpoint_config: Readonly<Record<string, unknown>>;
  };
  /** Lets something happen at the provider; the history is told where it may differ afterwards. */
  readonly happen: (event: Event) => void;
  /** Gives back every lost part of the scope. */
  readonly mend: () => void;
  /** What the last syncs are, after which all must be as it should be. */
  readonly lastSyncs: Mode;
  /** Whether a completed run of this mode leaves the table exact. */
  readonly isExactAfter: (mode: Mode) => boolean;
  /** Whether a run also learns what happens to what it has read already: from a change log. */
  readonly hearsOfChanges: boolean;
  /** Whether a file is out of sight at the moment, so that its row stays as it was. */
  readonly isUncertain: (id: string) => boolean;
}

/** What a run looks at. */
export type Mode = AnySyncStep<unknown, unknown>["mode"];

type Step<Plan, Event> = Event | EndpointStep | AnySyncStep<Plan, Event>;

function count({ tally }: CommonStage, what: string, by = 1): void {
  if (by > 0) tally.set(what, (tally.get(what) ?? 0) + by);
}

/** Waits longer than this are for a heartbeat; shorter ones pass at once. */
export const LONG_WAIT_MS = 39_000;

/** A bounded run is followed by the next one; so many bring the longest sequence to its end. */
const MOST_BOUNDED_RUNS = 120;

const QUIET = {
  do: "sync",
  troubles: [],
  interruption: null,
  meanwhile: [],
  cpuBudgetMs: 1_200,
} as const;

/** Plays the steps of a sequence, and what must follow them; throws when something is not as it must be. */
export async function playGame<Plan, Event extends { readonly do: string }>(
  sequence: AnySequence<unknown, Step<Plan, Event>>,
  board: Board<Plan, Event>,
): Promise<void> {
  const { sql } = board.stage;
  board.history.note();
  const { endpoint_type, endpoint_config } = board.endpoint;
  const endpoint = await addEndpoint(sql, {
    endpoint_type,
    max_files_per_sync: null,
    schedule_type: "manual",
    endpoint_config: sql.json(JSON.parse(JSON.stringify(endpoint_config))),
  });
  const game = {
    ...board,
    endpoint,
    exactAt: 0,
    begunAt: 0,
    completedRuns: 0,
    known: new Set<string>(),
    rows: new Set<string>(),
  };
  await sql`update connector.settings set fuse_files = ${sequence.fuseFiles}`;
  try {
    for (const step of sequence.steps) await take(game, step);
    await end(game);
  } finally {
    await sql`update connector.settings set fuse_files = default`;
    await sql`delete from public.endpoints where id = ${endpoint}`;
  }
}

interface Game<Plan, Event> extends Omit<Board<Plan, Event>, "endpoint">, EndpointInPlay {
  readonly stage: CommonStage;
  readonly history: History;
  /** The history's step at which the table was last known to be exact. */
  exactAt: number;
  /** The history's step at which the run, or the listing that it goes on with, began. */
  begunAt: number;
  completedRuns: number;
  /** Files that were alive in the table then or have been since. */
  known: Set<string>;
}

function isSync<Plan, Event extends { readonly do: string }>(
  step: Step<Plan, Event>,
): step is AnySyncStep<Plan, Event> {
  return step.do === "sync";
}

async function take<Plan, Event extends { readonly do: string }>(
  game: Game<Plan, Event>,
  step: Step<Plan, Event>,
): Promise<void> {
  game.clock.advance(1_000);
  if (isSync(step)) return await sync(game, step);
  if (isEndpointStep(step)) return await takeEndpointStep(game, step);
  game.happen(step);
}

/** One sync that was asked for, from its request to its end or to the worker's. */
async function sync<Plan, Event extends { readonly do: string }>(
  game: Game<Plan, Event>,
  step: AnySyncStep<Plan, Event>,
): Promise<void> {
  const { stage: { sql }, endpoint, control, history, worker, clock } = game;
  await sql`select public.request_sync(${endpoint}, ${step.mode})`;
  for (const { plan } of step.troubles) control.addFault(plan);
  const { is_running, listings } = await readMachinery(sql, endpoint);
  if (game.hearsOfChanges || (!is_running && listings === 0)) game.begunAt = history.step();
  const onCall = async (call: number) => {
    clock.advance(10);
    for (const { at, event } of step.meanwhile) {
      if (at === call) await befall(game, event);
    }
  };
  const { interruption, cpuBudgetMs } = step;
  const isRunning = async () => (await readMachinery(sql, endpoint)).is_running;
  const isKilled = await worker.work({ interruption, onCall, cpuBudgetMs }, isRunning);
  noteTroubles(game, step, isKilled);
  control.clearFaults();
  if (isKilled) await expireLease(game);
  await check(game, { mode: step.mode, isKilled, isUnchanged: history.step() === game.begunAt });
}

async function befall<Plan, Event extends { readonly do: string }>(
  game: Game<Plan, Event>,
  event: Meanwhile<Event>["event"],
): Promise<void> {
  if (isLoss(event)) return await loseLease(game);
  if (isEdit(event)) return await edit(game, event);
  game.happen(event);
}

function isLoss<Other extends { readonly do: string }>(
  event: Other | { readonly do: "lose_lease" },
): event is { readonly do: "lose_lease" } {
  return event.do === "lose_lease";
}

function noteTroubles<Plan, Event>(
  { stage, control }: Game<Plan, Event>,
  { troubles }: AnySyncStep<Plan, Event>,
  isKilled: boolean,
): void {
  count(stage, "syncs");
  if (isKilled) count(stage, "killed");
  // A plan that has not been used up may have hit all the same; one that is gone has.
  count(stage, "troubles", troubles.length - control.faults.pending.length);
}

async function check<Plan, Event>(
  game: Game<Plan, Event>,
  { mode, isKilled, isUnchanged }: {
    readonly mode: Mode;
    readonly isKilled: boolean;
    readonly isUnchanged: boolean;
  },
): Promise<void> {
  const { stage: { sql }, endpoint, history, known, exactAt } = game;
  const rows = await readRows(sql, endpoint);
  const machinery = await readMachinery(sql, endpoint);
  checkAlways(rows, machinery, known, { history, exactAt });
  checkKept(rows, game.rows);
  for (const { id, reason } of rows) if (reason === null) known.add(id);
  if (!isKilled) checkAtRest(machinery);
  count(game.stage, `status ${machinery.status}`);
  const isCompleted = machinery.completed_runs > game.completedRuns && !machinery.is_running;
  game.completedRuns = machinery.completed_runs;
  // A run that calls itself completed has seen everything that was there all the while.
  if (!isCompleted || !isUnchanged || !game.isExactAfter(mode)) return;
  const certain = rows.filter(({ id }) => !game.isUncertain(id));
  if (machinery.owes_sweep) return checkUnswept(certain, history.expected());
  checkExact(certain, history.expected());
  checkNothingLeft(machinery);
  count(game.stage, "exact in between");
  game.exactAt = history.step();
  game.known = new Set(rows.filter(({ reason }) => reason === null).map(({ id }) => id));
}

/** The troubles are over and what was lost is back: two syncs, and all is as it should be. */
async function end<Plan, Event extends { readonly do: string }>(
  game: Game<Plan, Event>,
): Promise<void> {
  const { stage: { sql }, endpoint, history } = game;
  game.mend();
  history.note();
  await syncToTheEnd(game);
  const { held_deletions } = await readMachinery(sql, endpoint);
  if (held_deletions !== null) await sql`select public.approve_deletions(${endpoint})`;
  await syncToTheEnd(game);
  const rows = await readRows(sql, endpoint);
  checkExact(rows, history.expected());
  for (const { reason } of rows) count(game.stage, `files ${reason ?? "alive"}`);
  count(game.stage, "listed in windows", Number(await wasListedInWindows(sql, endpoint)));
  const machinery = await readMachinery(sql, endpoint);
  checkAtRest(machinery);
  checkNothingLeft(machinery);
}

async function wasListedInWindows(sql: Sql, endpoint: string): Promise<boolean> {
  const [row] = await sql`
    select exists (
      select from public.sync_logs where endpoint_id = ${endpoint} and receipt ? 'windows') as was`;
  return row?.["was"] === true;
}

/** A sync, and where the number of its files is bounded the ones after it. */
async function syncToTheEnd<Plan, Event extends { readonly do: string }>(
  game: Game<Plan, Event>,
): Promise<void> {
  const { stage: { sql }, endpoint } = game;
  for (let runs = 0; runs < MOST_BOUNDED_RUNS; runs++) {
    await letTimePass(game);
    // Who asks for a full sync again has it begin anew.
    await sync(game, { ...QUIET, mode: runs === 0 ? game.lastSyncs : "incremental" });
    const { status, code } = await readMachinery(sql, endpoint);
    // A partial run without a reason has reached `max_files_per_sync`.
    if (status !== "partial" || code !== null) return;
  }
  throw new Error(`A bounded sync did not end within ${MOST_BOUNDED_RUNS} runs`);
}
