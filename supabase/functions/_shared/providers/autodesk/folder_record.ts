import type { FolderRecord, Json, ListingStart, ProviderContext } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import type { FolderResource } from "./schemas.ts";
import { toStorableText } from "./text.ts";
import { toTime } from "./times.ts";

/**
 * A rollup this young may not be the last word: it counts whole seconds, and Autodesk's clock is not
 * ours.
 */
const YOUNG_MS = 3_000;

/**
 * What tells whether anything in or below a folder has changed. `lastModifiedTimeRollup` is said to
 * move with every change below, at once and up to the top; what it does on deletions is not written
 * anywhere, and there the number of direct children helps. `undefined`: nothing is known.
 */
function toState({ attributes }: FolderResource, now: Date): Json | undefined {
  const rollup = toTime(attributes.lastModifiedTimeRollup);
  if (rollup === undefined) return undefined;
  const state = { rollup, objects: attributes.objectCount ?? null };
  const isYoung = now.getTime() - Date.parse(rollup) < YOUNG_MS;
  // With the time of reading in it, it equals no later state: the folder is read once more.
  return isYoung ? { ...state, read_at: now.toISOString() } : state;
}

/** A folder as it stands in a page. */
export function toFolderRecord(
  folder: FolderResource,
  parentId: string | null,
  { config, now }: Pick<ProviderContext<AutodeskConfig>, "config" | "now">,
): FolderRecord {
  const state = toState(folder, now());
  return {
    external_folder_id: folder.id,
    external_parent_id: parentId,
    folder_name: toStorableText(folder.attributes.name) || "Untitled",
    // A folder named by the scope stays a top of it, though it may be met again inside another.
    is_root: config.folderIds.includes(folder.id),
    ...(state === undefined ? {} : { provider_state: state }),
  };
}

/** Which folders a listing reads next: all in a full one, else those that may have changed. */
export function toWalk(
  folders: readonly FolderRecord[],
  { mode }: Pick<ProviderContext<AutodeskConfig>, "mode">,
): Required<Pick<ListingStart, "walk" | "walk_changed">> {
  const isCertain = (folder: FolderRecord) =>
    mode === "full" || folder.provider_state === undefined;
  const ids = (chosen: readonly FolderRecord[]) =>
    chosen.map((folder) => folder.external_folder_id);
  return {
    walk: ids(folders.filter(isCertain)),
    walk_changed: ids(folders.filter((folder) => !isCertain(folder))),
  };
}
