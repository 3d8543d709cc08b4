/** The emulated project of one sequence: where its scope lies, and what can be done to it. */
import type { ApsModel } from "../../../local/autodesk/aps_model.ts";
import { type Folder, foldersAbove, type Item } from "../../../local/autodesk/aps_types.ts";
import { arrangeProject } from "../../../local/autodesk/arrangement.ts";
import type { ProjectScope } from "../../../local/autodesk/scope_view.ts";
import { CLIENT_ID } from "../../support/autodesk_sync.ts";
import type { Action, Scope } from "./sequence.ts";

/** Deeper than this nothing is put: Autodesk allows 25 folders, and a whole branch may follow. */
const DEEPEST = 10;

/** A project that actions are done to. */
export interface Playground {
  readonly model: ApsModel;
  /** The scope as an endpoint names it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The scope as the emulator's own view of it does, whoever looks. */
  readonly view: ProjectScope;
  /** Does an action, or nothing where it makes no sense now. */
  act(action: Action): void;
  /** Gives back all access, and every lost part of the scope. */
  mend(): void;
}

/** Lays out the scope, with places outside of it that things can be moved to and from. */
export function createPlayground(model: ApsModel, scope: Scope): Playground {
  const { projectId, folderId, rootFolderId } = arrangeProject(model, { clientId: CLIENT_ID });
  const add = (name: string, parent: string) => model.createFolder({ name, parent }).id;
  const other = model.createFolder({ name: "Photos", parent: rootFolderId, isSystem: true }).id;
  const aside = add("Aside", folderId);
  const top = scope === "project" ? folderId : add("Scope", folderId);
  const second = { project: null, folder: null, two_folders: folderId, nested_folders: top }[scope];
  const tops = second === null ? [top] : [top, add("Second", second)];
  const folderIds = scope === "project" ? undefined : tops;
  // What lies above a top is no affair of its listing, and may not go.
  const fixed = new Set([rootFolderId, folderId, other, aside, ...tops]);
  const ground: Ground = { model, tops, fixed };
  return {
    model,
    config: {
      project_id: projectId,
      ...(folderIds === undefined ? {} : { folder_ids: folderIds }),
    },
    view: { projectId, folderIds, isProjectFilesOnly: true },
    act: (action) => act(ground, action),
    mend: () => mend(ground),
  };
}

interface Ground {
  readonly model: ApsModel;
  readonly tops: readonly string[];
  readonly fixed: ReadonlySet<string>;
}

type Creation = Extract<Action, { do: "create_item" | "create_folder" | "create_placeholder" }>;
type Change = Extract<Action, { entry: number }>;

function pick<Thing>(list: readonly Thing[], at: number): Thing | undefined {
  return list.length === 0 ? undefined : list[at % list.length];
}

/** Where things can be put: the tops of the scope and what lies below them come first, and twice. */
function foldersOf({ model, tops }: Ground): Folder[] {
  const folders = [...model.folders.values()].filter((folder) =>
    folder.parent !== null && [...foldersAbove(folder)].length < DEEPEST
  );
  const isInScope = (folder: Folder) =>
    [folder, ...foldersAbove(folder)].some(({ id }) => tops.includes(id));
  return [...folders.filter(isInScope), ...folders.filter(isInScope), ...folders];
}

function act(ground: Ground, action: Action): void {
  switch (action.do) {
    case "create_item":
    case "create_folder":
    case "create_placeholder":
      return create(ground, action);
    case "lose_scope":
    case "regain_scope": {
      const top = pick(ground.tops, action.top);
      if (top === undefined) return;
      return action.do === "lose_scope" ? lose(ground, top, action.how) : regain(ground, top);
    }
    default: {
      const isFit = FIT[action.do];
      const { model, fixed } = ground;
      const all = [...model.folders.values(), ...model.items.values()];
      const fit = all.filter((each) => !fixed.has(each.id) && isFit(each));
      const entry = pick(fit, action.entry);
      if (entry !== undefined) change(ground, action, entry);
    }
  }
}

function create(ground: Ground, action: Creation): void {
  const parent = pick(foldersOf(ground), action.in);
  if (parent === undefined) return;
  const { model } = ground;
  const entry = { parent: parent.id, name: action.name, isLegacyName: true };
  if (action.do === "create_folder") model.createFolder(entry);
  else if (action.do === "create_placeholder") model.createItem({ ...entry, hasNoVersion: true });
  else model.createItem({ ...entry, size: toBytes(action.size) });
}

// As JSON has it: above 2^53 some digits are lost.
function toBytes(size: string | null): number | null {
  return size === null ? null : Number(size);
}

const isItem = (entry: Folder | Item): entry is Item => entry.kind === "item";
const isThere = ({ isHidden }: Folder | Item) => !isHidden;

/** What an action can be done to: a random entry would hardly ever be one of them. */
const FIT: Readonly<Record<Change["do"], (entry: Folder | Item) => boolean>> = {
  rename: (entry) => isThere(entry) && (!isItem(entry) || entry.versions.length > 0),
  add_version: (entry) => isThere(entry) && isItem(entry),
  move: isThere,
  delete: isThere,
  restore: ({ isHidden }) => isHidden,
  hide: isThere,
  // Of a folder that is not found nobody can tell whether it is gone or access to it was lost.
  purge: isItem,
  finish_processing: (entry) => isThere(entry) && isItem(entry),
  deny: (entry) => !isItem(entry) && entry.denied.size === 0,
  allow: (entry) => !isItem(entry) && entry.denied.size > 0,
};

function change(ground: Ground, action: Change, { id }: Folder | Item): void {
  const { model } = ground;
  switch (action.do) {
    case "rename":
      return model.rename(id, action.name, { isLegacyName: true });
    case "add_version":
      return void model.addVersion(id, { size: toBytes(action.size) });
    case "move":
      return move(ground, id, pick(foldersOf(ground), action.in));
    case "delete":
      return model.delete(id);
    case "restore":
      return model.restore(id);
    case "hide":
      return model.hide(id);
    case "purge":
      return model.purge(id);
    case "finish_processing":
      return model.finishProcessing(id);
    case "deny":
      return model.denyAccess(id, CLIENT_ID, action.status);
    case "allow":
      return model.allowAccess(id, CLIENT_ID);
  }
}

function move({ model }: Ground, id: string, target: Folder | undefined): void {
  const isBelow = target !== undefined &&
    [target, ...foldersAbove(target)].some((folder) => folder.id === id);
  if (target !== undefined && !isBelow) model.move(id, target.id);
}

// What lies in a deleted folder is not marked itself: of a top in there the API does not tell whether
// it is gone as well, so of two tops the inner one alone is deleted.
function lose({ model, tops }: Ground, top: string, how: 403 | 404 | "deleted"): void {
  const isOuter = tops.some((id) =>
    [...foldersAbove(model.folder(id))].some((folder) => folder.id === top)
  );
  if (how !== "deleted") model.denyAccess(top, CLIENT_ID, how);
  else if (!isOuter) model.delete(top);
}

function regain({ model }: Ground, top: string): void {
  model.allowAccess(top, CLIENT_ID);
  model.restore(top);
}

function mend(ground: Ground): void {
  for (const { id } of ground.model.folders.values()) ground.model.allowAccess(id, CLIENT_ID);
  for (const top of ground.tops) regain(ground, top);
}
