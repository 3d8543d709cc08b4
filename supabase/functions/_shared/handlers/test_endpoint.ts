import { z } from "zod";
import { readStatusSettings, readSyncSettings } from "../config.ts";
import type { ConnectorDb } from "../db/connector_db.ts";
import { jsonAnswer } from "../http/answers.ts";
import { readJsonBody } from "../http/body.ts";
import { type Caller, createIdentifyCaller } from "../http/caller.ts";
import { endpointNotFound } from "../oauth/consent.ts";
import type { Provider } from "../providers/types.ts";
import { applicationToken } from "../sync/endpoint_check/application_token.ts";
import { checkEndpoint } from "../sync/endpoint_check/check_endpoint.ts";
import { type Answer, createHandler, type Handler, type RequestContext } from "./create_handler.ts";
import type { SyncFunctionDeps } from "./sync.ts";

/** Longest time for a test, from the arrival of the request. */
export const TEST_LIMIT_MS = 25_000;

const DATABASE_TIMEOUT_MS = 10_000;

const ONE_OF_BOTH = "it must hold endpoint_id, or else endpoint_type and endpoint_config";

const TestBody = z.object({
  endpoint_id: z.guid().optional(),
  endpoint_type: z.string().min(1).max(100).optional(),
  endpoint_config: z.record(z.string(), z.unknown()).optional(),
  // For people and programs that send what they would insert; no provider reads it.
  project_id: z.string().optional(),
}).refine(
  (body) =>
    (body.endpoint_id === undefined) !==
      (body.endpoint_type === undefined && body.endpoint_config === undefined),
  { error: ONE_OF_BOTH },
).refine(
  (body) => body.endpoint_id !== undefined || body.endpoint_type !== undefined,
  { error: ONE_OF_BOTH },
);

/** What is to be tested: a stored endpoint, or one that somebody means to create. */
interface Subject {
  readonly endpointId: string | null;
  readonly endpointType: string;
  readonly endpointConfig: unknown;
}

/** Answers whether an endpoint could be synced, check by check; writes nothing. */
export function createTestEndpointHandler(
  getProvider: (endpointType: string) => Provider<unknown>,
  deps: SyncFunctionDeps,
): Handler {
  return createHandler(deps, {
    methods: ["POST"],
    allowsBrowsers: true,
    prepare: () => prepareTestEndpoint(getProvider, deps),
  });
}

function prepareTestEndpoint(
  getProvider: (endpointType: string) => Provider<unknown>,
  deps: SyncFunctionDeps,
): Answer {
  const settings = readStatusSettings(deps.env);
  const identifyCaller = createIdentifyCaller(settings);
  const db = deps.connectAsService(settings, DATABASE_TIMEOUT_MS);
  return async function answerTestEndpoint(request, context) {
    const startedAt = deps.now();
    const caller = await identifyCaller(request, ["user", "secret"]);
    const subject = await readSubject(await readJsonBody(request, TestBody), caller, db);
    const provider = getProvider(subject.endpointType);
    return jsonAnswer(await test(subject, { provider, startedAt, deps, context }));
  };
}

async function readSubject(
  body: z.infer<typeof TestBody>,
  caller: Caller,
  db: ConnectorDb,
): Promise<Subject> {
  const { endpoint_id, endpoint_type = "", endpoint_config = {} } = body;
  if (endpoint_id === undefined) {
    return { endpointId: null, endpointType: endpoint_type, endpointConfig: endpoint_config };
  }
  const userId = caller.type === "user" ? caller.userId : null;
  const endpoint = await db.ownedEndpoint(endpoint_id, userId);
  if (endpoint === null) throw endpointNotFound();
  return {
    endpointId: endpoint_id,
    endpointType: endpoint.endpoint_type,
    endpointConfig: endpoint.endpoint_config,
  };
}

interface TestTerms {
  readonly provider: Provider<unknown>;
  readonly startedAt: Date;
  readonly deps: SyncFunctionDeps;
  readonly context: RequestContext;
}

async function test(subject: Subject, { provider, startedAt, deps, context }: TestTerms) {
  const { endpointId: endpoint_id, endpointType: endpoint_type, endpointConfig } = subject;
  const log = context.log;
  const checks = await checkEndpoint({
    ...deps,
    provider,
    endpointConfig,
    startedAt,
    limitMs: TEST_LIMIT_MS,
    readSettings: () => {
      // The settings of the sync function, which is another one with the same secrets.
      readSyncSettings(deps.env);
      return provider.parseSettings(deps.env);
    },
    obtainToken: (config, settings, signal) =>
      applicationToken(provider, { config, settings, fetch: deps.fetch, now: deps.now, signal }),
    onFailure: (check, cause) =>
      log.info("check_failed", { endpoint_id, endpoint_type, check, code: cause.code, cause }),
  });
  const ok = checks.every(({ result }) => result !== "fail");
  const took_ms = deps.now().getTime() - startedAt.getTime();
  log.info("endpoint_tested", { endpoint_id, endpoint_type, ok, took_ms });
  return { endpoint_type, ok, checks };
}
