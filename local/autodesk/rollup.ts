import type { Folder } from "./aps_types.ts";

/**
 * Which events move `lastModifiedTimeRollup` of the folders above. Only "a child was updated" is
 * documented: a client must be right whichever way the others go.
 */
export interface RollupRules {
  /** An item is deleted or restored. */
  readonly delete: boolean;
  /** An entry leaves a folder: the folder it came from, and those above. */
  readonly moveOut: boolean;
  /** A folder is hidden or shown again. */
  readonly folderHide: boolean;
  /** A folder gets another name. */
  readonly folderRename: boolean;
  /** Somebody may read a folder, or no longer. */
  readonly permission: boolean;
}

/** The rules somebody wants changed. */
export type RollupRulesGiven = { readonly [Name in keyof RollupRules]?: boolean | undefined };

/** The events there are rules for. */
export const ROLLUP_EVENTS = [
  "delete",
  "moveOut",
  "folderHide",
  "folderRename",
  "permission",
] as const;

/** Everything but permissions propagates. */
export const DEFAULT_ROLLUP_RULES: RollupRules = {
  delete: true,
  moveOut: true,
  folderHide: true,
  folderRename: true,
  permission: false,
};

/** Moves the rollup of a folder and of all above it. It never goes back. */
export function touchRollup(folder: Folder | null, atMs: number): void {
  for (let each = folder; each !== null; each = each.parent) {
    each.rollupMs = Math.max(each.rollupMs, atMs);
  }
}
