/**
 * The part of Supabase's Management API that a deployment needs, recording what the real CLI sends.
 * SQL runs on the database it is given. What it does not know it refuses, and remembers.
 */
import postgres from "postgres";
import { z } from "zod";

/** The project it has, and whoever may ask. */
export const PROJECT_REF = "abcdefghijklmnopqrst";
export const ACCESS_TOKEN = `sbp_${"0123456789".repeat(4)}`;

const Metadata = z.object({
  name: z.string(),
  entrypoint_path: z.string(),
  import_map_path: z.string(),
  verify_jwt: z.boolean(),
});
const Secrets = z.array(z.object({ name: z.string(), value: z.string() }));
const Deployed = z.array(z.object({ slug: z.string(), verify_jwt: z.boolean() }));
const Query = z.object({ query: z.string() });

/** One function as it was uploaded. */
export interface Upload {
  readonly metadata: z.infer<typeof Metadata>;
  /** Text by path. */
  readonly files: ReadonlyMap<string, string>;
}

/** One request. */
export interface Recorded {
  readonly method: string;
  /** Below the project. */
  readonly path: string;
  readonly sql: string | null;
}

/** What the API was sent. */
export interface FakeManagementApi extends AsyncDisposable {
  /** Names this API to the CLI: value of SUPABASE_PROFILE. */
  readonly profile: string;
  readonly requests: Recorded[];
  /** By slug; a later upload replaces an earlier one. */
  readonly uploads: Map<string, Upload>;
  /** The functions that are live. */
  readonly functions: Map<string, { readonly verify_jwt: boolean }>;
  readonly secrets: Map<string, string>;
}

/** Starts it; `folder` is where its profile file is written. */
export async function startFakeManagementApi(
  folder: string,
  databaseUrl: string,
): Promise<FakeManagementApi> {
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => {} });
  const state = {
    requests: new Array<Recorded>(),
    uploads: new Map<string, Upload>(),
    functions: new Map<string, { verify_jwt: boolean }>(),
    secrets: new Map<string, string>(),
  };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => answer(request, state, sql),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const profile = `${folder}/profile.json`;
  const hosts = { project_host: "localhost", pooler_host: "localhost" };
  await Deno.writeTextFile(
    profile,
    JSON.stringify({ name: "fake", api_url: origin, dashboard_url: origin, ...hosts }),
  );
  return {
    ...state,
    profile,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await sql.end({ timeout: 5 });
    },
  };
}

type State = Pick<FakeManagementApi, "requests" | "uploads" | "functions" | "secrets">;

async function answer(request: Request, state: State, sql: postgres.Sql): Promise<Response> {
  const url = new URL(request.url);
  const path = url.pathname.replace(`/v1/projects/${PROJECT_REF}`, "") || "/";
  const route = `${request.method} ${path}`;
  if (request.headers.get("authorization") !== `Bearer ${ACCESS_TOKEN}`) {
    return refuse(401, "Unauthorized");
  }
  if (route === "POST /functions/deploy") {
    return await upload(request, url.searchParams.get("slug") ?? "", state);
  }
  const body: unknown = await request.json().catch(() => null);
  const query = Query.safeParse(body).data?.query ?? null;
  state.requests.push({ method: request.method, path, sql: query });
  switch (route) {
    case "GET /":
      return Response.json({ id: PROJECT_REF, ref: PROJECT_REF, name: "a project" });
    case "GET /secrets":
      return Response.json(
        [...state.secrets.keys()].map((name) => ({ name, value: "a digest" })),
      );
    case "POST /secrets":
      for (const { name, value } of Secrets.parse(body)) state.secrets.set(name, value);
      return Response.json({}, { status: 201 });
    case "PUT /functions":
      for (const { slug, verify_jwt } of Deployed.parse(body)) {
        state.functions.set(slug, { verify_jwt });
      }
      return Response.json({ functions: [] });
    case "POST /database/query":
      return await runQuery(sql, query ?? "");
    default:
      return refuse(404, `The fake API does not know ${route}`);
  }
}

async function upload(request: Request, slug: string, state: State): Promise<Response> {
  const form = await request.formData();
  const metadata = Metadata.parse(JSON.parse(String(form.get("metadata"))));
  const files = new Map<string, string>();
  for (const part of form.getAll("file")) {
    if (part instanceof File) files.set(part.name, await part.text());
  }
  state.requests.push({ method: "POST", path: `/functions/deploy ${slug}`, sql: null });
  state.uploads.set(slug, { metadata, files });
  const { name, verify_jwt } = metadata;
  const times = { created_at: 1, updated_at: 1 };
  return Response.json(
    { id: crypto.randomUUID(), slug, name, status: "ACTIVE", version: 1, verify_jwt, ...times },
    { status: 201 },
  );
}

async function runQuery(sql: postgres.Sql, query: string): Promise<Response> {
  try {
    return Response.json([...await sql.unsafe(query)], { status: 201 });
  } catch (cause) {
    return refuse(400, cause instanceof Error ? cause.message : String(cause));
  }
}

function refuse(status: number, message: string): Response {
  return Response.json({ message }, { status });
}
