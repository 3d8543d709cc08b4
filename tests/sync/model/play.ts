/** Plays one sequence: on the test run's database, an emulated Drive, and the engine of production. */
import { DriveModel } from "../../../local/google/drive_model.ts";
import { createDriveEmulator, type DriveEmulator } from "../../../local/google/emulator.ts";
import type { ServiceAccountJson } from "../../../local/google/service_account.ts";
import type { ConnectorDb } from "../../../supabase/functions/_shared/db/connector_db.ts";
import { addEndpoint, type Sql } from "../../support/database.ts";
import { createTestClock, type TestClock } from "../../support/test_clock.ts";
import { createHistory, type History } from "./history.ts";
import { createPlayground, type Playground } from "./playground.ts";
import type { Edit, Meanwhile, Sequence, Step, SyncStep } from "./sequence.ts";
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
import { createWorker, type Worker } from "./worker.ts";

/** What all sequences share. */
export interface Stage {
  readonly sql: Sql;
  readonly db: ConnectorDb;
  readonly account: ServiceAccountJson;
  /** What has happened in all sequences so far: a model that tries nothing finds nothing. */
  readonly tally: Map<string, number>;
}

function count({ tally }: Stage, what: string, by = 1): void {
  if (by > 0) tally.set(what, (tally.get(what) ?? 0) + by);
}

/** Waits longer than this are for a heartbeat; shorter ones pass at once. */
const LONG_WAIT_MS = 39_000;

/** A bounded run is followed by the next one; so many bring the longest sequence to its end. */
const MOST_BOUNDED_RUNS = 120;

const QUIET: SyncStep = {
  do: "sync",
  mode: "incremental",
  troubles: [],
  interruption: null,
  meanwhile: [],
  cpuBudgetMs: 1_200,
};

/** Plays a sequence; throws when something is not as it must be. */
export async function play(sequence: Sequence, stage: Stage): Promise<void> {
  const clock = createTestClock(LONG_WAIT_MS);
  const model = new DriveModel({ now: () => clock.now().getTime() });
  const drive = createDriveEmulator({ model, serviceAccounts: [stage.account] });
  const ground = createPlayground(model, sequence.scope, stage.account.client_email);
  const history = createHistory(ground);
  for (const action of sequence.before) ground.act(action);
  history.note();
  const { sql } = stage;
  const endpoint = await addEndpoint(sql, {
    max_files_per_sync: null,
    schedule_type: "manual",
    endpoint_config: sql.json(JSON.parse(JSON.stringify(ground.config))),
  });
  const worker = createWorker({ ...stage, drive, clock, plan: sequence });
  const game: Game = {
    stage,
    clock,
    drive,
    ground,
    history,
    worker,
    endpoint,
    exactAt: 0,
    completedRuns: 0,
    known: new Set(),
    rows: new Set(),
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

interface Game {
  readonly stage: Stage;
  readonly clock: TestClock;
  readonly drive: DriveEmulator;
  readonly ground: Playground;
  readonly history: History;
  readonly worker: Worker;
  readonly endpoint: string;
  /** The history's step at which the table was last known to be exact. */
  exactAt: number;
  completedRuns: number;
  /** Files that were alive in the table then or have been since. */
  known: Set<string>;
  /** Every file that has a row. */
  readonly rows: Set<string>;
}

async function take(game: Game, step: Step): Promise<void> {
  const { stage: { sql }, endpoint, drive: { control }, history, clock } = game;
  clock.advance(1_000);
  switch (step.do) {
    case "sync":
      return await sync(game, step);
    case "expire_change_tokens":
      return control.expireChangeTokens();
    case "revoke_access_tokens":
      return control.revokeAccessTokens();
    case "audit_falls_due":
      await sql`
        update connector.endpoint_states set last_listing_completed_at = '2001-01-01'
        where endpoint_id = ${endpoint} and last_listing_completed_at is not null`;
      return;
    case "time_passes":
      return await letTimePass(game);
    case "tombstones_lapse":
      await sql`
        update public.files set deleted_at = '2001-01-01'
        where endpoint_id = ${endpoint} and deleted_at is not null`;
      await sql`select connector.apply_retention()`;
      game.rows.clear();
      return;
    case "limit_files":
    case "choose_types":
    case "switch_off_and_on":
    case "approve_deletions":
    case "request_full":
      return await edit(game, step);
    default:
      game.ground.act(step);
      history.note();
  }
}

async function edit({ stage: { sql }, endpoint, history }: Game, step: Edit): Promise<void> {
  switch (step.do) {
    case "limit_files":
      await sql`update public.endpoints set max_files_per_sync = ${step.files} where id = ${endpoint}`;
      return;
    case "choose_types": {
      const types = step.types === null ? null : sql.json([...step.types]);
      await sql`update public.endpoints set file_types = ${types} where id = ${endpoint}`;
      return history.chooseTypes(step.types);
    }
    case "switch_off_and_on":
      await sql`update public.endpoints set enabled = false where id = ${endpoint}`;
      await sql`update public.endpoints set enabled = true where id = ${endpoint}`;
      return;
    case "approve_deletions":
      await sql`
        select public.approve_deletions(s.endpoint_id) from connector.endpoint_states as s
        where s.endpoint_id = ${endpoint} and s.held_deletions is not null`;
      return;
    case "request_full":
      await sql`select public.request_sync(${endpoint}, 'full')`;
  }
}

/** One sync that was asked for, from its request to its end or to the worker's. */
async function sync(game: Game, step: SyncStep): Promise<void> {
  const { stage: { sql }, endpoint, drive: { control }, history, worker, clock } = game;
  await sql`select public.request_sync(${endpoint}, ${step.mode})`;
  for (const { plan } of step.troubles) control.addFault(plan);
  const stepBefore = history.step();
  const onDriveCall = async (call: number) => {
    clock.advance(10);
    for (const { at, event } of step.meanwhile) {
      if (at === call) await befall(game, event);
    }
  };
  const { interruption, cpuBudgetMs } = step;
  const isRunning = async () => (await readMachinery(sql, endpoint)).is_running;
  const isKilled = await worker.work({ interruption, onDriveCall, cpuBudgetMs }, isRunning);
  noteTroubles(game, step, isKilled);
  control.clearFaults();
  if (isKilled) await expireLease(game);
  await check(game, { isKilled, isDriveUnchanged: history.step() === stepBefore });
}

function noteTroubles(
  { stage, drive: { control } }: Game,
  { troubles }: SyncStep,
  isKilled: boolean,
): void {
  count(stage, "syncs");
  if (isKilled) count(stage, "killed");
  // A plan that has not been used up may have hit all the same; one that is gone has.
  count(stage, "troubles", troubles.length - control.faults.pending.length);
}

async function befall(game: Game, event: Meanwhile["event"]): Promise<void> {
  const { stage: { sql }, drive: { control }, ground, history } = game;
  switch (event.do) {
    case "expire_page_tokens":
      return control.expirePageTokens();
    case "expire_change_tokens":
      return control.expireChangeTokens();
    case "lose_lease":
      await expireLease(game);
      await sql`select connector.return_expired_leases()`;
      return;
    case "limit_files":
    case "choose_types":
    case "switch_off_and_on":
    case "approve_deletions":
    case "request_full":
      return await edit(game, event);
    default:
      ground.act(event);
      history.note();
  }
}

async function expireLease({ stage: { sql }, endpoint }: Game): Promise<void> {
  await sql`
    update connector.endpoint_states set lease_expires_at = now() - interval '1 second'
    where endpoint_id = ${endpoint} and lease_token is not null`;
}

async function check(
  game: Game,
  { isKilled, isDriveUnchanged }: { isKilled: boolean; isDriveUnchanged: boolean },
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
  if (!isCompleted || !isDriveUnchanged) return;
  if (machinery.owes_sweep) return checkUnswept(rows, history.expected());
  checkExact(rows, history.expected());
  checkNothingLeft(machinery);
  count(game.stage, "exact in between");
  game.exactAt = history.step();
  game.known = new Set(rows.filter(({ reason }) => reason === null).map(({ id }) => id));
}

/** The troubles are over and what was lost is back: two syncs, and all is as it should be. */
async function end(game: Game): Promise<void> {
  const { stage: { sql }, endpoint, ground, history } = game;
  ground.mend();
  history.note();
  await syncToTheEnd(game);
  const { held_deletions } = await readMachinery(sql, endpoint);
  if (held_deletions !== null) await sql`select public.approve_deletions(${endpoint})`;
  await syncToTheEnd(game);
  const rows = await readRows(sql, endpoint);
  checkExact(rows, history.expected());
  for (const { reason } of rows) count(game.stage, `files ${reason ?? "alive"}`);
  const machinery = await readMachinery(sql, endpoint);
  checkAtRest(machinery);
  checkNothingLeft(machinery);
}

/** A sync, and where the number of its files is bounded the ones after it. */
async function syncToTheEnd(game: Game): Promise<void> {
  const { stage: { sql }, endpoint } = game;
  for (let runs = 0; runs < MOST_BOUNDED_RUNS; runs++) {
    await letTimePass(game);
    await sync(game, QUIET);
    const { status, code } = await readMachinery(sql, endpoint);
    // A partial run without a reason has reached `max_files_per_sync`.
    if (status !== "partial" || code !== null) return;
  }
  throw new Error(`A bounded sync did not end within ${MOST_BOUNDED_RUNS} runs`);
}

/** What could not be read is tried again after a while. */
async function letTimePass({ stage: { sql }, endpoint }: Game): Promise<void> {
  await sql`
    update connector.folder_errors set next_attempt_at = now() where endpoint_id = ${endpoint}`;
}
