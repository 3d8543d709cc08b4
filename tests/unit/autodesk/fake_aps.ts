import { SyncError } from "../../../supabase/functions/_shared/errors.ts";
import { classify } from "../../../supabase/functions/_shared/providers/autodesk/classify.ts";
import type { AutodeskConfig } from "../../../supabase/functions/_shared/providers/autodesk/config.ts";
import { parseConfig } from "../../../supabase/functions/_shared/providers/autodesk/config.ts";
import type {
  Json,
  ListingMode,
  ProviderContext,
} from "../../../supabase/functions/_shared/providers/types.ts";

export const API_URL = "https://aps.test";
export const HUB = "b.hub-1";
export const PROJECT = "b.project-1";
export const TOP = urn("top");

/** A folder's id, from a short word. */
export function urn(word: string): string {
  return `urn:adsk.wipprod:fs.folder:co.${word}`;
}

/** A file's id, from a short word. */
export function lineage(word: string): string {
  return `urn:adsk.wipprod:dm.lineage:${word}`;
}

interface Entry {
  readonly type: "folders" | "items";
  readonly id: string;
  name: string;
  parent: string;
  hidden: boolean;
  rollupMs: number;
  versions: { name: string; deleted: boolean; atMs: number }[];
}

const ROOT = urn("root");
const FORMATS: readonly ((iso: string) => string)[] = [
  (iso) => `${iso}.0000000Z`,
  (iso) => `${iso}.000Z`,
  (iso) => `${iso}+00:00`,
  (iso) => `${iso}+0000`,
];

/** An account of Construction Cloud in memory, as its API shows it; it can be told to refuse. */
export class FakeAps {
  /** Every address asked for, in order. */
  calls: URL[] = [];
  nowMs = Date.parse("2026-03-01T12:00:00Z");
  /** Hubs with their projects. */
  readonly hubs = new Map<string, Set<string>>([[HUB, new Set([PROJECT])]]);
  warnings: readonly unknown[] = [];
  readonly entries = new Map<string, Entry>();
  /** Folders and projects that are refused with this status. */
  readonly refused = new Map<string, number>();
  /** Whether only additions move rollups: on everything else the documents are silent. */
  isRollupFrugal = false;
  isLinkAbsolute = false;
  /** Empty pages put before the real ones of every folder. */
  emptyPages = 0;
  /** Answers in place of the fake's own; `undefined` leaves the call alone. */
  interceptor: (url: URL) => unknown = () => undefined;
  #formats = 0;

  constructor() {
    this.addFolder("top", "root", "Project Files");
  }

  addFolder(word: string, parent = "top", name = word): string {
    const id = urn(word);
    this.#put({ type: "folders", id, name, parent: urn(parent) });
    return id;
  }

  addFile(word: string, parent = "top", name = `${word}.pdf`): string {
    const id = lineage(word);
    this.#put({ type: "items", id, name, parent: urn(parent) });
    return id;
  }

  #put(entry: Pick<Entry, "type" | "id" | "name" | "parent">): void {
    const version = { name: entry.name, deleted: false, atMs: this.nowMs };
    const versions = entry.type === "items" ? [version] : [];
    this.entries.set(entry.id, { ...entry, hidden: false, rollupMs: this.nowMs, versions });
    this.#touch(entry.parent);
  }

  addVersion(id: string, name?: string): void {
    const entry = this.entry(id);
    entry.name = name ?? entry.name;
    entry.versions.push({ name: entry.name, deleted: false, atMs: this.nowMs });
    this.#touch(entry.parent);
  }

  move(id: string, parentId: string): void {
    const entry = this.entry(id);
    this.#touchFrugally(entry.parent);
    entry.parent = parentId;
    // To the end of the list, as one that was added.
    this.entries.delete(id);
    this.entries.set(id, entry);
    this.#touch(parentId);
  }

  setHidden(id: string, hidden: boolean): void {
    const entry = this.entry(id);
    entry.hidden = hidden;
    const name = hidden ? "1c9d3777-9a2a-4841-84fe-93bc55691c5d" : entry.name;
    if (entry.type === "items") entry.versions.push({ name, deleted: hidden, atMs: this.nowMs });
    this.#touchFrugally(entry.parent);
  }

  rename(id: string, name: string): void {
    const entry = this.entry(id);
    if (entry.type === "items") return this.addVersion(id, name);
    entry.name = name;
    this.#touchFrugally(entry.parent);
  }

  entry(id: string): Entry {
    const found = this.entries.get(id);
    if (found === undefined) throw new Error(`Cannot find ${id}`);
    return found;
  }

  /** Whether `id` is `ancestor` or lies below it. */
  isBelow(id: string, ancestor: string): boolean {
    for (let at: string | undefined = id; at !== undefined; at = this.entries.get(at)?.parent) {
      if (at === ancestor) return true;
    }
    return false;
  }

  /** The paths of all files that are there, by id. */
  paths(): Map<string, string> {
    const paths = new Map<string, string>();
    for (const entry of this.entries.values()) {
      if (entry.type !== "items") continue;
      const names: string[] = [];
      let isThere = true;
      for (let at: Entry | undefined = entry; at !== undefined; at = this.entries.get(at.parent)) {
        names.unshift(at.name);
        isThere &&= !at.hidden;
      }
      if (isThere) paths.set(entry.id, `/${names.join("/")}`);
    }
    return paths;
  }

  #touchFrugally(folderId: string): void {
    if (!this.isRollupFrugal) this.#touch(folderId);
  }

  #touch(folderId: string): void {
    let at = this.entries.get(folderId);
    while (at !== undefined) {
      at.rollupMs = Math.max(at.rollupMs, this.nowMs);
      at = this.entries.get(at.parent);
    }
  }

  /** A provider context over this account. */
  context(
    options: { config?: unknown; mode?: ListingMode; memory?: Json; pageSize?: number } = {},
  ): ProviderContext<AutodeskConfig> {
    return {
      config: parseConfig(options.config ?? { project_id: PROJECT }),
      pageSize: options.pageSize ?? 200,
      apiUrl: API_URL,
      idleLanes: 6,
      mode: options.mode ?? "full",
      memory: options.memory ?? null,
      now: () => new Date(this.nowMs),
      signal: new AbortController().signal,
      getJson: (url) => Promise.resolve().then(() => this.#answer(url)),
    };
  }

  /** Fails as the engine's call does. */
  refuse(url: URL, status: number, body: unknown = {}): never {
    const verdict = classify({ status, headers: new Headers(), body, url });
    if (verdict === null) throw new SyncError("response_invalid", `status ${status}`);
    throw new SyncError(verdict.code, verdict.message);
  }

  #answer(url: URL): unknown {
    this.calls.push(url);
    const intercepted = this.interceptor(url);
    if (intercepted instanceof Error) throw intercepted;
    if (intercepted !== undefined) return JSON.parse(JSON.stringify(intercepted));
    const [, service, , ...path] = url.pathname.split("/").map(decodeURIComponent);
    return service === "project" ? this.#project(url, path) : this.#data(url, path);
  }

  #project(url: URL, path: readonly string[]): unknown {
    const [, hub, , project, isTop] = path;
    if (hub === undefined) {
      const data = [...this.hubs.keys()].map((id) => ({ type: "hubs", id }));
      return { data, meta: { warnings: this.warnings } };
    }
    const projects = this.hubs.get(hub);
    if (projects === undefined) this.refuse(url, 403);
    if (project === undefined || !projects.has(project)) this.refuse(url, 404);
    const status = this.refused.get(project);
    if (status !== undefined) this.refuse(url, status);
    if (isTop === undefined) return { data: { type: "projects", id: project } };
    return { data: this.#children(ROOT).map((entry) => this.#show(entry)), links: {} };
  }

  #data(url: URL, path: readonly string[]): unknown {
    const [, project = "", kind, id = "", isContents] = path;
    if (![...this.hubs.values()].some((projects) => projects.has(project))) this.refuse(url, 404);
    const entry = this.entries.get(id);
    const status = this.#refusalOf(id);
    if (status !== null) this.refuse(url, status);
    if (entry === undefined || kind !== entry.type) this.refuse(url, 404);
    if (isContents !== undefined) return this.#contents(url, id);
    const tip = this.#tip(entry);
    return { data: this.#show(entry), ...(tip === null ? {} : { included: [tip] }) };
  }

  #refusalOf(id: string): number | null {
    for (let at: string | undefined = id; at !== undefined; at = this.entries.get(at)?.parent) {
      const status = this.refused.get(at);
      if (status !== undefined) return status;
    }
    return null;
  }

  #children(folderId: string): Entry[] {
    return [...this.entries.values()].filter(({ id, parent }) =>
      parent === folderId && !this.refused.has(id)
    );
  }

  #contents(url: URL, folderId: string): unknown {
    const limit = Number(url.searchParams.get("page[limit]"));
    const number = Number(url.searchParams.get("page[number]") ?? 0);
    const gap: null[] = Array(this.emptyPages * limit).fill(null);
    const slots = [...gap, ...this.#children(folderId)];
    const cut = slots.slice(number * limit, (number + 1) * limit);
    const isHiddenShown = url.searchParams.get("includeHidden") === "true";
    const shown = cut.filter((entry) => entry !== null)
      .filter((entry) => isHiddenShown || !entry.hidden);
    const included = shown.map((entry) => this.#tip(entry)).filter((tip) => tip !== null);
    const next = new URL(url);
    next.searchParams.set("page[number]", String(number + 1));
    const href = this.isLinkAbsolute ? next.href : `${next.pathname}${next.search}`;
    return {
      data: shown.map((entry) => this.#show(entry)),
      ...(included.length === 0 ? {} : { included }),
      links: { ...((number + 1) * limit < slots.length ? { next: { href } } : {}) },
    };
  }

  #time(ms: number): string {
    const iso = new Date(ms).toISOString().slice(0, 19);
    return FORMATS[this.#formats++ % FORMATS.length]?.(iso) ?? iso;
  }

  #show(entry: Entry): unknown {
    const { type, id, hidden } = entry;
    const parent = { data: { type: "folders", id: entry.parent } };
    if (type === "folders") {
      const objectCount = this.#children(id).filter((child) => !child.hidden).length;
      const lastModifiedTimeRollup = this.#time(entry.rollupMs);
      const attributes = { name: entry.name, hidden, lastModifiedTimeRollup, objectCount };
      return { type, id, attributes, relationships: { parent } };
    }
    return {
      type,
      id,
      attributes: {
        displayName: "lags behind",
        createTime: this.#time(entry.versions[0]?.atMs ?? 0),
        createUserName: "Ann",
        hidden,
      },
      links: { webView: { href: `https://acc.autodesk.com/${id}` } },
      relationships: { parent, tip: { data: { type: "versions", id: `${id}?version=tip` } } },
    };
  }

  #tip(entry: Entry): unknown {
    const tip = entry.versions.at(-1);
    if (tip === undefined) return null;
    const kind = tip.deleted ? "versions:autodesk.core:Deleted" : "versions:autodesk.bim360:File";
    return {
      type: "versions",
      id: `${entry.id}?version=tip`,
      attributes: {
        name: tip.name,
        versionNumber: entry.versions.length,
        lastModifiedTime: this.#time(tip.atMs),
        lastModifiedUserName: "",
        ...(tip.deleted ? {} : { storageSize: 12 }),
        extension: { type: kind, data: {} },
      },
      relationships: { item: { data: { type: "items", id: entry.id } } },
    };
  }
}

/** The calls of a fake, by what was asked, in order. */
export function kinds(calls: readonly URL[]): string[] {
  return calls.map(({ pathname }) => pathname.split("/").filter(Boolean).at(-1) ?? "")
    .map((last) => decodeURIComponent(last));
}
