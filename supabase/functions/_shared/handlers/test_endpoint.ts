import { z } from "zod";
import { readStatusSettings, readSyncSettings } from "../config.ts";
import type { ConnectorDb, OwnedEndpoint } from "../db/connector_db.ts";
import { SyncError } from "../errors.ts";
import { jsonAnswer } from "../http/answers.ts";
import { readJsonBody } from "../http/body.ts";
import { type Caller, createIdentifyCaller } from "../http/caller.ts";
import type { Log } from "../log.ts";
import type { AuthMode } from "../oauth/auth_mode.ts";
import { endpointNotFound } from "../oauth/consent.ts";
import { createGrants, type Grants } from "../oauth/grants.ts";
import { createTokenVault } from "../oauth/token_vault.ts";
import type { Provider, TokenContext } from "../providers/types.ts";
import { applicationToken } from "../sync/endpoint_check/application_token.ts";
import { checkEndpoint, type TestToken } from "../sync/endpoint_check/check_endpoint.ts";
import { grantToken } from "../sync/endpoint_check/grant_token.ts";
import { type Answer, createHandler, type Handler } from "./create_handler.ts";
import type { SyncFunctionDeps } from "./sync.ts";

/** Longest time for a test, from the arrival of the request. */
const TEST_LIMIT_MS = 25_000;

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
  readonly endpoint: OwnedEndpoint | null;
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
    audience: { callers: ["user", "secret"], isOpen: () => false },
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
  let kept: Grants | null = null;
  // One for all requests of this worker; made late, since what it needs may be what is missing.
  const grants = () => kept ??= openGrants(db, deps);
  return async function answerTestEndpoint(request, { log }) {
    const startedAt = deps.now();
    const caller = await identifyCaller(request, ["user", "secret"]);
    const subject = await readSubject(await readJsonBody(request, TestBody), caller, db);
    const provider = getProvider(subject.endpointType);
    return jsonAnswer(await test(subject, { provider, startedAt, deps, grants, log }));
  };
}

function openGrants(db: ConnectorDb, deps: SyncFunctionDeps): Grants {
  const { tokenKeys, publicUrl } = readSyncSettings(deps.env);
  return createGrants({ ...deps, db, publicUrl, vault: createTokenVault(tokenKeys) });
}

async function readSubject(
  body: z.infer<typeof TestBody>,
  caller: Caller,
  db: ConnectorDb,
): Promise<Subject> {
  const { endpoint_id, endpoint_type = "", endpoint_config = {} } = body;
  if (endpoint_id === undefined) {
    return { endpoint: null, endpointType: endpoint_type, endpointConfig: endpoint_config };
  }
  const userId = caller.type === "user" ? caller.userId : null;
  const endpoint = await db.ownedEndpoint(endpoint_id, userId);
  if (endpoint === null) throw endpointNotFound();
  const { endpoint_type: endpointType, endpoint_config: endpointConfig } = endpoint;
  return { endpoint, endpointType, endpointConfig };
}

interface TestTerms {
  readonly provider: Provider<unknown>;
  readonly startedAt: Date;
  readonly deps: SyncFunctionDeps;
  readonly grants: () => Grants;
  readonly log: Log;
}

async function test(subject: Subject, terms: TestTerms) {
  const { endpoint, endpointType: endpoint_type, endpointConfig } = subject;
  const { provider, startedAt, deps, log } = terms;
  const fields = { endpoint_id: endpoint?.endpoint_id ?? null, endpoint_type };
  const checks = await checkEndpoint({
    ...deps,
    provider,
    endpointConfig,
    needsGrant: endpoint?.needs_grant ?? false,
    startedAt,
    limitMs: TEST_LIMIT_MS,
    readSettings: () => {
      // The settings of the sync function, which is another one with the same secrets.
      readSyncSettings(deps.env);
      return provider.parseSettings(deps.env);
    },
    obtainToken: (mode, config, settings, signal) =>
      obtainToken(mode, { config, settings, signal }, endpoint, terms),
    onFailure: (check, cause) =>
      log.info("check_failed", { ...fields, check, code: cause.code, cause }),
  });
  const ok = checks.every(({ result }) => result !== "fail");
  const took_ms = deps.now().getTime() - startedAt.getTime();
  log.info("endpoint_tested", { ...fields, ok, took_ms });
  return { endpoint_type, ok, checks };
}

/** The token with which a sync would read; a person's only for the endpoint it was granted for. */
async function obtainToken(
  mode: AuthMode,
  context: Pick<TokenContext<unknown>, "config" | "settings" | "signal">,
  endpoint: OwnedEndpoint | null,
  { provider, deps, grants }: TestTerms,
): Promise<TestToken> {
  if (mode === "application") return await applicationToken(provider, { ...deps, ...context });
  if (endpoint !== null) {
    return await grantToken({ ...deps, ...context, provider, endpoint, grants: grants() });
  }
  // Whether accounts can be connected at all is told first.
  provider.oauthProfile(context.config, context.settings);
  throw new SyncError(
    "grant_missing",
    "An account is connected to an endpoint that exists: create it, connect the account, and test " +
      "it by its endpoint_id.",
  );
}
