import { dataOf, type ProjectClient } from "./project_client.ts";
import { RUN_COLUMNS, type RunRow } from "./runs.ts";

/** A run becomes visible when its transaction ends, so one may come in behind a later one. */
const OVERLAP_MS = 30_000;

/** Most runs of one answer: what a project serves at most. */
const PAGE = 1_000;

/** Most ids in one address, which has a longest length. */
const IDS = 100;

/** Finds what is new about the runs of a project, by asking again and again. */
export class RunFollower {
  readonly #project: ProjectClient;
  readonly #endpointId: string | undefined;
  /** State and start of every run that may still change or be answered again. */
  readonly #known = new Map<string, { readonly status: string; readonly startedMs: number }>();
  #newestMs = 0;

  /** Follows the runs of one endpoint, or all that the caller may see. */
  constructor(project: ProjectClient, endpointId: string | undefined) {
    this.#project = project;
    this.#endpointId = endpointId;
  }

  /** Takes note of runs; returns those of which this is news. */
  note(runs: readonly RunRow[]): readonly RunRow[] {
    const news = runs.filter(({ id, status }) => this.#known.get(id)?.status !== status);
    for (const { id, status, started_at } of news) {
      const startedMs = Date.parse(started_at);
      this.#known.set(id, { status, startedMs });
      this.#newestMs = Math.max(this.#newestMs, startedMs);
    }
    for (const [id, { status, startedMs }] of this.#known) {
      const isSettled = status !== "running" && startedMs < this.#newestMs - OVERLAP_MS;
      if (isSettled) this.#known.delete(id);
    }
    return news;
  }

  /** Asks what has happened since. */
  async news(): Promise<readonly RunRow[]> {
    const running = [...this.#known].filter(([, { status }]) => status === "running")
      .map(([id]) => id);
    const changed: RunRow[] = [];
    for (let at = 0; at < running.length; at += IDS) {
      const rows = await this.#select().in("id", running.slice(at, at + IDS));
      changed.push(...dataOf(rows, this.#project.access));
    }
    const since = new Date(Math.max(0, this.#newestMs - OVERLAP_MS)).toISOString();
    const begun = dataOf(
      await this.#select().gte("started_at", since).order("started_at").order("id").limit(PAGE),
      this.#project.access,
    );
    return this.note([...new Map([...changed, ...begun].map((run) => [run.id, run])).values()]);
  }

  #select() {
    const query = this.#project.db.from("sync_logs").select(RUN_COLUMNS);
    return this.#endpointId === undefined ? query : query.eq("endpoint_id", this.#endpointId);
  }
}
