import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DriveModel } from "../../../local/google/drive_model.ts";
import { createDriveEmulator, type DriveEmulator } from "../../../local/google/emulator.ts";
import type { NewOAuthClient } from "../../../local/google/oauth_clients.ts";
import { asObject, type Body, OWNER, READER, SCOPE } from "./support.ts";

export const CLIENT: NewOAuthClient = {
  clientId: "client-one",
  clientSecret: "GOCSPX-secret-one",
  redirectUris: ["https://app.test/back"],
  name: "An <app>",
};
export const HOST = "http://google.test";
export const VERIFIER = "verifier-".repeat(6);

/** An emulator with two people, a client and a clock that a test moves by hand. */
export interface ConsentStage {
  readonly emulator: DriveEmulator;
  readonly clock: { nowMs: number };
}

/** Makes a stage. */
export function consentStage(client: Partial<NewOAuthClient> = {}): ConsentStage {
  const clock = { nowMs: Date.parse("2026-03-01T12:00:00Z") };
  const model = new DriveModel({ seed: 7, now: () => clock.nowMs });
  model.addAccount({ email: OWNER, displayName: "Olive Owner" });
  model.addAccount({ email: READER, displayName: "Rita Reader" });
  const emulator = createDriveEmulator({
    model,
    oauthClients: [{ ...CLIENT, ...client }],
    hasControlRoute: true,
  });
  return { emulator, clock };
}

/** What a client asks for; `undefined` leaves a parameter out. */
export function asked(overrides: Readonly<Record<string, string | undefined>> = {}): Body {
  const all: Record<string, string | undefined> = {
    response_type: "code",
    client_id: CLIENT.clientId,
    redirect_uri: "https://app.test/back",
    scope: SCOPE,
    state: "s.1",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
    access_type: "offline",
    ...overrides,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Opens the consent page. */
export async function open(
  { emulator }: ConsentStage,
  parameters: Body | string = asked(),
): Promise<{ readonly status: number; readonly text: string; readonly location: string | null }> {
  const query = typeof parameters === "string" ? parameters : form(parameters).toString();
  const response = await emulator.fetch(`${HOST}/o/oauth2/v2/auth?${query}`);
  const location = response.headers.get("location");
  return { status: response.status, text: await response.text(), location };
}

/** Answers the consent page as a person does: what the redirect address is given. */
export async function decide(
  { emulator }: ConsentStage,
  parameters: Body = asked(),
  answer: {
    readonly email?: string;
    readonly granted?: readonly string[];
    readonly decision?: string;
  } = {},
): Promise<URLSearchParams> {
  const body = form(parameters);
  body.set("email", answer.email ?? OWNER);
  const granted = answer.granted ?? String(parameters["scope"]).split(" ");
  for (const scope of granted) body.append("granted", scope);
  body.set("decision", answer.decision ?? "allow");
  const response = await emulator.fetch(`${HOST}/o/oauth2/v2/auth`, { method: "POST", body });
  assert.equal(response.status, 302, await response.text());
  const location = new URL(response.headers.get("location") ?? "");
  assert.equal(location.origin + location.pathname, "https://app.test/back");
  return location.searchParams;
}

/** Sends a form to the token endpoint, with the client's credentials in the body. */
export async function token(
  { emulator }: ConsentStage,
  fields: Body,
  init: { readonly path?: string; readonly headers?: HeadersInit } = {},
): Promise<Body> {
  const credentials = init.headers === undefined
    ? { client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret }
    : {};
  const response = await emulator.fetch(HOST + (init.path ?? "/token"), {
    method: "POST",
    body: form({ ...credentials, ...fields }),
    headers: init.headers ?? {},
  });
  return { status: response.status, ...asObject(await response.json()) };
}

/** Exchanges a code. */
export function exchange(
  stage: ConsentStage,
  code: string | null,
  fields: Readonly<Record<string, string | undefined>> = {},
): Promise<Body> {
  return token(stage, {
    grant_type: "authorization_code",
    code,
    redirect_uri: "https://app.test/back",
    code_verifier: VERIFIER,
    ...fields,
  });
}

/** Consents and exchanges the code. */
export async function connect(stage: ConsentStage, parameters: Body = asked()): Promise<Body> {
  const answer = await exchange(stage, (await decide(stage, parameters)).get("code"));
  assert.equal(answer["status"], 200, JSON.stringify(answer));
  return answer;
}

/** Refreshes. */
export function refresh(
  stage: ConsentStage,
  refreshToken: unknown,
  fields: Body = {},
): Promise<Body> {
  return token(stage, { grant_type: "refresh_token", refresh_token: refreshToken, ...fields });
}

/** The names of the files that a token shows. */
export async function filesOf({ emulator }: ConsentStage, accessToken: unknown): Promise<string> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await emulator.fetch(`${HOST}/drive/v3/files?orderBy=name`, { headers });
  const body = asObject(await response.json());
  if (response.status !== 200) return String(response.status);
  const files = Array.isArray(body["files"]) ? body["files"] : [];
  return files.map((file) => asObject(file)["name"]).join(", ");
}

function form(fields: Body): URLSearchParams {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}
