import type { DriveState } from "./drive_state.ts";
import { type Account, FOLDER_TYPE, type Item } from "./drive_types.ts";
import { canSee, isShared, isTrashed, subtree } from "./visibility.ts";

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
  const found = new Map<string, FileInScope>();
  for (const item of itemsOf(model, account, scope)) {
    if (item.mimeType === FOLDER_TYPE || isTrashed(item) || found.has(item.id)) continue;
    if (!canSee(item, account, model.drives)) continue;
    found.set(item.id, {
      id: item.id,
      name: item.name,
      mimeType: item.mimeType,
      size: item.size,
      folderNames: folderNames(item, tops, account, model),
    });
  }
  return [...found.values()].sort((left, right) => left.id < right.id ? -1 : 1);
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
    if (top !== undefined) yield* subtree(top);
  }
}

// The first parent that can be seen counts; above one that cannot, nothing is known.
function folderNames(
  item: Item,
  tops: ReadonlySet<string>,
  account: Account,
  model: DriveState,
): string[] {
  const parent = item.parents.find((each) => canSee(each, account, model.drives));
  if (parent === undefined || tops.has(parent.id)) return [];
  return [...folderNames(parent, tops, account, model), parent.name];
}
