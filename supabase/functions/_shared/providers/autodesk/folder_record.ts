import type { FolderRecord, ListingStart, ProviderContext } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import type { FolderResource } from "./schemas.ts";
import { toStorableText } from "./text.ts";
import { toTime } from "./times.ts";

/**
 * A rollup this young may not be the last word: it counts whole seconds, and Autodesk's clock is not
 * ours.
 */
const YOUNG_MS = 3_000;

/** What is kept of a folder between two listings. */
type FolderState = {
  readonly rollup: string;
  readonly objects: number | null;
  /** Only where it is so: the state then equals no later one, and the folder is read once more. */
  readonly is_young?: true;
};

/**
 * What tells whether anything in or below a folder has changed. `lastModifiedTimeRollup` is said to
 * move with every change below, at once and up to the top; what it does on deletions is not written
 * anywhere, and there the number of direct children helps. `null`: nothing is known.
 */
function toState({ attributes }: FolderResource, now: Date): FolderState | null {
  const rollup = toTime(attributes.lastModifiedTimeRollup);
  if (rollup === undefined) return null;
  const state = { rollup, objects: attributes.objectCount ?? null };
  const isYoung = now.getTime() - Date.parse(rollup) < YOUNG_MS;
  return isYoung ? { ...state, is_young: true } : state;
}

/** A folder with what is kept of it. */
export interface WalkedFolder extends FolderRecord {
  readonly provider_state?: FolderState;
}

/** A folder as it stands in a page. */
export function toFolderRecord(
  folder: FolderResource,
  parentId: string | null,
  { config, now }: Pick<ProviderContext<AutodeskConfig>, "config" | "now">,
): WalkedFolder {
  const state = toState(folder, now());
  return {
    external_folder_id: folder.id,
    external_parent_id: parentId,
    folder_name: toStorableText(folder.attributes.name) || "Untitled",
    // A folder named by the scope stays a top of it, though it may be met again inside another.
    is_root: config.folderIds.includes(folder.id),
    ...(state === null ? {} : { provider_state: state }),
  };
}

/**
 * Which folders a listing reads next: all in a full one, else those that may have changed. A young
 * state is compared with nothing: the last reading may have been in the same second.
 */
export function toWalk(
  folders: readonly WalkedFolder[],
  { mode }: Pick<ProviderContext<AutodeskConfig>, "mode">,
): Required<Pick<ListingStart, "walk" | "walk_changed">> {
  const isCertain = ({ provider_state: state }: WalkedFolder) =>
    mode === "full" || state === undefined || state.is_young === true;
  const ids = (chosen: readonly WalkedFolder[]) =>
    chosen.map((folder) => folder.external_folder_id);
  return {
    walk: ids(folders.filter(isCertain)),
    walk_changed: ids(folders.filter((folder) => !isCertain(folder))),
  };
}
