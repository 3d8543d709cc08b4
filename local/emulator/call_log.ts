/** One call as it was answered. `status` is 0 where no answer was given. */
export interface CallRecord {
  /** The name of the route, such as `files.list` or `token`. */
  readonly method: string;
  readonly pathAndQuery: string;
  readonly status: number;
}

/** Counters since the start or the last reset. */
export interface Counters {
  /** Calls by route, such as `files.list` or `token`. */
  readonly calls: Readonly<Record<string, number>>;
  /** Answers by HTTP status; `0` counts calls without an answer. */
  readonly statuses: Readonly<Record<string, number>>;
}

const LONGEST_JOURNAL = 2000;

/** What was called, how often and with what result. */
export class CallLog {
  #calls: Record<string, number> = {};
  #statuses: Record<string, number> = {};
  #journal: CallRecord[] = [];

  /** Notes an answered call. */
  record(call: CallRecord): void {
    this.#calls[call.method] = (this.#calls[call.method] ?? 0) + 1;
    this.#statuses[call.status] = (this.#statuses[call.status] ?? 0) + 1;
    this.#journal.push(call);
    if (this.#journal.length >= 2 * LONGEST_JOURNAL) {
      this.#journal = this.#journal.slice(-LONGEST_JOURNAL);
    }
  }

  /** What was called how often. */
  counters(): Counters {
    return { calls: { ...this.#calls }, statuses: { ...this.#statuses } };
  }

  /** The last calls, oldest first; at least 2,000 are kept. */
  journal(): readonly CallRecord[] {
    return [...this.#journal];
  }

  /** Starts counting anew. */
  reset(): void {
    this.#calls = {};
    this.#statuses = {};
    this.#journal = [];
  }
}
