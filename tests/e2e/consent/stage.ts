/** A whole stack between two emulated providers and an application in which people connect. */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { join } from "node:path";
import postgres from "postgres";
import { signUserToken } from "../../../local/keys.ts";
import type { Place } from "../../../local/leaks/places.ts";
import { answerText } from "../../../local/leaks/register.ts";
import { DEMO_USERS, type Stack, type StackOptions, startStack } from "../../../local/stack.ts";
import { waitFor } from "../../support/wait_for.ts";
import { startAutodesk } from "./autodesk.ts";
import { startGoogle } from "./google.ts";
import type { StagedProvider } from "./staged_provider.ts";
import { startWebApp, type WebApp } from "./web_app.ts";

/** All that runs. */
export interface Stage extends AsyncDisposable {
  readonly stack: Stack;
  readonly stateDir: string;
  readonly google: StagedProvider;
  readonly autodesk: StagedProvider;
  readonly app: WebApp;
  readonly sql: postgres.Sql;
  /** The REST API as a signed-in user. */
  readonly user: SupabaseClient;
  readonly userToken: string;
  /** What the API has answered so far: status, headers and body. */
  readonly answers: () => Promise<readonly Place[]>;
}

const [OWNER] = DEMO_USERS;

/** Starts everything. */
export async function startStage(): Promise<Stage> {
  await using parts = new AsyncDisposableStack();
  const base = await Deno.makeTempDir({ prefix: "e2e_consent_" });
  parts.defer(() => Deno.remove(base, { recursive: true }));
  // The database's own account has to reach its data.
  await Deno.chmod(base, 0o755);
  const google = await startGoogle();
  parts.defer(() => google.server.stop());
  const autodesk = await startAutodesk();
  parts.defer(() => autodesk.server.stop());
  const app = await startWebApp();
  parts.defer(() => app.stop());
  const answers: Promise<Place>[] = [];
  const stateDir = join(base, "state");
  const stack = await bootStack({
    stateDir,
    settings: {
      ...google.settings,
      ...autodesk.settings,
      CONNECTOR_OAUTH_REDIRECT_URLS: app.doneUrl,
      CONNECTOR_LOG_LEVEL: "debug",
    },
    onAnswer: (request, response) => void answers.push(written(request, response.clone())),
  });
  parts.defer(() => stack.database.remove());
  parts.defer(() => stack.stop());
  const sql = postgres(stack.info.db_url, { max: 2, onnotice: () => {} });
  parts.defer(() => sql.end({ timeout: 5 }));
  for (const provider of [google, autodesk]) provider.allowCallback(stack.callbackUrl);
  const signedIn = await signIn(stack);
  app.use({ functionsUrl: stack.info.functions_url, userToken: signedIn.userToken });
  const owned = parts.move();
  return {
    stack,
    stateDir,
    google,
    autodesk,
    app,
    sql,
    ...signedIn,
    answers: () => Promise.all(answers),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function bootStack(
  options: Pick<StackOptions, "stateDir" | "settings" | "onAnswer">,
): Promise<Stack> {
  const isSystem = Deno.env.get("CONNECTOR_E2E_DATABASE") === "system";
  return await startStack({
    ...options,
    apiPort: 0,
    dbPort: 0,
    server: isSystem ? "system" : "embedded",
    durable: false,
  });
}

async function signIn(stack: Stack): Promise<Pick<Stage, "user" | "userToken">> {
  const { api_url: apiUrl, publishable_key: key } = stack.info;
  const userToken = await signUserToken(stack.keys, OWNER, { apiUrl });
  const user = createClient(apiUrl, key, { accessToken: () => Promise.resolve(userToken) });
  return { user, userToken };
}

async function written(request: Request, response: Response): Promise<Place> {
  const { pathname } = new URL(request.url);
  const text = await answerText(response);
  return { name: `answer of ${request.method} ${pathname}`, text };
}

/** Makes an endpoint as its owner does; it syncs when it is asked to. */
export async function addEndpoint(
  { user }: Stage,
  provider: StagedProvider,
  config: Readonly<Record<string, string>>,
): Promise<string> {
  const { data, error } = await user.from("endpoints").insert({
    name: "end to end",
    endpoint_type: provider.endpointType,
    project_id: "e2e",
    user_id: OWNER.id,
    schedule_type: "manual",
    endpoint_config: config,
  }).select("id").single();
  if (error !== null) throw error;
  return String(data.id);
}

/** How an endpoint stands, as its owner sees it. */
export interface EndpointState {
  readonly last_sync_status: string;
  readonly last_error_code: string | null;
  readonly last_error_message: string | null;
}

/** Ticks until an endpoint has come to this end. */
export async function expectEnd(
  { sql }: Stage,
  endpointId: string,
  status: string | null,
): Promise<EndpointState> {
  let last: EndpointState | undefined;
  try {
    return await waitFor(`the endpoint to be ${status ?? "there"}`, async () => {
      // What pg_cron does each minute.
      await sql`select connector.tick()`;
      [last] = await sql<EndpointState[]>`
        select last_sync_status, last_error_code, last_error_message
        from public.endpoints where id = ${endpointId}`;
      return status === null || last?.last_sync_status === status ? last : null;
    }, { deadlineMs: 60_000, everyMs: 250 });
  } catch (cause) {
    throw new Error(`The endpoint is ${JSON.stringify(last)}`, { cause });
  }
}

/** Asks for a sync as the owner does, and ticks until its run has come to this end, or to any. */
export async function syncOnce(
  stage: Stage,
  endpointId: string,
  status: string | null,
): Promise<EndpointState> {
  const { sql, user } = stage;
  const [before] = await sql`
    select count(*) as runs from public.sync_logs
    where endpoint_id = ${endpointId} and finished_at is not null`;
  const { error } = await user.rpc("request_sync", { endpoint_id: endpointId });
  if (error !== null) throw error;
  await waitFor("a run to end", async () => {
    await sql`select connector.tick()`;
    const [now] = await sql`
      select count(*) as runs from public.sync_logs
      where endpoint_id = ${endpointId} and finished_at is not null`;
    return now?.runs !== before?.runs;
  }, { deadlineMs: 60_000, everyMs: 250 });
  return await expectEnd(stage, endpointId, status);
}
