import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import type { GoogleDriveConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import type {
  FileRecord,
  FolderRecord,
  ListingStart,
  ProviderContext,
  SkippedSubtree,
  Task,
} from "../../../supabase/functions/_shared/providers/types.ts";

/** What a whole listing brought. */
export interface Listed {
  readonly start: ListingStart;
  readonly files: Map<string, FileRecord>;
  readonly folders: Map<string, FolderRecord>;
  readonly skipped: readonly SkippedSubtree[];
  readonly receipt: Readonly<Record<string, number>>;
  /** Kinds of the tasks in the order in which they were begun. */
  readonly kinds: readonly string[];
}

/** Runs a listing to its end as the engine does: tasks from seeds, walked folders in groups. */
export async function runListing(
  context: ProviderContext<GoogleDriveConfig>,
  foldersPerTask = 50,
): Promise<Listed> {
  const start = await googleDrive.startListing(context);
  const tasks: Task[] = [];
  const seen = new Set<string>();
  const add = (made: Pick<ListingStart, "seeds" | "walk">) => {
    const isNew = (key: string) => !seen.has(key) && seen.add(key) !== undefined;
    const walk = made.walk.filter((id) => isNew(`walk ${id}`));
    for (let at = 0; at < walk.length; at += foldersPerTask) {
      tasks.push(task("walk", null, walk.slice(at, at + foldersPerTask), tasks.length));
    }
    for (const seed of made.seeds.filter(({ kind, key }) => isNew(`${kind} ${key}`))) {
      tasks.push(task(seed.kind, seed.cursor, [], tasks.length));
    }
  };
  add(start);
  const files = new Map<string, FileRecord>();
  const folders = new Map(start.roots.map((root) => [root.external_folder_id, root]));
  const skipped: SkippedSubtree[] = [];
  const receipt: Record<string, number> = {};
  for (let at = 0; at < tasks.length; at++) {
    let current = tasks[at];
    while (current !== undefined) {
      const page = await googleDrive.readPage(current, context);
      for (const file of page.files) files.set(file.external_file_id, file);
      for (const folder of page.folders) folders.set(folder.external_folder_id, folder);
      skipped.push(...page.skipped);
      for (const [name, count] of Object.entries(page.receipt)) {
        receipt[name] = (receipt[name] ?? 0) + count;
      }
      add(page);
      const { next } = page;
      current = next.type === "done" ? undefined : {
        ...current,
        // A cursor lives in the database between two pages.
        cursor: JSON.parse(JSON.stringify(next.cursor)),
        sequence: current.sequence + 1,
      };
    }
  }
  return { start, files, folders, skipped, receipt, kinds: tasks.map(({ kind }) => kind) };
}

/** A task as the database hands it out. */
export function task(
  kind: string,
  cursor: Task["cursor"] = null,
  folder_ids: readonly string[] = [],
  id = 0,
): Task {
  return { id, kind, folder_ids, cursor, sequence: 0 };
}

/** The path of a file, put together from the folders of the listing. */
export function pathOf(listed: Listed, fileId: string): string {
  const file = listed.files.get(fileId);
  const names = [file?.file_name ?? ""];
  let parent = listed.folders.get(file?.external_parent_id ?? "");
  while (parent !== undefined && !parent.is_root) {
    names.unshift(parent.folder_name);
    parent = listed.folders.get(parent.external_parent_id ?? "");
  }
  return `/${names.join("/")}`;
}
