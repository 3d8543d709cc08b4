/** A whole campaign: kills and troubles at instants decided by a seed, then peace, then the truth. */
import { oneLine, StackError } from "../failure.ts";
import type { StackOptions } from "../stack_options.ts";
import { type Chance, createChance, keysOf } from "./chance.ts";
import { awaitConvergence, type Convergence } from "./convergence.ts";
import { kill, type Killed, type Victim, VICTIMS } from "./kills.ts";
import { type LapsedLeases, watchLeases } from "./lease_watch.ts";
import { createStage, type Stage } from "./stage.ts";
import { calm, cause, type Trouble, TROUBLES } from "./troubles.ts";
import { startUsers } from "./users.ts";

/** What a campaign is to be like. */
export interface CampaignOptions {
  readonly server: StackOptions["server"];
  readonly seed: number;
  readonly kills: number;
  /** Numbers of files are multiplied by this. */
  readonly scale: number;
  /** Longest pause between two blows. */
  readonly longestPauseMs: number;
  /** Longest that a trouble lasts. */
  readonly longestTroubleMs: number;
  /**
   * Kills every function once more at the end, so that no lease is left whose holder lives and has
   * given up: without it those run out by themselves, which takes two minutes.
   */
  readonly endsWithDeploy: boolean;
  readonly say: (line: string) => void;
}

/** What a campaign did, and what was found at its end. */
export interface CampaignReport extends Convergence {
  readonly kills: Readonly<Record<string, number>>;
  readonly troubles: Readonly<Record<string, number>>;
  readonly killed: number;
  /** Leases whose holder was killed with them in its hands. */
  readonly leasesLost: number;
  /** Of them, those of first syncs. */
  readonly firstSyncsLost: number;
  readonly lapsed: LapsedLeases;
  readonly changes: number;
  readonly seconds: number;
  readonly serverVersion: string;
  readonly standIns: readonly string[];
}

/** A campaign that takes longer than this, and this for each kill, hangs. */
const LONGEST_MS = 900_000;
const LONGEST_MS_PER_KILL = 20_000;

/** Runs a campaign on a stack of its own. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const startedAtMs = performance.now();
  const chance = createChance(options.seed);
  await using stage = await createStage({ ...options, chance });
  options.say("the stack is up; the chaos begins");
  using limit = createLimit(options.kills);
  // The stage is taken down whatever ends this, and so nothing waits for ever.
  const found = await Promise.race([
    play(stage, chance, options),
    limit.passed,
    stage.stack.failed.then((reason) => Promise.reject(reason)),
  ]);
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  return { ...found, seconds, standIns: stage.stack.info.stand_ins };
}

/** Rejects when a campaign takes much longer than any should. */
function createLimit(kills: number): Disposable & { readonly passed: Promise<never> } {
  const passed = Promise.withResolvers<never>();
  const ms = LONGEST_MS + kills * LONGEST_MS_PER_KILL;
  const timer = setTimeout(
    () => passed.reject(new StackError(`The campaign did not end within ${ms / 60_000} minutes`)),
    ms,
  );
  return { passed: passed.promise, [Symbol.dispose]: () => clearTimeout(timer) };
}

async function play(
  stage: Stage,
  chance: Chance,
  options: CampaignOptions,
): Promise<Omit<CampaignReport, "seconds" | "standIns">> {
  const leases = watchLeases(stage);
  const users = startUsers(stage, createChance(options.seed + 1));
  const deeds = await strike(stage, chance, options);
  await calm(stage);
  const { changes, faults: refusals } = await users.stop();
  options.say(`${deeds.killed} processes were killed; waiting for peace`);
  const convergence = await awaitConvergence(stage, users.seen, options.say);
  const lapsed = await leases.stop();
  const [row] = await stage.sql<[{ server_version: string }]>`show server_version`;
  const faults = [...convergence.faults, ...lapsed.faults, ...refusals];
  return {
    ...convergence,
    ...deeds,
    lapsed,
    faults,
    changes,
    serverVersion: row.server_version,
  };
}

interface Deeds {
  readonly kills: Record<string, number>;
  readonly troubles: Record<string, number>;
  killed: number;
  leasesLost: number;
  firstSyncsLost: number;
}

/** One trouble comes for so many kills. */
const KILLS_PER_TROUBLE = 2;

async function strike(
  stage: Stage,
  chance: Chance,
  options: CampaignOptions,
): Promise<Deeds> {
  const { kills, longestPauseMs, say } = options;
  const deeds: Deeds = { kills: {}, troubles: {}, killed: 0, leasesLost: 0, firstSyncsLost: 0 };
  const underWay = new Map<string, Promise<void>>();
  const begin = (name: string, work: Promise<unknown>) => {
    const settled = work.then(
      () => {},
      (thrown) => say(`  ${name} was cut short: ${oneLine(thrown)}`),
    )
      .finally(() => underWay.delete(name));
    underWay.set(name, settled);
  };
  const note = (victim: Victim, { processes, leases, firstSyncs }: Killed) => {
    deeds.killed += processes;
    deeds.leasesLost += processes > 0 ? leases : 0;
    deeds.firstSyncsLost += processes > 0 ? firstSyncs : 0;
    deeds.kills[victim] = (deeds.kills[victim] ?? 0) + processes;
    say(`${deeds.killed}/${kills} killed: ${victim}${leases > 0 ? ` with ${leases} leases` : ""}`);
  };
  const later = (work: Promise<unknown>) => begin(`a lapse ${crypto.randomUUID()}`, work);
  const untried = keysOf(VICTIMS);
  // A server with the real extensions has its scheduler inside.
  const isThere = (victim: Victim) => victim !== "scheduler" || stage.stack.workerPid() !== null;
  // Each kind once, and then as often as its weight says.
  const nextVictim = (): Victim => {
    const at = chance.between(0, untried.length - 1);
    const victim = untried.splice(at, 1)[0] ?? chance.weighted(VICTIMS);
    return isThere(victim) ? victim : "session";
  };
  // The last ones are kept for the end.
  const before = options.endsWithDeploy ? kills - 3 : kills;
  while (deeds.killed < before) {
    await sleep(chance.between(50, longestPauseMs));
    const isTrouble = chance.between(0, KILLS_PER_TROUBLE) === 0;
    if (isTrouble) {
      const trouble: Trouble = chance.weighted(TROUBLES);
      const ms = chance.between(200, options.longestTroubleMs);
      if (underWay.has(trouble)) continue;
      deeds.troubles[trouble] = (deeds.troubles[trouble] ?? 0) + 1;
      begin(trouble, cause(trouble, ms, stage, chance));
    } else {
      const victim = nextVictim();
      const killed = await kill(victim, stage, chance, later);
      note(victim, killed);
      // It was down already.
      if (killed.processes === 0) untried.push(victim);
    }
  }
  await Promise.all([...underWay.values()]);
  // Once the database answers, for else nobody could tell whose leases those were.
  while (options.endsWithDeploy) {
    await calm(stage);
    note("deploy", await kill("deploy", stage, chance, later));
    if (deeds.killed >= kills) break;
    await sleep(300);
  }
  return deeds;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
