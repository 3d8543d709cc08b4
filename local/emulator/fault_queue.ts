/** When a fault happens. */
export interface FaultPlan<Fault> {
  readonly fault: Fault;
  /** How many calls it hits; by default one, `null` for all until it is cleared. */
  readonly times?: number | null | undefined;
  /** How many calls that match go through first. */
  readonly skip?: number | undefined;
  /** Only calls of this route, such as `files.list`; by default all but those that hand out tokens. */
  readonly method?: string | undefined;
  /** Only calls whose path and query hold this text. */
  readonly path?: string | undefined;
}

/** The faults still to happen. */
export class FaultQueue<Fault, Call> {
  readonly #matches: (plan: FaultPlan<Fault>, call: Call) => boolean;
  #plans: { plan: FaultPlan<Fault>; skip: number; left: number }[] = [];

  constructor(matches: (plan: FaultPlan<Fault>, call: Call) => boolean) {
    this.#matches = matches;
  }

  /** Adds a plan behind those that are there. */
  add(plan: FaultPlan<Fault>): void {
    const left = plan.times === null ? Infinity : plan.times ?? 1;
    this.#plans.push({ plan, skip: plan.skip ?? 0, left });
  }

  /** Drops every plan. */
  clear(): void {
    this.#plans = [];
  }

  /** Plans that have not been used up. */
  get pending(): readonly FaultPlan<Fault>[] {
    return this.#plans.map((each) => each.plan);
  }

  /** The fault that hits this call, which is then spent; `null` where none does. */
  take(call: Call): Fault | null {
    for (const pending of this.#plans) {
      if (!this.#matches(pending.plan, call)) continue;
      if (pending.skip > 0) {
        pending.skip--;
        continue;
      }
      pending.left--;
      if (pending.left <= 0) this.#plans = this.#plans.filter((each) => each !== pending);
      return pending.plan.fault;
    }
    return null;
  }
}
