import { readStatusSettings, type StatusSettings } from "../config.ts";
import type { ConnectorDb } from "../db/connector_db.ts";
import { jsonAnswer } from "../http/answers.ts";
import { type Caller, createIdentifyCaller } from "../http/caller.ts";
import { HttpError } from "../http/http_error.ts";
import { type Answer, createHandler, type Handler } from "./create_handler.ts";
import type { FunctionDeps } from "./function_deps.ts";
import { PROMETHEUS_CONTENT_TYPE, toPrometheus } from "./prometheus.ts";

const DATABASE_TIMEOUT_MS = 10_000;
const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 1_000;
const FORMATS = ["json", "prometheus"] as const;

type StatusCaller = Extract<Caller, { type: "user" | "secret" }>;

/** Shows how the syncs are doing: to a user their own endpoints, to a secret key all of them. */
export function createStatusHandler(deps: FunctionDeps): Handler {
  return createHandler(deps, {
    methods: ["GET"],
    allowsBrowsers: true,
    audience: { callers: ["user", "secret"], isOpen: () => false },
    prepare: () => prepareStatus(deps),
  });
}

function prepareStatus(deps: FunctionDeps): Answer {
  const settings = readStatusSettings(deps.env);
  const identifyCaller = createIdentifyCaller(settings);
  return async function answerStatus(request) {
    const caller = await identifyCaller(request, ["user", "secret"]);
    const { format, limit } = readParameters(new URL(request.url).searchParams);
    if (format === "prometheus" && caller.type !== "secret") {
      throw new HttpError("forbidden", "The format prometheus needs a secret key.");
    }
    const db = connect(deps, settings, caller);
    if (caller.type === "user") return jsonAnswer(await db.syncStatus(limit));
    const [status, quotas] = await Promise.all([db.syncStatus(limit), db.quotas(limit)]);
    if (format === "json") return jsonAnswer({ ...status, quotas });
    return new Response(toPrometheus(status, quotas), {
      headers: { "content-type": PROMETHEUS_CONTENT_TYPE, "cache-control": "no-store" },
    });
  };
}

// A user's question is asked with the user's own token: Row Level Security decides, not this code.
function connect(deps: FunctionDeps, settings: StatusSettings, caller: StatusCaller): ConnectorDb {
  return caller.type === "user"
    ? deps.connectAsUser(settings, caller.accessToken, DATABASE_TIMEOUT_MS)
    : deps.connectAsService(settings, DATABASE_TIMEOUT_MS);
}

function readParameters(parameters: URLSearchParams) {
  const wanted = parameters.get("format") ?? "json";
  const format = FORMATS.find((candidate) => candidate === wanted);
  if (format === undefined) {
    throw new HttpError("parameter_invalid", `The format must be one of ${FORMATS.join(", ")}.`);
  }
  const limitText = parameters.get("limit") ?? String(DEFAULT_LIMIT);
  const limit = /^\d{1,6}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > HIGHEST_LIMIT) {
    throw new HttpError(
      "parameter_invalid",
      `The limit must be a whole number from 1 to ${HIGHEST_LIMIT}.`,
    );
  }
  return { format, limit };
}
