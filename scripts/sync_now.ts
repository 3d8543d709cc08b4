/** `deno task sync:now`: asks for a sync of an endpoint, and waits for it where told to. */
import { StackError } from "../local/failure.ts";
import { parseFlags, wholeNumber } from "../local/flags.ts";
import { plainJson, plainText } from "../local/plain_text.ts";
import { ENDPOINT_IDS, readEndpointId } from "./endpoint_id.ts";
import { dataOf, openProject, type ProjectClient } from "./project_client.ts";
import {
  liveProjectDeps,
  PROJECT_FLAGS,
  PROJECT_USAGE,
  type ProjectDeps,
  readProjectOptions,
  Refusal,
  toStatus,
} from "./project_command.ts";
import { RUN_COLUMNS, type RunRow, runSummary } from "./runs.ts";

const USAGE = `deno task sync:now --id UUID [flags]

Asks for a sync of an endpoint. It begins at the next full minute, whatever the endpoint's state.

  --id UUID              the endpoint
  --full                 list everything again, not only what has changed
  --wait                 wait until the run that was asked for has ended
  --timeout SECONDS      how long to wait for that (600)

${PROJECT_USAGE}

Status: 0 asked for (--wait: completed, or partial because max_files_per_sync was reached) ·
1 refused, or the run failed · 2 wrong use, the project cannot be reached, or the wait is over`;

const LONGEST_WAIT_SECONDS = 86_400;
const POLL_MS = 2_000;

/** What the command touches. */
export interface SyncNowDeps extends ProjectDeps {
  readonly now: () => Date;
  readonly pause: (ms: number) => Promise<void>;
}

/** Runs the command; answers its exit status. */
export function runSyncNow(args: readonly string[], deps: SyncNowDeps): Promise<number> {
  const { terminal } = deps;
  return toStatus(terminal, async () => {
    const flags = parseFlags(args, {
      ...PROJECT_FLAGS,
      id: { type: "string" },
      full: { type: "boolean" },
      wait: { type: "boolean" },
      timeout: { type: "string" },
    });
    if (flags.help) {
      terminal.line(USAGE);
      return 0;
    }
    const id = readEndpointId(flags.id);
    const seconds = wholeNumber("timeout", flags.timeout, 1, LONGEST_WAIT_SECONDS) ?? 600;
    const options = readProjectOptions(flags);
    const project = await openProject(options, deps);
    const before = await latestRequested(project, id);
    const mode = flags.full === true ? "full" : "incremental";
    const answer = await project.db.rpc("request_sync", { endpoint_id: id, mode });
    if (answer.error?.code === "PT404") {
      throw new Refusal(`${answer.error.message}; ${ENDPOINT_IDS}`);
    }
    const asked = dataOf(answer, project.access);
    if (flags.wait !== true) {
      terminal.line(options.isJson ? plainJson(asked) : "asked for; it begins at the next minute");
      return 0;
    }
    const run = await untilEnded({ project, id, before, seconds }, deps);
    terminal.line(options.isJson ? plainJson(run) : runSummary(run));
    return hasSucceeded(run) ? 0 : 1;
  });
}

/** A partial run without an error has reached max_files_per_sync: the next one goes on. */
function hasSucceeded({ status, error_code }: RunRow): boolean {
  return status === "completed" || (status === "partial" && error_code === null);
}

async function latestRequested(
  { db, access }: ProjectClient,
  endpointId: string,
): Promise<RunRow | null> {
  const rows: readonly RunRow[] = dataOf(
    await db.from("sync_logs").select(RUN_COLUMNS).eq("endpoint_id", endpointId)
      .eq("trigger", "request").order("started_at", { ascending: false }).limit(1),
    access,
  );
  return rows[0] ?? null;
}

async function untilEnded(
  { project, id, before, seconds }: {
    readonly project: ProjectClient;
    readonly id: string;
    readonly before: RunRow | null;
    readonly seconds: number;
  },
  deps: SyncNowDeps,
): Promise<RunRow> {
  const deadline = deps.now().getTime() + seconds * 1000;
  let hasBegun = false;
  while (true) {
    const run = await latestRequested(project, id);
    const isOurs = run !== null && run.id !== before?.id;
    if (isOurs && run.finished_at !== null) return run;
    if (isOurs && !hasBegun) {
      deps.terminal.error(`run ${plainText(run.id)} has begun`);
      hasBegun = true;
    }
    if (deps.now().getTime() >= deadline) {
      throw new StackError(
        hasBegun
          ? `The run has not ended within ${seconds} seconds`
          : `No run has begun within ${seconds} seconds: does the scheduler run? (see /functions/v1/health)`,
      );
    }
    await deps.pause(POLL_MS);
  }
}

if (import.meta.main) {
  Deno.exit(
    await runSyncNow(Deno.args, {
      ...liveProjectDeps(),
      now: () => new Date(),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    }),
  );
}
