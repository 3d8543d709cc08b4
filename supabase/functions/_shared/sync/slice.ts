import type { Lease, SliceContext } from "../db/connector_db.ts";
import { toSyncError } from "../errors.ts";
import { type Budget, createBudget } from "./budget.ts";
import { retryUnavailable } from "./db_retry.ts";
import type { EngineDeps } from "./deps.ts";
import { BEGIN_AGAIN_AFTER_MS, LANES } from "./limits.ts";
import { type EndpointSlice, runEndpoint } from "./run.ts";

/** How one invocation's work is bounded; production takes the defaults of `limits.ts`. */
export interface SliceOptions {
  /** When the request arrived; the wall clock runs from there. */
  readonly startedAt?: Date;
  /** Whether it is worth asking for more endpoints; true unless told. */
  readonly isMoreDue?: boolean;
  readonly sliceMs?: number;
  readonly cpuBudgetMs?: number;
}

/**
 * Works on the leased endpoints, several at a time, and on more due ones while the budget lasts. Wakes
 * the dispatcher when work is left. Never throws, and one endpoint's failure touches no other.
 */
export async function workLeases<Config>(
  leases: readonly Lease[],
  deps: EngineDeps<Config>,
  options: SliceOptions = {},
): Promise<void> {
  const budget = createBudget({
    startedAt: deps.now(),
    ...options,
    now: deps.now,
    unloading: deps.unloading,
  });
  const desk = createDesk(budget, deps, options.isMoreDue ?? true);
  try {
    await desk.begin(leases);
    await Promise.all(Array.from({ length: LANES }, () => workLane(desk, budget, deps)));
    await Promise.all(Array.from({ length: LANES }, () => giveBack(desk, deps)));
    if (desk.isWorkLeft()) await deps.wakeDispatcher();
  } catch (cause) {
    // Nothing above throws on purpose. The leases expire, and the next tick goes on.
    deps.log.error("invocation_broken", { cause });
  }
}

/** Where the lanes get their endpoints. */
interface Desk {
  begin(leases: readonly Lease[]): Promise<void>;
  /** The next endpoint at hand, or claimed now; `null` when nothing is due. */
  next(): Promise<EndpointSlice | null>;
  /** The next endpoint at hand. */
  takeWaiting(): EndpointSlice | null;
  noteWorkLeft(): void;
  isWorkLeft(): boolean;
}

function createDesk<Config>(
  budget: Budget,
  deps: EngineDeps<Config>,
  isMoreDueAtFirst: boolean,
): Desk {
  const waiting: EndpointSlice[] = [];
  let isMoreDue = isMoreDueAtFirst;
  let isWorkLeft = false;
  let idleLanes = 0;
  let pulling: Promise<boolean> | null = null;

  async function begin(leases: readonly Lease[]): Promise<void> {
    const contexts = await beginSlice(leases, budget, deps);
    take(contexts ?? []);
    if (contexts === null || contexts.length === leases.length) return;
    // What its owner has in hand is passed over by the database, and would lie idle until its lease runs
    // out.
    const begun = new Set(contexts.map(({ endpoint_id }) => endpoint_id));
    const missing = leases.filter(({ endpoint_id }) => !begun.has(endpoint_id));
    if (await canWait(BEGIN_AGAIN_AFTER_MS, budget, deps)) {
      take(await beginSlice(missing, budget, deps) ?? []);
    }
  }

  function take(contexts: readonly SliceContext[]): void {
    const leasedAt = deps.now();
    // An unfinished listing is long work; what is probably short does not wait behind it.
    const isLong = ({ listing }: SliceContext) => listing === null ? 0 : 1;
    waiting.push(
      ...contexts.toSorted((a, b) => isLong(a) - isLong(b)).map((context) => ({
        context,
        leasedAt,
      })),
    );
  }

  /** Claims for the lanes that are idle; answers whether each of them got what it asked for. */
  async function pull(): Promise<boolean> {
    // Lanes that become idle together ask together.
    await Promise.resolve();
    // A lease that waits for a lane counts as a running sync, and would keep others from running.
    const batch = idleLanes;
    try {
      budget.spend({ calls: 1 });
      const { claims, more_due } = await deps.db.claim({
        maxConcurrent: deps.maxConcurrentSyncs,
        batch,
        endpointType: deps.provider.key,
      });
      isMoreDue = more_due;
      if (claims.length > 0) await begin(claims);
      return claims.length >= batch;
    } catch (cause) {
      // What is due stays due: the next tick finds it.
      isMoreDue = false;
      deps.log.warn("claim_failed", { cause });
      return false;
    }
  }

  async function takeOrPull(): Promise<EndpointSlice | null> {
    for (let isMoreToHave = true;;) {
      const slice = waiting.shift();
      if (slice !== undefined) return slice;
      if (!isMoreToHave || !isMoreDue || budget.isSpent()) return null;
      pulling ??= pull().finally(() => pulling = null);
      isMoreToHave = await pulling;
    }
  }

  return {
    begin,
    async next() {
      idleLanes += 1;
      const slice = await takeOrPull();
      idleLanes -= 1;
      return slice;
    },
    takeWaiting: () => waiting.shift() ?? null,
    noteWorkLeft: () => {
      isWorkLeft = true;
    },
    isWorkLeft: () => isWorkLeft || (isMoreDue && budget.isSpent()),
  };
}

/** Waits; answers whether there is time left after it. */
async function canWait<Config>(
  ms: number,
  budget: Budget,
  { sleep }: Pick<EngineDeps<Config>, "sleep">,
): Promise<boolean> {
  try {
    await sleep(ms, budget.unloading);
  } catch {
    // The worker is being unloaded, and hands back what it has.
  }
  return !budget.isSpent();
}

/** Begins what can be begun; `null` where the database does not answer: then the leases are given back. */
async function beginSlice<Config>(
  leases: readonly Lease[],
  budget: Budget,
  deps: EngineDeps<Config>,
): Promise<readonly SliceContext[] | null> {
  try {
    return await retryUnavailable(deps, budget.unloading, () => {
      budget.spend({ calls: 1 });
      return deps.db.beginSlice(leases);
    });
  } catch (thrown) {
    const { code, message } = toSyncError(thrown);
    deps.log.error("slice_not_begun", { leases: leases.length, cause: thrown });
    await deps.db.release(leases, code, message).catch((cause) => {
      // The leases expire by themselves.
      deps.log.warn("release_failed", { cause });
    });
    return null;
  }
}

async function workLane<Config>(
  desk: Desk,
  budget: Budget,
  deps: EngineDeps<Config>,
): Promise<void> {
  while (!budget.isSpent()) {
    const slice = await desk.next();
    if (slice === null) return;
    const end = await runEndpoint(slice, budget, deps);
    if (end === "continue") desk.noteWorkLeft();
  }
}

/** Hands back what was begun but not worked on: a spent budget makes its slice end at once. */
async function giveBack<Config>(desk: Desk, deps: EngineDeps<Config>): Promise<void> {
  for (let slice = desk.takeWaiting(); slice !== null; slice = desk.takeWaiting()) {
    desk.noteWorkLeft();
    await deps.db.finishSlice(slice.context, {
      type: "continue",
      provider_calls: 0,
      next_cron_at: null,
    }).catch((cause) => {
      deps.log.warn("outcome_unrecorded", { endpoint_id: slice.context.endpoint_id, cause });
    });
  }
}
