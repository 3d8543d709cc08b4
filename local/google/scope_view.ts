import type { DriveState } from "./drive_state.ts";
import { type Account, FOLDER_TYPE, type Item } from "./drive_types.ts";
import { canSee, isShared, isTrashed } from "./visibility.ts";

/** A part of a Drive, as a person would name it. */
export type ViewScope =
  /** The account's My Drive and what is shared with it. */
  | { readonly type: "account" }
  | { readonly type: "drive"; readonly driveId: string }
  | { readonly type: "folders"; readonly folderIds: readonly string[] };

/** A file or shortcut in a scope. */
export interface FileInScope {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  readonly size: string | null;
  /** Names of the folders below the scope's top, outermost first. */
  readonly folderNames: readonly string[];
}

/**
 * Every file and shortcut of a scope that the account sees and that is not in the trash: what a
 * perfect copy of the Drive would hold. It is worked out by walking, without the API's code.
 */
export function filesInScope(model: DriveState, email: string, scope: ViewScope): FileInScope[] {
  const account = model.account(email);
  const tops = topsOf(model, account, scope);
  const items = itemsInScope(model, account, scope);
  const files = [...items].filter((item) => item.mimeType !== FOLDER_TYPE);
  return files.map((item) => ({
    id: item.id,
    name: item.name,
    mimeType: item.mimeType,
    size: item.size,
    folderNames: folderNames(item, tops, items),
  })).sort((left, right) => left.id < right.id ? -1 : 1);
}

/** The ids of all folders of a scope that the account sees and that are not in the trash. */
export function foldersInScope(
  model: DriveState,
  email: string,
  scope: ViewScope,
): ReadonlySet<string> {
  const items = itemsInScope(model, model.account(email), scope);
  return new Set([...items].filter((item) => item.children !== null).map(({ id }) => id));
}

function itemsInScope(model: DriveState, account: Account, scope: ViewScope): ReadonlySet<Item> {
  const items = new Set<Item>();
  for (const item of itemsOf(model, account, scope)) {
    if (!isTrashed(item) && canSee(item, account, model.drives)) items.add(item);
  }
  return items;
}

function topsOf(model: DriveState, account: Account, scope: ViewScope): ReadonlySet<string> {
  switch (scope.type) {
    case "account":
      return new Set([account.root.id]);
    case "drive":
      return new Set([model.drive(scope.driveId).root.id]);
    case "folders":
      return new Set(scope.folderIds);
  }
}

function* itemsOf(model: DriveState, account: Account, scope: ViewScope): Generator<Item> {
  if (scope.type === "account") {
    for (const item of model.items.values()) {
      if (item.driveId === null && isShared(item, account.email)) yield item;
    }
    return;
  }
  for (const id of topsOf(model, account, scope)) {
    const top = model.items.get(id);
    if (top !== undefined && !isTrashed(top)) yield* untrashedSubtree(top);
  }
}

// A legacy file may lie in a trashed folder of the scope and live on in one outside of it.
function* untrashedSubtree(item: Item): Generator<Item> {
  if (item.isExplicitlyTrashed) return;
  yield item;
  for (const child of item.children ?? []) yield* untrashedSubtree(child);
}

// The first parent in the scope counts; above what none of them is in, nothing is known.
function folderNames(
  item: Item,
  tops: ReadonlySet<string>,
  items: ReadonlySet<Item>,
): string[] {
  const parent = item.parents.find((each) => items.has(each));
  if (parent === undefined || tops.has(parent.id)) return [];
  return [...folderNames(parent, tops, items), parent.name];
}
