import assert from "node:assert/strict";
import { createDriveEmulator, type DriveEmulator } from "../../../local/google/emulator.ts";
import { DriveModel } from "../../../local/google/drive_model.ts";

export const SCOPE = "https://www.googleapis.com/auth/drive.metadata.readonly";
export const OWNER = "owner@example.com";
export const READER = "reader@example.com";

/** A JSON object of unknown content. */
export type Body = Record<string, unknown>;

/** An emulator with two users, and a clock that moves one second at each look. */
export function emulatorWithUsers(): DriveEmulator {
  let nowMs = Date.parse("2026-03-01T12:00:00Z");
  const model = new DriveModel({ seed: 7, now: () => nowMs += 1000 });
  model.addAccount({ email: OWNER, displayName: "Olive Owner" });
  model.addAccount({ email: READER, displayName: "Rita Reader" });
  return createDriveEmulator({ model, keepsTexts: true });
}

/** Calls the API as somebody: parsed body and status. */
export async function call(
  emulator: DriveEmulator,
  email: string,
  path: string,
  query: Readonly<Record<string, string>> = {},
  scope = SCOPE,
): Promise<{ readonly status: number; readonly body: Body }> {
  const url = `http://drive.test/drive/v3/${path}?${new URLSearchParams(query)}`;
  const authorization = `Bearer ${emulator.issueAccessToken(email, [scope])}`;
  const response = await emulator.fetch(url, { headers: { authorization } });
  return { status: response.status, body: asObject(await response.json()) };
}

/** Calls the API and expects success. */
export async function get(
  emulator: DriveEmulator,
  email: string,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<Body> {
  const { status, body } = await call(emulator, email, path, query);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Calls the API and expects a refusal: its status, reason and location. */
export async function refusal(
  emulator: DriveEmulator,
  email: string,
  path: string,
  query: Readonly<Record<string, string>> = {},
  scope = SCOPE,
): Promise<string> {
  const { status, body } = await call(emulator, email, path, query, scope);
  const error = asObject(body["error"]);
  const first = asObject(asArray(error["errors"])[0]);
  assert.equal(error["code"], status);
  return [status, first["reason"], first["location"]].filter((part) => part !== undefined).join(
    " ",
  );
}

/** The names of the files of a list. */
export async function names(
  emulator: DriveEmulator,
  email: string,
  query: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const body = await get(emulator, email, "files", query);
  return asArray(body["files"]).map((file) => String(asObject(file)["name"])).sort();
}

/** Reads a change log from a token to its end. */
export async function drainChanges(
  emulator: DriveEmulator,
  email: string,
  pageToken: string,
  query: Readonly<Record<string, string>> = {},
): Promise<{ readonly changes: Body[]; readonly pages: number; readonly token: string }> {
  const changes: Body[] = [];
  let token = pageToken;
  for (let pages = 1;; pages++) {
    const body = await get(emulator, email, "changes", { fields: "*", ...query, pageToken: token });
    changes.push(...asArray(body["changes"]).map(asObject));
    const next = body["nextPageToken"];
    if (typeof next !== "string") {
      return { changes, pages, token: String(body["newStartPageToken"]) };
    }
    token = next;
  }
}

/** The token at which a change log stands now. */
export async function startToken(
  emulator: DriveEmulator,
  email: string,
  query: Readonly<Record<string, string>> = {},
): Promise<string> {
  return String((await get(emulator, email, "changes/startPageToken", query))["startPageToken"]);
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
