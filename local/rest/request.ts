import { planCall } from "./calls.ts";
import type { Catalog, Table } from "./catalog.ts";
import { refusal, RestFailure } from "./failure.ts";
import { negotiateShape, requireJsonBody } from "./media.ts";
import type { Plan, RestRequest } from "./plans.ts";
import { parsePreferences } from "./preferences.ts";
import { parseQuery } from "./query_string.ts";
import { parseRangeHeader } from "./ranges.ts";
import { planTableRead } from "./reads.ts";
import { planDelete, planInsert, planUpdate } from "./writes.ts";

/** A request, with what SQL may see of it. */
export interface IncomingRequest {
  readonly rest: RestRequest;
  readonly target: { readonly type: "table" | "rpc"; readonly name: string };
  /** The path below `/rest/v1`, as PostgREST behind its gateway sees it. */
  readonly path: string;
  readonly headers: Headers;
}

/** The largest body that is read. */
export const MAX_BODY_BYTES = 20 * 1024 * 1024;

const PREFIX = /^\/rest\/v1(?=\/|$)/;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PATCH", "DELETE"]);

/** Reads a request to the end, and refuses what cannot be answered whatever the database holds. */
export async function readRequest(request: Request): Promise<IncomingRequest> {
  const url = new URL(request.url);
  const { method, headers } = request;
  const path = url.pathname.replace(PREFIX, "");
  const target = targetOf(path);
  if (method === "PUT" || method === "OPTIONS") throw refusal(`the method ${method}`);
  if (!METHODS.has(method)) {
    throw new RestFailure(405, "PGRST117", `Unsupported HTTP method: ${method}`);
  }
  if (target.type === "rpc" && (method === "PATCH" || method === "DELETE")) {
    throw new RestFailure(405, "PGRST101", `Cannot use the ${method} method on RPC`);
  }
  const isRead = method === "GET" || method === "HEAD";
  requireSchema(headers.get(isRead ? "accept-profile" : "content-profile"));
  const hasBody = method === "POST" || method === "PATCH";
  if (hasBody) requireJsonBody(headers.get("content-type"));
  const rest = {
    method,
    query: parseQuery(url.searchParams),
    headerRange: isRead ? parseRangeHeader(headers.get("range")) : null,
    preferences: parsePreferences(headers.get("prefer")),
    shape: negotiateShape(headers.get("accept")),
    body: hasBody ? await readBody(request) : "",
  };
  return { rest, target, path, headers };
}

/** Plans a request against the catalog. */
export function planRequest(catalog: Catalog, { rest, target }: IncomingRequest): Plan {
  if (target.type === "rpc") return planCall(catalog, target.name, rest);
  const table = catalog.tables.get(target.name);
  if (table === undefined) {
    const message = `Could not find the table 'public.${target.name}' in the schema cache`;
    throw new RestFailure(404, "PGRST205", message, { isCatalogMiss: true });
  }
  return planTable(catalog, table, rest);
}

function planTable(catalog: Catalog, table: Table, rest: RestRequest): Plan {
  switch (rest.method) {
    case "POST":
      return planInsert(catalog, table, rest);
    case "PATCH":
      return planUpdate(catalog, table, rest);
    case "DELETE":
      return planDelete(catalog, table, rest);
    default:
      return planTableRead(catalog, table, rest);
  }
}

function targetOf(path: string): IncomingRequest["target"] {
  const [first, second, ...others] = path.split("/").slice(1).map(decodeSegment);
  if (first === undefined || first === "") throw refusal("the OpenAPI description at the root");
  if (first === "rpc" && second !== undefined && second !== "" && others.length === 0) {
    return { type: "rpc", name: second };
  }
  if (second === undefined) return { type: "table", name: first };
  throw new RestFailure(404, "PGRST125", "Invalid path specified in request URL");
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RestFailure(404, "PGRST125", "Invalid path specified in request URL");
  }
}

function requireSchema(profile: string | null): void {
  if (profile === null || profile === "public") return;
  throw new RestFailure(406, "PGRST106", `Invalid schema: ${profile}`, {
    hint: "Only the following schemas are exposed: public",
  });
}

async function readBody(request: Request): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? "NaN");
  if (announced > MAX_BODY_BYTES) throw bodyTooLarge();
  if (announced >= 0 || request.body === null) return await request.text();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw bodyTooLarge();
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join("");
}

function bodyTooLarge(): RestFailure {
  return new RestFailure(413, "STANDIN413", "The request body is larger than 20 MiB");
}
