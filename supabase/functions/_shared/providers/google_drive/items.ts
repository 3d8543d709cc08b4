import type { FileRecord, FolderRecord, SkippedSubtree } from "../types.ts";
import { toFileRecord, toFolderRecord } from "./file_record.ts";
import { isPlainItem } from "./item_check.ts";
import { FOLDER_MIME_TYPE } from "./query.ts";
import { type DriveItem, driveItem, itemId } from "./schemas.ts";

/** The readable items of a page, each once, and a word about each of the others. */
export interface ReadItems {
  readonly items: readonly DriveItem[];
  readonly unreadable: readonly SkippedSubtree[];
}

/**
 * Reads the items of a page. An item that cannot be read is reported and stops no other; one that
 * appears twice (it moved while Drive was turning the page) counts as it was seen last.
 *
 * @param containerId what to report for an item that has not even an id
 */
export function readItems(listed: readonly unknown[], containerId: string): ReadItems {
  const items = new Map<string, DriveItem>();
  const unreadable: SkippedSubtree[] = [];
  for (const value of listed) {
    if (isPlainItem(value)) {
      items.set(value.id, value);
      continue;
    }
    const result = driveItem.safeParse(value);
    if (result.success) {
      items.set(result.data.id, result.data);
      continue;
    }
    const named = itemId.safeParse(value);
    const field = result.error.issues[0]?.path.join(".") || "form";
    unreadable.push({
      external_folder_id: named.success ? named.data.id : containerId,
      code: "response_invalid",
      message: `Google Drive described an item with an unreadable ${field}; it was left out`,
    });
  }
  return { items: [...items.values()], unreadable };
}

/** Where an item stands. */
export interface Place {
  readonly parentId: string | null;
  /** Whether the item is itself a top of the endpoint's scope. */
  readonly isRoot: boolean;
}

/** The first parent, as Drive orders them: only items from before 2020 have more than one. */
export function firstParent(item: DriveItem): string | null {
  return item.parents?.[0] ?? null;
}

/** Items told apart, with the number of values that could not be read. */
export interface SortedItems {
  readonly files: readonly FileRecord[];
  readonly folders: readonly FolderRecord[];
  readonly unreadableValues: number;
}

/** Turns items into rows: folders, and everything else (shortcuts are not followed). */
export function sortItems(
  items: readonly DriveItem[],
  place: (item: DriveItem) => Place,
): SortedItems {
  const files: FileRecord[] = [];
  const folders: FolderRecord[] = [];
  let unreadableValues = 0;
  for (const item of items) {
    const { parentId, isRoot } = place(item);
    if (item.mimeType === FOLDER_MIME_TYPE) {
      folders.push(toFolderRecord(item, parentId, isRoot));
      continue;
    }
    const read = toFileRecord(item, parentId);
    unreadableValues += read.unreadableValues;
    files.push(read.file);
  }
  return { files, folders, unreadableValues };
}
