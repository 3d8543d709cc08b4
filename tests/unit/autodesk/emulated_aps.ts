import { type Arrangement, arrangeProject } from "../../../local/autodesk/arrangement.ts";
import { ApsModel } from "../../../local/autodesk/aps_model.ts";
import { foldersAbove } from "../../../local/autodesk/aps_types.ts";
import { type ApsEmulator, createApsEmulator } from "../../../local/autodesk/emulator.ts";
import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";
import type { AccessToken } from "../../../supabase/functions/_shared/providers/types.ts";
import type { Source } from "./table.ts";

const API_URL = "http://aps.emulator";
const CLIENT_ID = "AbCdEfGh";
const SECRET = "hush";

const env: Readonly<Record<string, string>> = {
  CONNECTOR_AUTODESK_CLIENT_ID: CLIENT_ID,
  CONNECTOR_AUTODESK_CLIENT_SECRET: SECRET,
  CONNECTOR_AUTODESK_API_URL: API_URL,
};

/** The emulated Autodesk with one project, read as the engine reads it, but without waiting. */
export class EmulatedAps implements Source {
  /** Calls of the API, the token's left out. */
  readonly calls: URL[] = [];
  nowMs = Date.parse("2026-03-01T12:00:00Z");
  readonly model = new ApsModel({ now: () => this.nowMs });
  readonly emulator: ApsEmulator = createApsEmulator({
    model: this.model,
    apps: [{ clientId: CLIENT_ID, clientSecret: SECRET }],
  });
  readonly place: Arrangement;
  #token: AccessToken | null = null;

  constructor(options: { readonly hasSystemFolders?: boolean } = {}) {
    this.place = arrangeProject(this.model, { ...options, clientId: CLIENT_ID });
  }

  context(options: Parameters<Source["context"]>[0] = {}): ReturnType<Source["context"]> {
    const config = autodesk.parseConfig(options.config ?? { project_id: this.place.projectId });
    const headers = autodesk.callHeaders?.(config) ?? {};
    return {
      config,
      pageSize: options.pageSize ?? 200,
      apiUrl: API_URL,
      idleLanes: 6,
      mode: options.mode ?? "full",
      memory: options.memory ?? null,
      now: () => new Date(this.nowMs),
      signal: new AbortController().signal,
      getJson: (url) => this.#get(url, headers, config),
    };
  }

  async #get(
    url: URL,
    more: Readonly<Record<string, string>>,
    config: ReturnType<Source["context"]>["config"],
  ): Promise<unknown> {
    const { access_token } = await this.#obtainToken(config);
    this.calls.push(url);
    const headers = {
      ...more,
      authorization: `Bearer ${access_token}`,
      accept: "application/json",
    };
    const response = await this.emulator.fetch(url, { headers });
    const body: unknown = await response.json();
    if (response.ok) return body;
    const verdict = autodesk.classify({
      status: response.status,
      headers: response.headers,
      body,
      url,
    });
    throw new SyncError(verdict?.code ?? "response_invalid", verdict?.message ?? "");
  }

  async #obtainToken(
    config: ReturnType<Source["context"]>["config"],
  ): Promise<AccessToken> {
    const isOver = this.#token === null || this.#token.expires_at.getTime() <= this.nowMs;
    if (!isOver && this.#token !== null) return this.#token;
    this.#token = await autodesk.issueToken({
      config,
      settings: autodesk.parseSettings((name) => env[name]),
      fetch: this.emulator.fetch,
      now: () => new Date(this.nowMs),
      signal: new AbortController().signal,
    });
    return this.#token;
  }

  /** The paths of all files that are there, by id. */
  paths(): Map<string, string> {
    const paths = new Map<string, string>();
    for (const item of this.model.items.values()) {
      const above = [...foldersAbove(item)];
      if (item.isHidden || above.some(({ isHidden, isSystem }) => isHidden || isSystem)) continue;
      const names = above.filter(({ parent }) => parent !== null).map(({ name }) => name).reverse();
      const name = item.versions.at(-1)?.name ?? item.displayName;
      paths.set(item.id, `/${[...names, name].join("/")}`);
    }
    return paths;
  }
}
