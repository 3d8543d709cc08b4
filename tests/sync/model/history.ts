/**
 * What was true of a drive, step by step: what a table kept by reading it may hold, and when a file
 * may have been found gone.
 */
import { extensionOf, isBlob } from "../../../local/google/drive_types.ts";
import {
  type FileInScope,
  filesInScope,
  foldersInScope,
} from "../../../local/google/scope_view.ts";
import { pathOf } from "../../support/case_table.ts";
import type { Playground } from "./playground.ts";

/** A file as it must stand in the table. */
export interface ExpectedFile {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly size: string | null;
  readonly mimeType: string | null;
  /** The shared drive that it lies in, where a provider has such. */
  readonly driveId: string | null;
}

/** The memory of one sequence. */
export interface History {
  /** To be called after every change of the drive or of what is wanted of it. */
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

/** Where a history looks: what is true at the moment. */
export interface Present {
  /** Every file that must be there, when files of these types are wanted. */
  files(types: readonly string[] | null): readonly ExpectedFile[];
  /** The folders that are in the scope. */
  folders(): Iterable<string>;
  /** Everything there is, in the scope or not. */
  items(): Iterable<{ readonly id: string; readonly foldersAbove: Iterable<string> }>;
}

/** Creates the memory of a sequence. */
export function createHistory({ model, reader, view }: Playground): History {
  return rememberAll({
    files: (types) =>
      filesInScope(model, reader, view).filter((file) => isWanted(file, types)).map((file) => ({
        ...toExpected(file),
        driveId: model.item(file.id).driveId,
      })),
    folders: () => foldersInScope(model, reader, view),
    *items() {
      for (const { id, parents } of model.items.values()) {
        const foldersAbove: string[] = [];
        for (let level = [...parents]; level.length > 0;) {
          foldersAbove.push(...level.map((folder) => folder.id));
          level = level.flatMap((folder) => folder.parents);
        }
        yield { id, foldersAbove };
      }
    },
  });

  // The rules of `file_types`, for the types that the sequences choose.
  function isWanted(file: FileInScope, types: readonly string[] | null): boolean {
    if (types === null || types.includes("*")) return true;
    const item = model.item(file.id);
    const extension = isBlob(item) ? item.fullExtension ?? extensionOf(item.name) : null;
    const isPdf = extension?.toLowerCase() === "pdf" || item.name.toLowerCase().endsWith(".pdf");
    return types.includes(file.mimeType) || (types.includes("pdf") && isPdf);
  }
}

/** Creates a memory, whichever the provider. */
export function rememberAll(now: Present): History {
  let types: readonly string[] | null = null;
  let step = 0;
  const present = new Set<string>();
  const lastAbsent = new Map<string, number>();
  const folders = new Map<string, Set<string>>();

  const expected = () => now.files(types);

  function note(): void {
    step += 1;
    for (const { id, foldersAbove } of now.items()) {
      const above = folders.get(id) ?? new Set();
      folders.set(id, above);
      for (const folder of foldersAbove) above.add(folder);
    }
    const there = new Set([...expected().map(({ id }) => id), ...now.folders()]);
    for (const id of there) present.add(id);
    for (const id of folders.keys()) if (!there.has(id)) lastAbsent.set(id, step);
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
