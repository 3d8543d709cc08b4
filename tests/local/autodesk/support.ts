import assert from "node:assert/strict";
import { ApsModel } from "../../../local/autodesk/aps_model.ts";
import {
  type Arrangement,
  type ArrangementOptions,
  arrangeProject,
} from "../../../local/autodesk/arrangement.ts";
import { type ApsEmulator, createApsEmulator } from "../../../local/autodesk/emulator.ts";

export const CLIENT = "client-one";
export const SECRET = "secret-one";
export const HOST = "http://aps.test";

/** A JSON object of unknown content. */
export type Body = Record<string, unknown>;

/** A clock that a test moves by hand. */
export interface Clock {
  nowMs: number;
}

/** An emulator with one project, called as one app. */
export interface Account extends Arrangement {
  readonly emulator: ApsEmulator;
  readonly model: ApsModel;
  readonly clock: Clock;
}

/** An account with a project whose clock stands still until it is moved. */
export function accountWithProject(options: Partial<ArrangementOptions> = {}): Account {
  const clock: Clock = { nowMs: Date.parse("2026-03-01T12:00:00.500Z") };
  const model = new ApsModel({ seed: 7, now: () => clock.nowMs });
  const place = arrangeProject(model, {
    clientId: CLIENT,
    createdTime: "2026-01-01T00:00:00Z",
    ...options,
  });
  const emulator = createApsEmulator({
    model,
    apps: [{ clientId: CLIENT, clientSecret: SECRET, redirectUris: ["https://app.test/back"] }],
    hasControlRoute: true,
  });
  return { emulator, model, clock, ...place };
}

/** What a call was answered. */
export interface Answer {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
}

/** How a call is made. */
export interface CallOptions {
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  readonly userId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls the API with a token of its own. */
export async function call(
  { emulator }: { readonly emulator: ApsEmulator },
  path: string,
  options: CallOptions = {},
): Promise<Answer> {
  const { clientId = CLIENT, scopes = ["data:read"], userId = null } = options;
  const authorization = `Bearer ${emulator.issueAccessToken(clientId, scopes, userId)}`;
  const response = await emulator.fetch(new URL(path, HOST), {
    headers: { authorization, ...options.headers },
  });
  const text = await response.text();
  const body = text === "" ? {} : asObject(JSON.parse(text));
  return { status: response.status, body, headers: response.headers };
}

/** Calls the API and expects success. */
export async function get(
  account: { readonly emulator: ApsEmulator },
  path: string,
  options: CallOptions = {},
): Promise<Body> {
  const { status, body } = await call(account, path, options);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Calls the API and expects a refusal of the service: its status and code. */
export async function refusal(
  account: { readonly emulator: ApsEmulator },
  path: string,
  options: CallOptions = {},
): Promise<string> {
  const { status, body } = await call(account, path, options);
  const error = asObject(asArray(body["errors"])[0]);
  assert.equal(error["status"], String(status));
  assert.equal(typeof error["detail"], "string");
  return `${status} ${error["code"]}`;
}

/** The path of a folder's contents. */
export function contents(
  projectId: string,
  folderId: string,
  query: Readonly<Record<string, string>> = {},
): string {
  const base = `/data/v1/projects/${projectId}/folders/${encodeURIComponent(folderId)}/contents`;
  return `${base}?${new URLSearchParams(query)}`;
}

/** The path of a resource of the Data service. */
export function data(account: Account, kind: string, id: string, rest = ""): string {
  return `/data/v1/projects/${account.projectId}/${kind}/${encodeURIComponent(id)}${rest}`;
}

/** The path of the project's top folders. */
export function topFolders(account: Account, query = ""): string {
  return `/project/v1/hubs/${account.hubId}/projects/${account.projectId}/topFolders${query}`;
}

/** Every page of a list, from a path on to the last `links.next`. */
export async function pages(
  account: { readonly emulator: ApsEmulator },
  path: string,
  options: CallOptions = {},
): Promise<Body[]> {
  const found: Body[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const body: Body = await get(account, next, options);
    found.push(body);
    const link = asObject(body["links"])["next"];
    next = link === undefined ? undefined : String(asObject(link)["href"]);
  }
  return found;
}

/** The ids in `data` of a list. */
export function idsOf(...bodies: readonly Body[]): string[] {
  return bodies.flatMap((body) =>
    asArray(body["data"]).map((each) => String(asObject(each)["id"]))
  );
}

/** An attribute of the resource in `data`, or of a resource itself. */
export function attribute(body: unknown, name: string): unknown {
  const object = asObject(body);
  return asObject(asObject(object["data"] ?? object)["attributes"])[name];
}

/** Posts a form to the authentication service. */
export async function post(
  { emulator }: { readonly emulator: ApsEmulator },
  path: string,
  form: Readonly<Record<string, string>>,
  basic?: string,
): Promise<Answer> {
  const response = await emulator.fetch(new URL(path, HOST), {
    method: "POST",
    body: new URLSearchParams(form),
    ...(basic === undefined ? {} : { headers: { authorization: `Basic ${btoa(basic)}` } }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  const body = isJson ? asObject(JSON.parse(text)) : { text };
  return { status: response.status, body, headers: response.headers };
}

/** Narrows a JSON value to an object. */
export function asObject(value: unknown): Body {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`Expected an object: current value is ${JSON.stringify(value)}`);
  }
  return Object.fromEntries(Object.entries(value));
}

/** Narrows a JSON value to an array. */
export function asArray(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`Expected an array: current value is ${JSON.stringify(value)}`);
}
