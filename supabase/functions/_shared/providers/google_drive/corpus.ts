import type { GoogleDriveScope } from "./config.ts";
import type { Corpus } from "./query.ts";
import type { DriveItem } from "./schemas.ts";

/** Where the searches of a scope look, flat ones and those of single folders alike. */
export function corpusOf(scope: GoogleDriveScope): Corpus {
  if (scope.type === "account") return { type: "user" };
  // Without a drive named, the folders may lie in My Drive, in shared drives, or in both.
  return scope.driveId === null
    ? { type: "by_parents" }
    : { type: "drive", driveId: scope.driveId };
}

/**
 * Whether an item is certainly none of the scope's: an account's own corpus holds nothing of shared
 * drives, and a shared drive nothing of other drives. Below folders it is the parents that decide.
 */
export function isOutside(item: Pick<DriveItem, "driveId">, scope: GoogleDriveScope): boolean {
  if (item.driveId === undefined) return false;
  if (scope.type === "account") return true;
  return scope.driveId !== null && item.driveId !== scope.driveId;
}
