import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import type { GoogleDriveConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import type { ProviderContext } from "../../../supabase/functions/_shared/providers/types.ts";

/** An item of the fake; whatever else is given is answered as it is. */
export interface FakeItem {
  readonly id: string;
  readonly parents?: readonly string[];
  readonly mimeType?: string;
  readonly [field: string]: unknown;
}

export const FOLDER = "application/vnd.google-apps.folder";
export const API_URL = "https://drive.test";

/** A folder. */
export function folder(id: string, parent?: string, more: Record<string, unknown> = {}): FakeItem {
  return { id, name: id, mimeType: FOLDER, ...(parent ? { parents: [parent] } : {}), ...more };
}

/** A file. */
export function file(id: string, parent?: string, more: Record<string, unknown> = {}): FakeItem {
  const parents = parent ? { parents: [parent] } : {};
  return { id, name: `${id}.pdf`, mimeType: "application/pdf", ...parents, ...more };
}

/** A Drive in memory that understands the queries of the provider, and can be told to fail. */
export class FakeDrive {
  readonly items: FakeItem[];
  /** Every address asked for, in order. */
  readonly calls: URL[] = [];
  /** Folders that a grouped query leaves out, as the real service does at times. */
  readonly silentInGroups = new Set<string>();
  /** Folders whose children this account may not list. */
  readonly refused = new Map<string, SyncError>();
  /** Answers in place of the fake's own, each used once; `null` leaves the call alone. */
  interceptor: (url: URL) => unknown = () => null;

  constructor(items: readonly FakeItem[]) {
    this.items = [...items];
  }

  /** A provider context over this Drive. */
  context(
    config: GoogleDriveConfig,
    pageSize = 1000,
    idleLanes = 0,
  ): ProviderContext<GoogleDriveConfig> {
    return {
      config,
      pageSize,
      idleLanes,
      apiUrl: API_URL,
      mode: "full",
      memory: null,
      now: () => new Date(),
      signal: new AbortController().signal,
      getJson: (url) => Promise.resolve().then(() => this.#answer(url)),
    };
  }

  #answer(url: URL): unknown {
    this.calls.push(url);
    const intercepted = this.interceptor(url);
    if (intercepted instanceof Error) throw intercepted;
    if (intercepted !== null) return intercepted;
    const path = url.pathname.replace("/drive/v3/", "");
    if (path === "files") return this.#list(url);
    if (path === "changes/startPageToken") {
      return { startPageToken: `start-${url.searchParams.get("driveId") ?? "user"}` };
    }
    if (path === "about") return { user: { emailAddress: "reader@project.example" } };
    return this.#get(path.replace("files/", ""));
  }

  #get(id: string): unknown {
    const found = this.items.find((item) => item.id === id || (id === "root" && item["isMyDrive"]));
    if (found === undefined) throw new SyncError("scope_not_found", "not found");
    return found;
  }

  #list(url: URL): unknown {
    const query = url.searchParams.get("q") ?? "";
    const named = [...query.matchAll(/'([^']+)' in parents/g)].flatMap((match) => match[1] ?? []);
    for (const id of named) {
      const error = this.refused.get(id);
      if (error !== undefined) throw error;
    }
    const since = /createdTime >= '([^']+)'/.exec(query)?.[1] ?? "";
    const until = /createdTime < '([^']+)'/.exec(query)?.[1] ?? "~";
    const heard = named.filter((id) => named.length === 1 || !this.silentInGroups.has(id));
    const matching = this.items.filter((item) => {
      if (item["isTop"] || item["isMyDrive"]) return false;
      if (named.length > 0) return item.parents?.some((parent) => heard.includes(parent));
      const createdTime = String(item["createdTime"] ?? "2020");
      if (createdTime < since || createdTime >= until) return false;
      return (item.mimeType === FOLDER) === query.includes("mimeType = ");
    });
    const from = Number(url.searchParams.get("pageToken") ?? 0);
    const end = from + Number(url.searchParams.get("pageSize"));
    return {
      files: matching.slice(from, end),
      ...(end < matching.length ? { nextPageToken: String(end) } : {}),
    };
  }
}
