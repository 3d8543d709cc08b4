import type { FileRecord } from "../providers/types.ts";
import type { FileFilter } from "./file_types.ts";
import { wantsAll } from "./file_types.ts";

/** Files of a page, divided by the endpoint's `file_types`. */
export interface SplitFiles {
  readonly files: readonly FileRecord[];
  /** Ids of the others. */
  readonly filtered: readonly string[];
}

const NONE: readonly string[] = [];

/** Divides a page's files into those that are wanted and the ids of the others. */
export function splitFiles(files: readonly FileRecord[], isWanted: FileFilter): SplitFiles {
  if (isWanted === wantsAll) return { files, filtered: NONE };
  const wanted: FileRecord[] = [];
  const filtered: string[] = [];
  for (const file of files) {
    if (isWanted(file)) wanted.push(file);
    else filtered.push(file.external_file_id);
  }
  return { files: wanted, filtered };
}
