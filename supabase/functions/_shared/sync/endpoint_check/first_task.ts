import type { ListingStart, Task } from "../../providers/types.ts";

/** The first task a sync would read; `null` where there is none. */
export function firstTask(start: ListingStart, foldersPerTask: number): Task | null {
  const folders = [...start.walk, ...start.walk_changed ?? []].slice(0, foldersPerTask);
  const base = { id: 1, sequence: 0 };
  if (folders.length > 0) return { ...base, kind: "walk", folder_ids: folders, cursor: null };
  const [seed] = start.seeds;
  return seed === undefined
    ? null
    : { ...base, kind: seed.kind, folder_ids: [], cursor: seed.cursor };
}
