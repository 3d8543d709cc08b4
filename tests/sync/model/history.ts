/**
 * What was true of the Drive, step by step: what a table kept by reading it may hold, and when a file
 * may have been found gone.
 */
import { extensionOf, isBlob } from "../../../local/google/drive_types.ts";
import {
  type FileInScope,
  filesInScope,
  foldersInScope,
} from "../../../local/google/scope_view.ts";
import type { Playground } from "./playground.ts";

/** A file as it must stand in the table. */
export interface ExpectedFile {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly size: string | null;
  readonly mimeType: string;
  /** The shared drive that it lies in. */
  readonly driveId: string | null;
}

/** The memory of one sequence. */
export interface History {
  /** To be called after every change of the Drive or of what is wanted of it. */
  note(): void;
  chooseTypes(types: readonly string[] | null): void;
  /** Every file that must be there now, by id. */
  expected(): readonly ExpectedFile[];
  /** Counts the calls of {@linkcode History.note}. */
  step(): number;
  /**
   * Whether the file was ever in the scope and wanted, or in a folder that was ever in the scope: when
   * such a folder has left it, the log may tell of the file first.
   */
  mayHaveRow(id: string): boolean;
  /**
   * Whether, at `since` or later, the file was absent, or a folder was that it lay in at that time or
   * later: such a folder's entry may be read, and take the file with it, before the file's own.
   */
  mayBeGone(id: string, since: number): boolean;
}

/** Creates the memory of a sequence. */
export function createHistory({ model, reader, view }: Playground): History {
  let types: readonly string[] | null = null;
  let step = 0;
  const present = new Set<string>();
  const lastAbsent = new Map<string, number>();
  const folders = new Map<string, Set<string>>();

  function expected(): ExpectedFile[] {
    return filesInScope(model, reader, view).filter((file) => isWanted(file)).map((file) => ({
      ...toExpected(file),
      driveId: model.item(file.id).driveId,
    }));
  }

  // The rules of `file_types`, for the types that the sequences choose.
  function isWanted(file: FileInScope): boolean {
    if (types === null || types.includes("*")) return true;
    const item = model.item(file.id);
    const extension = isBlob(item) ? item.fullExtension ?? extensionOf(item.name) : null;
    const isPdf = extension?.toLowerCase() === "pdf" || item.name.toLowerCase().endsWith(".pdf");
    return types.includes(file.mimeType) || (types.includes("pdf") && isPdf);
  }

  function noteFolders(): void {
    for (const item of model.items.values()) {
      const above = folders.get(item.id) ?? new Set();
      folders.set(item.id, above);
      for (let level = [...item.parents]; level.length > 0;) {
        level.forEach(({ id }) => above.add(id));
        level = level.flatMap(({ parents }) => parents);
      }
    }
  }

  function note(): void {
    step += 1;
    noteFolders();
    const now = new Set(expected().map(({ id }) => id));
    const readable = foldersInScope(model, reader, view);
    for (const id of [...now, ...readable]) present.add(id);
    for (const id of folders.keys()) {
      if (!now.has(id) && !readable.has(id)) lastAbsent.set(id, step);
    }
  }

  return {
    note,
    chooseTypes(chosen) {
      types = chosen;
      note();
    },
    expected,
    step: () => step,
    mayHaveRow: (id) =>
      present.has(id) || [...folders.get(id) ?? []].some((folder) => present.has(folder)),
    mayBeGone(id, since) {
      const wasAbsent = (each: string) => (lastAbsent.get(each) ?? -1) >= since;
      return wasAbsent(id) || [...folders.get(id) ?? []].some(wasAbsent);
    },
  };
}

function toExpected(
  { id, name, size, mimeType, folderNames }: FileInScope,
): Omit<ExpectedFile, "driveId"> {
  return { id, name, path: pathOf([...folderNames, name]), size, mimeType };
}

// The escaping of DESIGN 1.1, written once more: a test must not ask what it tests.
function pathOf(names: readonly string[]): string {
  return names.map((name) => "/" + name.replace(/[\\/]/g, "\\$&")).join("");
}
