import type { Account, Item, SharedDrive } from "./drive_types.ts";

// Drive allows 100 levels; the bound keeps a cycle made by mistake from hanging the emulator.
const DEEPEST = 128;

/** Whether the item or a folder above it was put in the trash. */
export function isTrashed(item: Item, depth = 0): boolean {
  if (item.isExplicitlyTrashed) return true;
  if (item.parents.length === 0 || depth > DEEPEST) return false;
  // A legacy file in two folders is trashed only where no untrashed folder is left.
  return item.parents.every((parent) => isTrashed(parent, depth + 1));
}

/** Whether the account owns, or was given, the item or a folder above it. */
export function isShared(item: Item, email: string, depth = 0): boolean {
  if (item.ownerEmail === email || item.sharedWith?.has(email)) return true;
  if (depth > DEEPEST) return false;
  return item.parents.some((parent) => isShared(parent, email, depth + 1));
}

/** Whether the account may read the item by any way: owner, share, membership; all inherited. */
export function canSee(
  item: Item,
  account: Account,
  drives: ReadonlyMap<string, SharedDrive>,
): boolean {
  if (item.driveId !== null && drives.get(item.driveId)?.members.has(account.email)) return true;
  return isShared(item, account.email);
}

/** Whether `folder` is the item itself or stands above it. */
export function isBelow(item: Item, folder: Item, depth = 0): boolean {
  if (item === folder) return true;
  if (depth > DEEPEST) return false;
  return item.parents.some((parent) => isBelow(parent, folder, depth + 1));
}

/** Walks the item and everything below it. */
export function* subtree(item: Item): Generator<Item> {
  yield item;
  for (const child of item.children ?? []) yield* subtree(child);
}
