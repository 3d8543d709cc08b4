/** `deno task sync:log`: the latest runs, and those that come while it is followed. */
import { StackError } from "../local/failure.ts";
import { parseFlags, wholeNumber } from "../local/flags.ts";
import { plainJson } from "../local/plain_text.ts";
import { readEndpointId } from "./endpoint_id.ts";
import { dataOf, openProject, type ProjectClient } from "./project_client.ts";
import {
  liveProjectDeps,
  PROJECT_FLAGS,
  PROJECT_USAGE,
  type ProjectDeps,
  readProjectOptions,
  toStatus,
} from "./project_command.ts";
import { RunFollower } from "./run_follower.ts";
import { RUN_COLUMNS, RUN_HEAD, runCells, type RunRow } from "./runs.ts";
import { lineOf, tableLines } from "./table.ts";

const USAGE = `deno task sync:log [flags]

Shows the latest runs, oldest first: with a key those of all endpoints, with a token the user's own.

  --id UUID              runs of this endpoint alone
  --limit N              most runs shown (20, at most 1000)
  --follow               go on: a line when a run begins, and one when it has ended (Ctrl+C ends it)

${PROJECT_USAGE}
With --follow, --json prints one object a line.

Status: 0 shown · 2 wrong use, or the project cannot be reached`;

/** Widths of the columns where more lines are to come. */
const FOLLOWED_WIDTHS = [19, 24, 21, 11, 8, 10, 8, 8, 8, 8];

const POLL_MS = 2_000;

/** Failures in a row after which a project that was there counts as gone. */
const MOST_FAILURES = 5;

/** What the command touches. */
export interface SyncLogDeps extends ProjectDeps {
  readonly pause: (ms: number) => Promise<void>;
  /** Whether to stop following. */
  readonly isOver: () => boolean;
}

/** Runs the command; answers its exit status. */
export function runSyncLog(args: readonly string[], deps: SyncLogDeps): Promise<number> {
  const { terminal } = deps;
  return toStatus(terminal, async () => {
    const flags = parseFlags(args, {
      ...PROJECT_FLAGS,
      id: { type: "string" },
      limit: { type: "string" },
      follow: { type: "boolean" },
    });
    if (flags.help) {
      terminal.line(USAGE);
      return 0;
    }
    const id = flags.id === undefined ? undefined : readEndpointId(flags.id);
    const limit = wholeNumber("limit", flags.limit, 1, 1_000) ?? 20;
    const options = readProjectOptions(flags);
    const project = await openProject(options, deps);
    const runs = await latestRuns(project, id, limit);
    if (flags.follow === true) {
      await follow({ project, id, runs, isJson: options.isJson }, deps);
    } else if (options.isJson) terminal.line(plainJson(runs));
    else if (runs.length === 0) terminal.line("There are no runs yet.");
    else for (const line of tableLines(RUN_HEAD, runs.map(runCells), terminal)) terminal.line(line);
    return 0;
  });
}

async function latestRuns(
  { db, access }: ProjectClient,
  id: string | undefined,
  limit: number,
): Promise<readonly RunRow[]> {
  const query = db.from("sync_logs").select(RUN_COLUMNS);
  const chosen = id === undefined ? query : query.eq("endpoint_id", id);
  const runs: RunRow[] = dataOf(
    await chosen.order("started_at", { ascending: false }).order("id").limit(limit),
    access,
  );
  return runs.reverse();
}

async function follow(
  { project, id, runs, isJson }: {
    readonly project: ProjectClient;
    readonly id: string | undefined;
    readonly runs: readonly RunRow[];
    readonly isJson: boolean;
  },
  deps: SyncLogDeps,
): Promise<void> {
  const { terminal } = deps;
  const follower = new RunFollower(project, id);
  const show = (run: RunRow) =>
    terminal.line(isJson ? plainJson(run, 0) : lineOf(runCells(run), FOLLOWED_WIDTHS, terminal));
  if (!isJson) {
    const head = RUN_HEAD.map((text, at) => ({
      text,
      style: "dim" as const,
      isRight: at > 4 && at < 10,
    }));
    terminal.line(lineOf(head, FOLLOWED_WIDTHS, terminal));
  }
  follower.note(runs).forEach(show);
  let failures = 0;
  while (!deps.isOver()) {
    await deps.pause(POLL_MS);
    try {
      (await follower.news()).forEach(show);
      failures = 0;
    } catch (cause) {
      // A log is followed for hours: one answer that is missing does not end it.
      if (!(cause instanceof StackError) || ++failures >= MOST_FAILURES) throw cause;
      terminal.error(`${cause.message}; trying again`);
    }
  }
}

if (import.meta.main) {
  Deno.exit(
    await runSyncLog(Deno.args, {
      ...liveProjectDeps(),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      isOver: () => false,
    }),
  );
}
