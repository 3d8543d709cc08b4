import { z } from "zod";
import type { ApsModel } from "./aps_model.ts";
import { REGIONS } from "./aps_types.ts";
import type { EmulatorControl } from "./emulator_control.ts";
import { applyOperation, ModelOperation } from "./model_operations.ts";
import { AUTH_ERROR_SHAPES } from "./oauth_error.ts";
import { LINK_STYLES } from "./rendering.ts";
import { filesInScope } from "./scope_view.ts";
import { TIME_STYLES } from "./time_formats.ts";

/** The path below which the control routes lie. */
export const CONTROL_PREFIX = "/__control/";

const count = z.int().nonnegative();

const Fault = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("status"),
    status: z.int().min(400).max(599),
    shape: z.enum(["service", "gateway"]).optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    retryAfterSeconds: count.optional(),
  }),
  z.strictObject({ type: z.literal("timeout") }),
  z.strictObject({ type: z.literal("reset") }),
  z.strictObject({ type: z.literal("truncated") }),
  z.strictObject({ type: z.literal("garbage") }),
  z.strictObject({ type: z.literal("html"), status: z.int().min(200).max(599).optional() }),
  z.strictObject({ type: z.literal("empty_page") }),
  z.strictObject({ type: z.literal("duplicates"), count: z.int().positive() }),
  z.strictObject({ type: z.literal("included"), mode: z.enum(["absent", "null", "partial"]) }),
  z.strictObject({ type: z.literal("foreign_next"), origin: z.url() }),
]);
const Plan = z.strictObject({
  fault: Fault,
  times: z.int().positive().nullable().optional(),
  skip: count.optional(),
  method: z.string().optional(),
  path: z.string().optional(),
});
const LatencyBody = z.strictObject({ pageMs: count.optional(), callMs: count.optional() });
const QuotaBody = z.strictObject({
  scale: z.number().positive().optional(),
  windowMs: z.int().positive().optional(),
  hasRetryAfter: z.boolean().optional(),
}).nullable();
const SettingsBody = z.strictObject({
  links: z.enum(LINK_STYLES).optional(),
  times: z.enum(TIME_STYLES).optional(),
  topFolderFilters: z.enum(["with_user", "always"]).optional(),
  authErrorShape: z.enum(AUTH_ERROR_SHAPES).optional(),
});
const OutageBody = z.strictObject({
  region: z.enum(REGIONS),
  status: z.int().min(400).max(599).nullable(),
});
const SecretBody = z.strictObject({ clientId: z.string(), clientSecret: z.string() });
const AppBody = z.strictObject({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1).nullable().optional(),
  name: z.string().optional(),
  redirectUris: z.array(z.url()).optional(),
});
const ScopeBody = z.strictObject({
  projectId: z.string(),
  folderIds: z.array(z.string()).optional(),
  clientId: z.string().optional(),
  userId: z.string().nullable().optional(),
  isProjectFilesOnly: z.boolean().optional(),
});
const OperationsBody = z.strictObject({ operations: z.array(ModelOperation) });
const FaultsBody = z.strictObject({ faults: z.array(Plan) });

type Handler = (body: unknown, model: ApsModel, control: EmulatorControl) => unknown;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET state": (_body, model, control) => stateOf(model, control),
  "GET journal": (_body, _model, control) => ({ calls: control.journal() }),
  "POST latency": (body, _model, control) => control.setLatency(LatencyBody.parse(body)),
  "POST quota": (body, _model, control) => control.setQuota(QuotaBody.parse(body)),
  "POST settings": (body, _model, control) => applySettings(SettingsBody.parse(body), control),
  "POST outage": (body, _model, control) => {
    const { region, status } = OutageBody.parse(body);
    control.setRegionOutage(region, status);
  },
  "POST faults": (body, _model, control) => {
    for (const plan of FaultsBody.parse(body).faults) control.addFault(plan);
  },
  "POST faults/clear": (_body, _model, control) => control.clearFaults(),
  "POST counters/reset": (_body, _model, control) => control.resetCounters(),
  "POST tokens/revoke-access": (_body, _model, control) => control.revokeAccessTokens(),
  "POST tokens/revoke-refresh": (_body, _model, control) => control.revokeRefreshTokens(),
  "POST apps/secret": (body, _model, control) => {
    const { clientId, clientSecret } = SecretBody.parse(body);
    control.setClientSecret(clientId, clientSecret);
  },
  "POST apps": (body, _model, control) => control.registerApp(AppBody.parse(body)),
  "GET secrets": (_body, _model, control) => ({ secrets: control.knownSecrets() }),
  "POST files-in-scope": (body, model) => ({ files: filesInScope(model, ScopeBody.parse(body)) }),
  "POST operations": (body, model) => ({
    results: OperationsBody.parse(body).operations.map((each) => applyOperation(model, each)),
  }),
};

/** Answers a control request: what is asked is done at once, and told of in JSON. */
export async function answerControlRequest(
  request: Request,
  url: URL,
  model: ApsModel,
  control: EmulatorControl,
): Promise<Response> {
  const action = `${request.method} ${url.pathname.slice(CONTROL_PREFIX.length)}`;
  const handler = HANDLERS[action];
  if (handler === undefined) {
    const message = `Unknown control action: current value is "${action}"`;
    return Response.json({ message, actions: Object.keys(HANDLERS) }, { status: 404 });
  }
  try {
    const text = await request.text();
    return Response.json(handler(text === "" ? {} : JSON.parse(text), model, control) ?? {});
  } catch (error) {
    // A malformed body, or an operation on something that is not there: the caller's mistake.
    const message = error instanceof Error ? error.message : String(error);
    return Response.json({ message }, { status: 400 });
  }
}

function applySettings(body: z.infer<typeof SettingsBody>, control: EmulatorControl): void {
  if (body.links !== undefined) control.setStyle({ links: body.links });
  if (body.times !== undefined) control.setStyle({ times: body.times });
  if (body.topFolderFilters !== undefined) control.setTopFolderFilters(body.topFolderFilters);
  if (body.authErrorShape !== undefined) control.setAuthErrorShape(body.authErrorShape);
}

function stateOf(model: ApsModel, control: EmulatorControl): unknown {
  return {
    users: [...model.users.values()],
    hubs: [...model.hubs.values()].map((hub) => ({
      id: hub.id,
      name: hub.name,
      region: hub.region,
      clients: [...hub.provisionedClients],
    })),
    projects: [...model.projects.values()].map((project) => ({
      id: project.id,
      name: project.name,
      hubId: project.hub.id,
      rootFolderId: project.root.id,
    })),
    folders: model.folders.size,
    items: model.items.size,
    counters: control.counters(),
    pendingFaults: control.faults.pending,
  };
}
