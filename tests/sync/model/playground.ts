/** The emulated Drive of one sequence: where its scope lies, and what can be done to it. */
import { arrangeDrive } from "../../../local/google/arrangement.ts";
import type { DriveModel } from "../../../local/google/drive_model.ts";
import type { Item } from "../../../local/google/drive_types.ts";
import { foldersInScope, type ViewScope } from "../../../local/google/scope_view.ts";
import { isBelow, isShared, subtree } from "../../../local/google/visibility.ts";
import { OWNER } from "../../support/drive_sync.ts";
import type { Action, Hiding, Scope } from "./sequence.ts";

/** The scope as an endpoint names it, and as the emulator's own view of it does. */
export interface Arranged {
  readonly config: Record<string, unknown>;
  readonly view: ViewScope;
  /** What can be lost and regained. */
  readonly tops: readonly Top[];
}

interface Top {
  readonly id: string;
  readonly type: "shared_folder" | "drive_folder" | "drive";
}

/** A Drive that actions are done to. */
export interface Playground extends Arranged {
  readonly model: DriveModel;
  readonly reader: string;
  /** Does an action, or nothing where it makes no sense now. */
  act(action: Action): void;
  /** Gives back every lost part of the scope. */
  mend(): void;
}

/** Lays out the scope, with places outside of it that things can be moved to and from. */
export function createPlayground(model: DriveModel, scope: Scope, reader: string): Playground {
  const myDrive = model.addAccount({ email: OWNER }).root.id;
  const team = model.createDrive({ name: "Team", members: [OWNER, reader] }).id;
  const places = [
    model.createFolder({ name: "Private", parent: myDrive }),
    model.createFolder({ name: "Aside", parent: team }),
  ].map(({ id }) => id);
  const arranged = arrange(model, scope, { reader, team });
  // Nothing above a top may go: the logs then tell of the folder above, and of the top nothing.
  const fixed = new Set([...places, ...arranged.tops.map(({ id }) => id)]);
  const ground = { ...arranged, model, reader, fixed, touched: [], hidden: [] };
  return {
    ...arranged,
    model,
    reader,
    act: (action) => act(ground, action),
    mend: () => arranged.tops.forEach((top) => regain(ground, top)),
  };
}

function arrange(
  model: DriveModel,
  scope: Scope,
  { reader, team }: { readonly reader: string; readonly team: string },
): Arranged {
  const layout = "shared_folder";
  const shared = () =>
    arrangeDrive(model, { layout, name: "Scope", owner: OWNER, reader }).folderId;
  const onDrive = () => model.createFolder({ name: "Scope", parent: team }).id;
  const folders = (tops: readonly Top[]) => tops.map(({ id }) => id);
  switch (scope) {
    case "my_folder": {
      const tops: Top[] = [{ id: shared(), type: "shared_folder" }];
      const folderIds = folders(tops);
      return { config: { folder_id: folderIds[0] }, view: { type: "folders", folderIds }, tops };
    }
    case "drive_folder": {
      const tops: Top[] = [{ id: onDrive(), type: "drive_folder" }];
      const folderIds = folders(tops);
      const config = { folder_id: folderIds[0], drive_id: team };
      return { config, view: { type: "folders", folderIds }, tops };
    }
    case "two_folders": {
      const tops: Top[] = [
        { id: shared(), type: "shared_folder" },
        { id: onDrive(), type: "drive_folder" },
      ];
      const folderIds = folders(tops);
      return { config: { folder_ids: folderIds }, view: { type: "folders", folderIds }, tops };
    }
    case "drive":
      return {
        config: { drive_id: team },
        view: { type: "drive", driveId: team },
        tops: [{ id: team, type: "drive" }],
      };
    case "account": {
      // Several things are shared one by one; none of them is the top of anything.
      shared();
      return { config: {}, view: { type: "account" }, tops: [] };
    }
  }
}

interface Ground {
  readonly model: DriveModel;
  readonly reader: string;
  readonly view: ViewScope;
  readonly fixed: ReadonlySet<string>;
  readonly tops: readonly Top[];
  /** Folders that something was done to, the last one first. */
  readonly touched: string[];
  /** What is out of sight, the last one first. */
  readonly hidden: Hidden[];
}

interface Hidden {
  readonly id: string;
  readonly by: Hiding;
  /** Where it lay. */
  readonly parent: string | undefined;
}

/** Everything that people put there, in the order in which it was made. */
function itemsOf({ model }: Ground): Item[] {
  return [...model.items.values()].filter(({ isRoot }) => !isRoot);
}

/** Where things can be put: what the endpoint reads comes first, and twice. */
function foldersOf({ model, reader, view }: Ground): Item[] {
  const folders = [...model.items.values()].filter(({ children, ownerEmail }) =>
    // A service account cannot own a file.
    children !== null && ownerEmail !== reader
  );
  const inScope = foldersInScope(model, reader, view);
  const isInScope = ({ id }: Item) => inScope.has(id);
  return [...folders.filter(isInScope), ...folders.filter(isInScope), ...folders];
}

function pick<T>(list: readonly T[], at: number): T | undefined {
  return list.length === 0 ? undefined : list[at % list.length];
}

function act(ground: Ground, action: Action): void {
  switch (action.do) {
    case "create_file":
    case "create_folder":
    case "create_shortcut":
      return create(ground, action);
    case "lose_scope":
    case "regain_scope": {
      const top = pick(ground.tops, action.top);
      if (top !== undefined) (action.do === "lose_scope" ? lose : regain)(ground, top);
      return;
    }
    case "hide":
      return hide(ground, action);
    case "show":
      return show(ground);
    default: {
      const isFit = FIT[action.do];
      const item = pick(itemsOf(ground).filter((each) => isFit(each, ground)), action.item);
      if (item === undefined) return;
      change(ground, action, item);
      touch(ground, item);
    }
  }
}

function touch({ touched }: Ground, { id, children }: Item): void {
  if (children !== null) touched.unshift(id);
}

/** Takes a folder of the scope out of sight, or one that it lies in. */
function hide(
  ground: Ground,
  { folder, by }: Extract<Action, { do: "hide" }>,
): void {
  const { model, reader, view, touched, hidden } = ground;
  const inScope = foldersInScope(model, reader, view);
  const latest = touched.flatMap((id) => model.items.get(id) ?? []);
  const all = [...latest, ...latest.flatMap(({ parents }) => parents), ...model.items.values()];
  const fit = all.filter((each) =>
    !each.isRoot && each.children !== null && inScope.has(each.id) && FIT[by](each, ground)
  );
  const item = pick([...new Set(fit)], folder);
  if (item === undefined) return;
  const places = foldersOf(ground).filter(({ id }) => !inScope.has(id));
  hidden.unshift({ id: item.id, by, parent: item.parents[0]?.id });
  change(ground, { do: by, item: 0, in: 0 }, item, places);
}

/** Brings back what went out of sight last, as far as that can be done still. */
function show(ground: Ground): void {
  const { model, hidden } = ground;
  const last = hidden.shift();
  const item = model.items.get(last?.id ?? "");
  if (last === undefined || item === undefined) return;
  const back = BACK[last.by];
  if (!FIT[back](item, ground)) return;
  const parent = model.items.get(last.parent ?? "");
  change(ground, { do: back, item: 0, in: 0 }, item, parent === undefined ? [] : [parent]);
  touch(ground, item);
}

const BACK = { trash: "untrash", move: "move", unshare: "share" } as const;

function create(
  ground: Ground,
  action: Extract<Action, { do: "create_file" | "create_folder" | "create_shortcut" }>,
): void {
  const { model } = ground;
  const parent = pick(foldersOf(ground), action.in);
  if (parent === undefined) return;
  const entry = { parent: parent.id, name: action.name };
  if (action.do === "create_file") {
    // What has no size is a document of Google's own.
    const kind = action.size === null ? { mimeType: "application/vnd.google-apps.document" } : {};
    model.createFile({ ...entry, ...kind, size: action.size });
  } else if (action.do === "create_folder") {
    touch(ground, model.createFolder(entry));
  } else {
    const target = pick([parent, ...itemsOf(ground)], action.to);
    if (target !== undefined) model.createShortcut({ ...entry, target: target.id });
  }
}

/** What an action can be done to: a random item would hardly ever be one of them. */
const FIT: Readonly<Record<Change["do"], (item: Item, ground: Ground) => boolean>> = {
  rename: () => true,
  edit: ({ children, size }) => children === null && size !== null,
  view: () => true,
  move: (item, ground) => !ground.fixed.has(item.id) && !isHiddenCover(item, ground),
  trash: (item, ground) =>
    !ground.fixed.has(item.id) && !item.isExplicitlyTrashed && !isHiddenCover(item, ground),
  untrash: (item, ground) => item.isExplicitlyTrashed && !isHiddenCover(item, ground),
  delete: (item, ground) => !ground.fixed.has(item.id) && !isHiddenCover(item, ground),
  share: ({ id, driveId }, { fixed }) => !fixed.has(id) && driveId === null,
  unshare: ({ id, sharedWith }, { fixed, reader }) =>
    !fixed.has(id) && (sharedWith?.has(reader) ?? false),
  // Files alone: a folder in two places is for Drive's own migration of 2020 to explain. And not where
  // all is in scope that can be seen: of a file whose one visible folder is trashed, while another one
  // is private, no log says that it is there still.
  add_parent: ({ children, driveId }, { view }) =>
    children === null && driveId === null && view.type !== "account",
  remove_parent: ({ parents }) => parents.length > 1,
};

/**
 * Whether something below an item can be seen and the item itself cannot. Of what then happens to the
 * item the account's log says nothing, and whether Drive would write of what lies below is not known.
 */
function isHiddenCover(item: Item, { reader, view }: Ground): boolean {
  if (view.type !== "account" || isShared(item, reader)) return false;
  return [...subtree(item)].some((each) => isShared(each, reader));
}

type Change = Exclude<
  Action,
  {
    do:
      | "create_file"
      | "create_folder"
      | "create_shortcut"
      | "lose_scope"
      | "regain_scope"
      | "hide"
      | "show";
  }
>;

function change(
  ground: Ground,
  action: Change,
  item: Item,
  places: readonly Item[] = foldersOf(ground),
): void {
  const { model, reader } = ground;
  switch (action.do) {
    case "rename":
      return model.rename(item.id, action.name);
    case "edit":
      return model.edit(item.id, { size: action.size ?? "7" });
    case "view":
      return model.view(item.id, reader);
    case "move":
      return move(ground, item, pick(places, action.in));
    case "trash":
      return model.trash(item.id);
    case "untrash":
      return model.untrash(item.id);
    case "delete":
      return model.delete(item.id);
    case "share":
      return model.share(item.id, reader);
    case "unshare":
      return model.unshare(item.id, reader);
    case "add_parent":
      return addParent(ground, item, pick(places, action.in));
    case "remove_parent": {
      const [first] = item.parents;
      if (first !== undefined) model.removeParent(item.id, first.id);
    }
  }
}

function move({ model }: Ground, item: Item, target: Item | undefined): void {
  if (target === undefined || isBelow(target, item)) return;
  const isLegacy = [...subtree(item)].some(({ parents }) => parents.length > 1);
  // Items with several parents are My Drive's alone.
  if (isLegacy && target.driveId !== null) return;
  model.move(item.id, target.id);
}

function addParent({ model }: Ground, item: Item, target: Item | undefined): void {
  if (target !== undefined && target.driveId === null) model.addParent(item.id, target.id);
}

function lose({ model, reader }: Ground, { id, type }: Top): void {
  if (type === "drive") {
    if (model.drive(id).members.has(reader)) model.removeMember(id, reader);
  } else if (type === "drive_folder") {
    if (!model.item(id).isExplicitlyTrashed) model.trash(id);
  } else if (model.item(id).sharedWith?.has(reader)) {
    model.unshare(id, reader);
  }
}

function regain({ model, reader }: Ground, { id, type }: Top): void {
  if (type === "drive") {
    if (!model.drive(id).members.has(reader)) model.addMember(id, reader);
    return;
  }
  if (model.item(id).isExplicitlyTrashed) model.untrash(id);
  if (type === "shared_folder" && !model.item(id).sharedWith?.has(reader)) model.share(id, reader);
}
