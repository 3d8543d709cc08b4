import { z } from "zod";
import { startProgram } from "./program.ts";

/** The application that reads the emulated project. */
export const APS_CLIENT_ID = "bench";
/** Its secret. */
export const APS_CLIENT_SECRET = "bench-secret";

const Ready = z.object({
  hub_id: z.string(),
  project_id: z.string(),
  deepest_folder_id: z.string(),
  depth: z.number(),
  access_token: z.string(),
});
const State = z.object({
  counters: z.object({
    calls: z.record(z.string(), z.number()),
    statuses: z.record(z.string(), z.number()),
  }),
});

/** Emulated Autodesk Platform Services in a process of their own, with one project. */
export interface Aps {
  readonly url: string;
  readonly hubId: string;
  readonly projectId: string;
  readonly accessToken: string;
  /** How many folders deep the deepest folder lies, the top folder and itself included. */
  readonly depth: number;
  /** How long each call takes. */
  setLatency(callMs: number): Promise<void>;
  /** Applies Autodesk's limits of calls a minute. */
  applyQuota(): Promise<void>;
  /** Adds a file to the deepest folder. */
  changeDeepestFolder(name: string): Promise<void>;
  resetCounters(): Promise<void>;
  /** Calls by status since the last reset; those for tokens are among them. */
  statuses(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

/** What {@linkcode startAps} needs. */
export interface ApsOptions {
  readonly port: number;
  readonly items: number;
  readonly folders: number;
}

/** Starts them with a project of so many items in so many folders. */
export async function startAps({ port, items, folders }: ApsOptions): Promise<Aps> {
  const program = await startProgram({
    deno: Deno.execPath(),
    name: "aps",
    args: [String(port), String(items), String(folders), APS_CLIENT_ID, APS_CLIENT_SECRET],
  }, Ready);
  const url = `http://127.0.0.1:${port}`;
  const { hub_id, project_id, deepest_folder_id: parent, depth, access_token } = program.said;
  const ask = async (method: string, action: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}/__control/${action}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`The emulated Autodesk refuses "${action}": ${text}`);
    return JSON.parse(text);
  };
  const order = async (action: string, body: unknown = {}) => void await ask("POST", action, body);
  return {
    url,
    hubId: hub_id,
    projectId: project_id,
    accessToken: access_token,
    depth,
    setLatency: (callMs) => order("latency", { pageMs: callMs, callMs }),
    applyQuota: () => order("quota"),
    changeDeepestFolder: (name) =>
      order("operations", { operations: [{ operation: "create_item", name, parent }] }),
    resetCounters: () => order("counters/reset"),
    statuses: async () => State.parse(await ask("GET", "state")).counters.statuses,
    stop: () => program.stop(),
  };
}
