import { z } from "zod";
import type { DriveModel } from "./drive_model.ts";
import type { EmulatorControl } from "./emulator_control.ts";
import { applyOperation, ModelOperation } from "./model_operations.ts";

/** The path below which the control routes lie. */
export const CONTROL_PREFIX = "/__control/";

const count = z.int().nonnegative();

const Fault = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("status"),
    status: z.int().min(400).max(599),
    reason: z.string().optional(),
    domain: z.string().optional(),
    message: z.string().optional(),
    retryAfterSeconds: count.optional(),
  }),
  z.strictObject({ type: z.literal("timeout") }),
  z.strictObject({ type: z.literal("reset") }),
  z.strictObject({ type: z.literal("truncated") }),
  z.strictObject({ type: z.literal("garbage") }),
  z.strictObject({ type: z.literal("html"), status: z.int().min(200).max(599).optional() }),
  z.strictObject({ type: z.literal("incomplete_search") }),
  z.strictObject({ type: z.literal("empty_page") }),
  z.strictObject({ type: z.literal("duplicates"), count: z.int().positive() }),
  z.strictObject({ type: z.literal("grouped_parents"), mode: z.enum(["empty", "partial"]) }),
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
  calls: count,
  windowMs: z.int().positive(),
  status: z.union([z.literal(403), z.literal(429)]),
  retryAfterSeconds: count.optional(),
}).nullable();
const ClientBody = z.strictObject({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  redirectUris: z.array(z.url()),
  name: z.string().optional(),
  refreshTokenSeconds: z.int().positive().nullable().optional(),
});
const FilterBody = z.strictObject({
  email: z.string().optional(),
  clientId: z.string().optional(),
});
const OperationsBody = z.strictObject({ operations: z.array(ModelOperation) });
const FaultsBody = z.strictObject({ faults: z.array(Plan) });

type Handler = (body: unknown, model: DriveModel, control: EmulatorControl) => unknown;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET state": (_body, model, control) => stateOf(model, control),
  "GET journal": (_body, _model, control) => ({ calls: control.journal() }),
  "POST latency": (body, _model, control) => control.setLatency(LatencyBody.parse(body)),
  "POST quota": (body, _model, control) => control.setQuota(QuotaBody.parse(body)),
  "POST faults": (body, _model, control) => {
    for (const plan of FaultsBody.parse(body).faults) control.addFault(plan);
  },
  "POST faults/clear": (_body, _model, control) => control.clearFaults(),
  "POST counters/reset": (_body, _model, control) => control.resetCounters(),
  "POST tokens/expire-pages": (_body, _model, control) => control.expirePageTokens(),
  "POST tokens/expire-changes": (_body, _model, control) => control.expireChangeTokens(),
  "POST tokens/revoke-access": (_body, _model, control) => control.revokeAccessTokens(),
  "POST oauth/clients": (body, _model, control) =>
    control.registerOAuthClient(ClientBody.parse(body)),
  "GET grants": (_body, _model, control) => ({ grants: control.grants() }),
  "POST grants/revoke": (body, _model, control) => control.revokeGrants(FilterBody.parse(body)),
  "POST grants/expire": (body, _model, control) => control.expireGrants(FilterBody.parse(body)),
  "GET secrets": (_body, _model, control) => ({ secrets: control.knownSecrets() }),
  "POST operations": (body, model) => ({
    results: OperationsBody.parse(body).operations.map((each) => applyOperation(model, each)),
  }),
};

/** Answers a control request: what is asked is done at once, and told of in JSON. */
export async function answerControlRequest(
  request: Request,
  url: URL,
  model: DriveModel,
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

function stateOf(model: DriveModel, control: EmulatorControl): unknown {
  return {
    accounts: [...model.accounts.values()].map(({ email, root, isServiceAccount }) => ({
      email,
      rootId: root.id,
      isServiceAccount,
    })),
    drives: [...model.drives.values()].map(({ id, name, members }) => ({
      id,
      name,
      members: [...members],
    })),
    items: model.listingOrder.size,
    counters: control.counters(),
    pendingFaults: control.faults.pending,
  };
}
