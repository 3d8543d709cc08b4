/** The stack under load: everything as in production, ticks by the minute included. */
import { join } from "node:path";
import postgres from "postgres";
import { z } from "zod";
import { findFunctionsDeno } from "../../local/functions/deno_binary.ts";
import { loadOrCreateServiceAccount } from "../../local/google/service_account.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { copyEndpoint } from "../copies.ts";
import { startProgram } from "../program.ts";
import { PROVIDER } from "./sampler.ts";

/** Endpoints by the number of their files. */
const MIX = [
  { files: 20, endpoints: 700 },
  { files: 200, endpoints: 250 },
  { files: 2_000, endpoints: 50 },
] as const;

/** Users, the large one among them. */
export const USERS = 50;
/** Endpoints of the large user; the others share the rest. */
export const LARGE_ENDPOINTS = 900;
/** All endpoints. */
export const ENDPOINTS = 1_000;

/** With the ten of the default, a provider as slow as this one can be asked 17 times a second. */
export const CONCURRENT_SYNCS = Deno.env.get("CONNECTOR_MAX_CONCURRENT_SYNCS") ?? "30";

/** The user who has most of the endpoints. */
export const LARGE_USER = userId(0);

/** What is measured. */
export interface LoadWorld extends AsyncDisposable {
  readonly stack: Stack;
  readonly sql: postgres.Sql;
  readonly denoVersion: string;
  /** Lines of the functions' logs that tell of an error. */
  countLoggedErrors(): Promise<number>;
  /** Ids of the processes at work, those of the server left out. */
  pids(): Readonly<Record<string, number>>;
}

/** Boots the stack and fills it; nothing is due yet. */
export async function createLoadWorld(say: (line: string) => void): Promise<LoadWorld> {
  await using parts = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "file_connector_load_" });
  parts.defer(() => Deno.remove(folder, { recursive: true }));
  const keyFile = join(folder, "service_account.json");
  const credentials = JSON.stringify(await loadOrCreateServiceAccount(keyFile));
  const program = await startProgram({
    deno: Deno.execPath(),
    name: "load_drives",
    args: ["0", keyFile, MIX.map(({ files }) => files).join(",")],
  }, z.object({ url: z.url(), drive_ids: z.array(z.string()) }));
  parts.defer(() => program.stop());
  const { url } = program.said;
  const { version: denoVersion } = await findFunctionsDeno();
  const stack = await startStack({
    stateDir: folder,
    apiPort: 0,
    dbPort: 0,
    server: "embedded",
    settings: {
      CONNECTOR_MAX_CONCURRENT_SYNCS: CONCURRENT_SYNCS,
      CONNECTOR_GOOGLE_API_URL: url,
      CONNECTOR_GOOGLE_TOKEN_URL: `${url}/token`,
      CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: credentials,
      // It is asked nothing; without them its function would log an error.
      CONNECTOR_AUTODESK_API_URL: url,
      CONNECTOR_AUTODESK_CLIENT_ID: "LoadClientId",
      CONNECTOR_AUTODESK_CLIENT_SECRET: crypto.randomUUID(),
    },
    log: say,
  });
  parts.defer(() => stack.database.remove());
  parts.defer(() => stack.stop());
  const sql = postgres(stack.info.db_url, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: "load" },
  });
  parts.defer(() => sql.end({ timeout: 5 }));
  await fill(sql, program.said.drive_ids, say);
  const owned = parts.move();
  return {
    stack,
    sql,
    denoVersion,
    countLoggedErrors: () => countErrors(join(folder, "logs")),
    pids: () => ({
      ...stack.functionPids(),
      "gateway and REST": Deno.pid,
      "scheduler": stack.workerPid() ?? 0,
      [PROVIDER]: program.pid,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function userId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

/** Who has an endpoint: nine of ten the large user, the others one after the other. */
function ownerOf(index: number): string {
  const isLarge = index % 10 !== 0;
  return isLarge ? LARGE_USER : userId(1 + Math.floor(index / 10) % (USERS - 1));
}

/** Syncs one endpoint of each size, copies it, and spreads the schedules over the minute. */
async function fill(
  sql: postgres.Sql,
  driveIds: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  let index = 0;
  const nextOwner = () => ownerOf(index++);
  const firstIds: string[] = [];
  for (const [at, { files }] of MIX.entries()) {
    firstIds.push(await addFirst(sql, `load ${files} `, driveIds[at] ?? "", nextOwner()));
  }
  say("the first sync of each size, at the next tick");
  for (const id of firstIds) await waitUntilCompleted(sql, id);
  say("copying them");
  await sql`update connector.endpoint_states set next_run_at = null`;
  for (const [at, { endpoints }] of MIX.entries()) {
    await copyEndpoint(sql, firstIds[at] ?? "", Array.from({ length: endpoints - 1 }, nextOwner));
    // The copies wait for the others.
    await sql`update connector.endpoint_states set next_run_at = null`;
  }
  await sql`
    update connector.endpoint_states
    set schedule_anchor_at = date_trunc('minute', now()) + random() * interval '1 minute'`;
  await sql`delete from public.sync_logs`;
  await sql`vacuum analyze`;
  await sql`
    update connector.endpoint_states
    set next_run_at = connector.next_interval_at(schedule_anchor_at, 1, now())`;
}

async function addFirst(
  sql: postgres.Sql,
  name: string,
  driveId: string,
  owner: string,
): Promise<string> {
  const config = sql.json({ drive_id: driveId });
  const [row] = await sql<[{ id: string }]>`
    insert into public.endpoints (name, endpoint_type, project_id, user_id, endpoint_config,
      interval_minutes, max_files_per_sync)
    values (${name}, 'google_drive', 'load', ${owner}, ${config}, 1, null)
    returning id`;
  return row.id;
}

async function waitUntilCompleted(sql: postgres.Sql, id: string): Promise<void> {
  const deadline = Date.now() + 180_000;
  while (true) {
    const rows = await sql`
      select from public.endpoints as e join connector.endpoint_states as s on s.endpoint_id = e.id
      where e.id = ${id} and e.last_sync_status = 'completed' and s.run_id is null`;
    if (rows.length > 0) return;
    if (Date.now() > deadline) throw new Error("The first sync did not end");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function countErrors(folder: string): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(folder)) {
    const text = await Deno.readTextFile(join(folder, name));
    count += text.split("\n").filter((line) => line.includes('"level":"error"')).length;
  }
  return count;
}
