import { readHealthSettings } from "../config.ts";
import type { ConnectorDb, DatabaseHealth } from "../db/connector_db.ts";
import { toSyncError } from "../errors.ts";
import { jsonAnswer } from "../http/answers.ts";
import type { Log } from "../log.ts";
import { VERSION } from "../version.ts";
import { type Answer, createHandler, type Handler } from "./create_handler.ts";
import type { FunctionDeps } from "./function_deps.ts";

const DATABASE_TIMEOUT_MS = 3_000;
const OLDEST_TICK_SECONDS = 180;

type Check = {
  readonly status: "ok" | "degraded" | "down" | "unknown";
  readonly message: string | null;
};
type SchedulerCheck = Check & { readonly last_tick_at: string | null };

/** Says whether the connector works, to anyone: no name, count or setting of the project is told. */
export function createHealthHandler(deps: FunctionDeps): Handler {
  return createHandler(deps, {
    methods: ["GET", "HEAD"],
    allowsBrowsers: true,
    audience: { callers: ["secret"], isOpen: () => true },
    prepare: () => prepareHealth(deps),
  });
}

function prepareHealth(deps: FunctionDeps): Answer {
  const db = deps.connectAsService(readHealthSettings(deps.env), DATABASE_TIMEOUT_MS);
  return async function answerHealth(request, { log }) {
    const checks = await runChecks(db, log);
    const status = overall(checks.database, checks.scheduler);
    const body = { status, version: VERSION, time: deps.now().toISOString(), checks };
    const answer = jsonAnswer(body, status === "down" ? 503 : 200);
    return request.method === "HEAD" ? new Response(null, answer) : answer;
  };
}

async function runChecks(db: Pick<ConnectorDb, "health">, log: Log): Promise<{
  readonly database: Check;
  readonly scheduler: SchedulerCheck;
}> {
  try {
    const health = await db.health();
    return { database: { status: "ok", message: null }, scheduler: checkScheduler(health) };
  } catch (cause) {
    // The answer is the check's result: whoever watches it must hear of it, not of an exception.
    log.error("database_check_failed", { cause });
    return {
      database: { status: "down", message: toSyncError(cause).message },
      scheduler: {
        status: "unknown",
        last_tick_at: null,
        message: "The scheduler is seen through the database.",
      },
    };
  }
}

function checkScheduler(health: DatabaseHealth): SchedulerCheck {
  const { last_tick_at, last_tick_age_seconds: age } = health;
  if (last_tick_at === null || age === null) {
    return {
      status: "degraded",
      last_tick_at: null,
      message: "The scheduler has never run: check that pg_cron is on and the migrations applied.",
    };
  }
  if (age <= OLDEST_TICK_SECONDS) return { status: "ok", last_tick_at, message: null };
  return {
    status: "degraded",
    last_tick_at,
    message: `The scheduler last ran ${Math.round(age)} seconds ago instead of every minute: ` +
      "look at cron.job_run_details.",
  };
}

function overall(database: Check, scheduler: Check): "ok" | "degraded" | "down" {
  if (database.status !== "ok") return "down";
  return scheduler.status === "ok" ? "ok" : "degraded";
}
