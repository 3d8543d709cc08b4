import { z } from "zod";
import { readDispatcherSettings } from "../config.ts";
import { jsonAnswer } from "../http/answers.ts";
import { readJsonBody } from "../http/body.ts";
import { createIdentifyCaller } from "../http/caller.ts";
import { createTimedFetch } from "../http/timed_fetch.ts";
import { type Answer, createHandler, type Handler } from "./create_handler.ts";
import { runDispatchRound } from "./dispatch_round.ts";
import type { FunctionDeps } from "./function_deps.ts";
import { startSync } from "./start_sync.ts";

const DATABASE_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 10_000;

/** Who asks: the schedule (`tick`), a sync function (`worker`), a person. For the log only. */
const DispatchBody = z.object({ source: z.string().max(40).optional() });

/** Claims what is due and hands it to the sync functions; answers 202 before it begins. */
export function createDispatcherHandler(deps: FunctionDeps): Handler {
  return createHandler(deps, {
    methods: ["POST"],
    allowsBrowsers: false,
    audience: { callers: ["dispatch", "secret"], isOpen: () => false },
    prepare: () => prepareDispatcher(deps),
  });
}

function prepareDispatcher(deps: FunctionDeps): Answer {
  const settings = readDispatcherSettings(deps.env);
  const identifyCaller = createIdentifyCaller(settings);
  const db = deps.connectAsService(settings, DATABASE_TIMEOUT_MS);
  const fetch = createTimedFetch({ fetch: deps.fetch, timeoutMs: START_TIMEOUT_MS });
  return async function answerDispatch(request, { requestId, log }) {
    await identifyCaller(request, ["dispatch", "secret"]);
    const { source } = await readJsonBody(request, DispatchBody);
    const round = runDispatchRound({
      db,
      log,
      now: deps.now,
      start: (batch) => startSync({ fetch, ...settings }, batch),
      maxConcurrentSyncs: settings.maxConcurrentSyncs,
    });
    deps.background(
      "dispatch",
      round.then((report) => log.info("dispatch_finished", { source, ...report })),
    );
    return jsonAnswer({ accepted: true, request_id: requestId }, 202);
  };
}
