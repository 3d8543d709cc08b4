import type postgres from "postgres";
import type { Stack } from "../local/stack.ts";
import { type CallCounter, DATABASE_CALLS } from "./call_counter.ts";

/** Longest that anything measured here may take. */
const DEADLINE_MS = 180_000;

/** Endpoints of the emulated providers, and syncs of them by the whole chain. */
export interface Syncs {
  /** Adds an endpoint for a shared drive. */
  add(driveId: string): Promise<string>;
  /** Adds an endpoint for a project of Autodesk. */
  addProject(projectId: string): Promise<string>;
  /** Lets nothing be due but what is asked for. */
  makeDue(mode: "incremental" | "full"): Promise<void>;
  /**
   * Calls the dispatcher, as the tick does, and waits until no run is open or due; answers the
   * milliseconds until the database had answered the last of them.
   */
  run(): Promise<number>;
  /** The last run of an endpoint. */
  lastRun(endpointId: string): Promise<Run>;
}

/** A run as `sync_logs` has it. */
export interface Run {
  readonly status: string;
  readonly error_message: string | null;
  readonly files_added: number;
  readonly files_unchanged: number;
  readonly provider_calls: number;
  readonly slices: number;
}

/** What {@linkcode createSyncs} needs. */
export interface SyncsOptions {
  readonly sql: postgres.Sql;
  readonly stack: Stack;
  readonly calls: CallCounter;
  readonly owner: string;
}

/** Creates the syncs of one stack. */
export function createSyncs({ sql, stack, calls, owner }: SyncsOptions): Syncs {
  async function isWorkLeft(): Promise<boolean> {
    const rows = await sql`
      select from connector.endpoint_states
      where run_id is not null or lease_token is not null or next_run_at <= now() limit 1`;
    return rows.length > 0;
  }

  async function dispatch(): Promise<void> {
    const answer = await fetch(`${stack.info.functions_url}/dispatcher`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-connector-token": stack.keys.dispatchToken,
      },
      body: JSON.stringify({ source: "tick" }),
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`The dispatcher refuses: ${text}`);
  }

  async function addEndpoint(type: string, config: Record<string, string>): Promise<string> {
    const [row] = await sql<{ id: string }[]>`
      insert into public.endpoints
        (name, endpoint_type, project_id, user_id, endpoint_config, max_files_per_sync)
      values ('bench', ${type}, 'bench', ${owner}, ${sql.json(config)}, null)
      returning id`;
    return row?.id ?? "";
  }

  return {
    add: (driveId) => addEndpoint("google_drive", { drive_id: driveId }),
    addProject: (projectId) =>
      addEndpoint("autodesk_construction_cloud", { project_id: projectId }),
    async makeDue(mode) {
      const requested = mode === "full" ? mode : null;
      await sql`update connector.endpoint_states
        set next_run_at = now(), requested_mode = ${requested}`;
    },
    async run() {
      const ended = whenFinished(calls, isWorkLeft);
      const startedAtMs = performance.now();
      await dispatch();
      return await ended - startedAtMs;
    },
    async lastRun(endpointId) {
      const [run] = await sql<Run[]>`
        select status, error_message, files_added::int, files_unchanged::int,
          provider_calls::int, slices::int
        from public.sync_logs where endpoint_id = ${endpointId}
        order by started_at desc limit 1`;
      if (run?.status !== "completed") {
        throw new Error(`The sync ended as ${run?.status}: ${run?.error_message}`);
      }
      return run;
    },
  };
}

/** The instant of the last answer to a finished slice after which no work is left. */
function whenFinished(calls: CallCounter, isWorkLeft: () => Promise<boolean>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let newest = 0;
  const listener = calls.listen(async (path) => {
    if (path !== `${DATABASE_CALLS}connector_finish_slice`) return;
    const endedAtMs = performance.now();
    newest = endedAtMs;
    try {
      // Whoever finishes later looks again.
      if (await isWorkLeft() || newest !== endedAtMs) return;
      resolve(endedAtMs);
    } catch (cause) {
      reject(cause);
    }
  });
  const timer = setTimeout(
    () => reject(new Error(`A sync did not end within ${DEADLINE_MS / 1000} s`)),
    DEADLINE_MS,
  );
  return promise.finally(() => {
    clearTimeout(timer);
    listener.stop();
  });
}
