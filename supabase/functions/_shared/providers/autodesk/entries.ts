import type { SkippedSubtree } from "../types.ts";
import { isDeleted, type ListedFile } from "./file_record.ts";
import {
  entry,
  type FolderResource,
  type ItemResource,
  resourceId,
  type ResourceList,
  type VersionResource,
  versionResource,
} from "./schemas.ts";

/** What lies in a folder, as far as one page shows it. */
export interface Entries {
  readonly folders: readonly FolderResource[];
  readonly files: readonly ListedFile[];
  /** Ids of deleted files, which are shown as such for ever. */
  readonly deletedFiles: readonly string[];
  /** Deleted folders: what lies in them is not marked itself, and may have been moved out before. */
  readonly hiddenFolders: number;
  readonly unreadable: readonly SkippedSubtree[];
}

/** The versions of a page by their own ids and by those of their items. */
function indexVersions(included: readonly unknown[]): ReadonlyMap<string, VersionResource> {
  const versions = new Map<string, VersionResource>();
  for (const value of included) {
    const result = versionResource.safeParse(value);
    // What else is included, or cannot be read, is missed by the item it belongs to, and counted there.
    if (!result.success) continue;
    const version = result.data;
    const itemId = version.relationships?.item?.data.id;
    if (itemId !== undefined) versions.set(itemId, version);
    versions.set(version.id, version);
  }
  return versions;
}

/** Finds an item's tip version among the versions that came with it. */
export function joinTip(item: ItemResource, included: readonly unknown[]): ListedFile {
  return joinIndexed(item, indexVersions(included));
}

function joinIndexed(
  item: ItemResource,
  versions: ReadonlyMap<string, VersionResource>,
): ListedFile {
  const tipId = item.relationships?.tip?.data.id;
  const named = tipId === undefined ? undefined : versions.get(tipId);
  return { item, tip: named ?? versions.get(item.id) ?? null };
}

/**
 * Reads the entries of a page. One that cannot be read is reported and stops no other; one that
 * appears twice counts as it was seen last.
 *
 * @param containerId what to report for an entry that has not even an id
 */
export function readEntries({ data, included }: ResourceList, containerId: string): Entries {
  const versions = indexVersions(included);
  const folders = new Map<string, FolderResource>();
  const files = new Map<string, ListedFile>();
  const deletedFiles = new Set<string>();
  const unreadable: SkippedSubtree[] = [];
  let hiddenFolders = 0;
  for (const value of data) {
    const result = entry.safeParse(value);
    if (!result.success) {
      unreadable.push(reportUnreadable(value, containerId));
    } else if (result.data.type === "folders") {
      if (result.data.attributes.hidden) hiddenFolders += 1;
      else folders.set(result.data.id, result.data);
    } else {
      const { id } = result.data;
      const listed = joinIndexed(result.data, versions);
      files.delete(id);
      deletedFiles.delete(id);
      if (isDeleted(listed)) deletedFiles.add(id);
      else files.set(id, listed);
    }
  }
  return {
    folders: [...folders.values()],
    files: [...files.values()],
    deletedFiles: [...deletedFiles],
    hiddenFolders,
    unreadable,
  };
}

function reportUnreadable(value: unknown, containerId: string): SkippedSubtree {
  const named = resourceId.safeParse(value);
  return {
    external_folder_id: named.success ? named.data.id : containerId,
    code: "response_invalid",
    message: "Autodesk described an entry of a folder in an unreadable form; it was left out",
  };
}
