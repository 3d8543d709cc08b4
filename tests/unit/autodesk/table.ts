import { autodesk } from "../../../supabase/functions/_shared/providers/autodesk/index.ts";
import type {
  AbsentItem,
  FileRecord,
  FolderRecord,
  Json,
  ListingMode,
  ListingStart,
  Page,
  SkippedSubtree,
  Task,
} from "../../../supabase/functions/_shared/providers/types.ts";
import type { FakeAps } from "./fake_aps.ts";

/** What a table is filled from. */
export interface Source {
  readonly calls: { readonly length: number };
  context(options: Parameters<FakeAps["context"]>[0]): ReturnType<FakeAps["context"]>;
}

interface KnownFolder extends FolderRecord {
  /** What it was when it and all below it were last read. */
  readonly remembered: string | null;
}

/** One run: what it began with, which folders it read, and what it could not read. */
export interface Run {
  readonly start: ListingStart;
  readonly walked: readonly string[];
  readonly skipped: readonly SkippedSubtree[];
  readonly receipt: Readonly<Record<string, number>>;
  readonly calls: number;
}

/** What the database keeps of one endpoint, with the rules by which listings change it. */
export class Table {
  readonly files = new Map<string, FileRecord>();
  readonly folders = new Map<string, KnownFolder>();
  memory: Json = null;

  constructor(readonly aps: Source, readonly config?: unknown, readonly pageSize = 200) {}

  /** Runs a listing to its end, and the sweep after it. */
  async run(mode: ListingMode): Promise<Run> {
    const callsBefore = this.aps.calls.length;
    const options = { mode, pageSize: this.pageSize };
    const context = () =>
      this.aps.context({ ...options, config: this.config, memory: this.memory });
    const start = await autodesk.startListing(context());
    this.memory = start.memory ?? null;
    const seen = new Set<string>();
    const queue: Task[] = [];
    const walked: string[] = [];
    const skipped: SkippedSubtree[] = [];
    const receipt: Record<string, number> = {};
    const enqueued = new Set<string>();
    const take = (shown: readonly FolderRecord[], page: Pick<Page, "walk" | "walk_changed">) => {
      for (const folder of shown) this.#show(folder, seen);
      const changed = (page.walk_changed ?? []).filter((id) => this.#isChanged(id));
      for (const id of [...page.walk, ...changed]) {
        if (enqueued.has(id)) continue;
        enqueued.add(id);
        queue.push({ id: queue.length, kind: "walk", folder_ids: [id], cursor: null, sequence: 0 });
      }
    };
    take(start.roots, start);
    for (const { kind, cursor } of start.seeds) {
      queue.push({ id: queue.length, kind, folder_ids: [], cursor, sequence: 0 });
    }
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      let at: Task | null = task;
      while (at !== null) {
        const page: Page = await autodesk.readPage(at, context());
        for (const file of page.files) this.files.set(file.external_file_id, file);
        for (const file of page.files) seen.add(file.external_file_id);
        for (const { external_id } of page.removed ?? []) {
          if (!seen.has(external_id)) this.files.delete(external_id);
        }
        take(page.folders, page);
        skipped.push(...page.skipped);
        for (const [name, count] of Object.entries(page.receipt)) {
          receipt[name] = (receipt[name] ?? 0) + count;
        }
        at = page.next.type === "done" ? null : {
          ...at,
          // A cursor lives in the database between two pages.
          cursor: JSON.parse(JSON.stringify(page.next.cursor)),
          sequence: at.sequence + 1,
        };
      }
      walked.push(...task.folder_ids);
    }
    if (skipped.length === 0) {
      await this.#sweep(start, seen, new Set(walked), context());
      this.#remember(walked);
    }
    return { start, walked, skipped, receipt, calls: this.aps.calls.length - callsBefore };
  }

  #show(folder: FolderRecord, seen: Set<string>): void {
    const id = folder.external_folder_id;
    seen.add(id);
    this.folders.set(id, { ...folder, remembered: this.folders.get(id)?.remembered ?? null });
  }

  #isChanged(id: string): boolean {
    const folder = this.folders.get(id);
    return folder?.remembered !== JSON.stringify(folder?.provider_state);
  }

  #remember(walked: readonly string[]): void {
    for (const id of walked) {
      const folder = this.folders.get(id);
      if (folder?.provider_state === undefined) continue;
      this.folders.set(id, { ...folder, remembered: JSON.stringify(folder.provider_state) });
    }
  }

  async #sweep(
    start: ListingStart,
    seen: ReadonlySet<string>,
    walked: ReadonlySet<string>,
    context: ReturnType<Source["context"]>,
  ): Promise<void> {
    const isDue = (id: string, parentId: string | null) =>
      !seen.has(id) && (start.sweep === "everything" || walked.has(parentId ?? ""));
    // Folders first: what becomes of one becomes of all below it.
    const folders = [...this.folders.values()]
      .filter((folder) => !folder.is_root)
      .filter((folder) => isDue(folder.external_folder_id, folder.external_parent_id));
    const safe = await this.#settle(
      folders.map((folder) => ({
        external_id: folder.external_folder_id,
        external_parent_id: folder.external_parent_id,
        is_folder: true,
      })),
      context,
    );
    const files = [...this.files.values()]
      .filter((file) => isDue(file.external_file_id, file.external_parent_id))
      .filter((file) => !this.#isBelow(file.external_parent_id, safe));
    await this.#settle(
      files.map((file) => ({
        external_id: file.external_file_id,
        external_parent_id: file.external_parent_id,
        is_folder: false,
      })),
      context,
    );
  }

  /** Asks for what is absent and does what the answers say; returns the folders to be left alone. */
  async #settle(
    absent: readonly AbsentItem[],
    context: ReturnType<Source["context"]>,
  ): Promise<ReadonlySet<string>> {
    const safe = new Set<string>();
    for (let at = 0; at < absent.length; at += 50) {
      const answer = await autodesk.confirmGone?.(absent.slice(at, at + 50), context);
      for (const id of answer?.gone ?? []) this.#remove(id);
      for (const { external_id } of answer?.unknown ?? []) safe.add(external_id);
      for (const file of answer?.present_files ?? []) this.files.set(file.external_file_id, file);
      for (const folder of answer?.present_folders ?? []) {
        safe.add(folder.external_folder_id);
        this.#show(folder, new Set());
      }
    }
    return safe;
  }

  #remove(id: string): void {
    const below = new Set([id]);
    for (const file of [...this.files.values()]) {
      const fileId = file.external_file_id;
      if (fileId === id || this.#isBelow(file.external_parent_id, below)) this.files.delete(fileId);
    }
    for (const folder of [...this.folders.keys()]) {
      if (folder !== id && this.#isBelow(folder, below)) this.folders.delete(folder);
    }
    this.folders.delete(id);
  }

  #isBelow(folderId: string | null, tops: ReadonlySet<string>): boolean {
    for (let at = folderId; at !== null; at = this.folders.get(at)?.external_parent_id ?? null) {
      if (tops.has(at)) return true;
    }
    return false;
  }

  /** The paths of all files, by id. */
  paths(): Map<string, string> {
    const paths = new Map<string, string>();
    for (const file of this.files.values()) {
      const names = [file.file_name];
      let at = this.folders.get(file.external_parent_id ?? "");
      while (at !== undefined && !at.is_root) {
        names.unshift(at.folder_name);
        at = this.folders.get(at.external_parent_id ?? "");
      }
      paths.set(file.external_file_id, `/${names.join("/")}`);
    }
    return paths;
  }
}
