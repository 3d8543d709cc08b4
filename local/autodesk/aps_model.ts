import { folderId, lineageId } from "./aps_ids.ts";
import { ApsState, newFolderState, timeOf } from "./aps_state.ts";
import {
  type Folder,
  foldersAbove,
  type Item,
  projectOf,
  tipOf,
  type Version,
} from "./aps_types.ts";
import type { NewFolder, NewItem, NewVersion, Renaming } from "./model_requests.ts";
import { checkName } from "./names.ts";
import { touchRollup } from "./rollup.ts";
import { buildVersion, type VersionDraft } from "./versions.ts";

const DEEPEST_FOLDER = 25;

/** Everything an emulated account holds, and the operations by which it changes. */
export class ApsModel extends ApsState {
  /** Adds a folder below another one, or below the root of a project. */
  createFolder(options: NewFolder): Folder {
    checkName(options.name, options.isLegacyName);
    const parent = this.folder(options.parent);
    checkDepth(parent, 1);
    const { region } = parent.project.hub;
    const id = options.id ?? folderId(region, this.ids.token(`folder:${this.nextSerial()}`));
    this.#checkIsFree(id);
    const createdMs = timeOf(options.createdTime) ?? this.now();
    const modifiedMs = Math.max(createdMs, timeOf(options.modifiedTime) ?? createdMs);
    const folder: Folder = {
      kind: "folder",
      id,
      project: parent.project,
      name: options.name,
      parent,
      ...newFolderState(createdMs, modifiedMs, this.author(options.by)),
      isSystem: options.isSystem ?? false,
    };
    this.foldersById.set(id, folder);
    this.#enter(folder, parent, modifiedMs);
    return folder;
  }

  /** Adds an item and its first version. */
  createItem(options: NewItem): Item {
    checkName(options.name, options.isLegacyName);
    const parent = this.folder(options.parent);
    const { region } = parent.project.hub;
    const id = options.id ?? lineageId(region, this.ids.token(`item:${this.nextSerial()}`));
    this.#checkIsFree(id);
    const createdMs = timeOf(options.createdTime) ?? this.now();
    const modifiedMs = Math.max(createdMs, timeOf(options.modifiedTime) ?? createdMs);
    const author = this.author(options.by);
    const item: Item = {
      kind: "item",
      id,
      fileKind: options.fileKind ?? "File",
      displayName: options.displayName ?? options.name,
      parent,
      isHidden: false,
      versions: [],
      createdMs,
      createdBy: author,
      modifiedMs,
      modifiedBy: author,
    };
    this.itemsById.set(id, item);
    if (options.hasNoVersion !== true) {
      this.#append(item, { type: "first", options, author, createdMs, modifiedMs });
    }
    this.#enter(item, parent, modifiedMs);
    return item;
  }

  /** Adds a version to an item, as an upload of the same file does. */
  addVersion(itemId: string, options: NewVersion = {}): Version {
    const item = this.item(itemId);
    checkIsLive(item);
    const author = this.author(options.by);
    const atMs = timeOf(options.modifiedTime) ?? this.now();
    const version = this.#append(item, { type: "next", options, author, atMs });
    this.#changed(item, atMs, true);
    return version;
  }

  /** Renames an item (by a new version) or a folder. */
  rename(id: string, name: string, options: Renaming = {}): void {
    checkName(name, options.isLegacyName);
    const entry = this.entry(id);
    const atMs = this.now();
    if (entry.kind === "item") {
      checkIsLive(entry);
      this.#append(entry, {
        type: "next",
        options: { name },
        author: this.author(undefined),
        atMs,
      });
      if (options.changesDisplayName) entry.displayName = name;
      this.#changed(entry, atMs, true);
    } else {
      entry.name = name;
      this.#changed(entry, atMs, this.rollupRules.folderRename);
    }
  }

  /** Moves an item or folder into another folder of the same project. Ids stay as they are. */
  move(id: string, parentId: string): void {
    const entry = this.entry(id);
    const target = this.folder(parentId);
    const source = entry.parent;
    if (source === null || projectOf(entry) !== target.project) {
      throw new RangeError("Cannot move the root of a project, nor between projects");
    }
    if (entry.kind === "folder") {
      if (entry === target || [...foldersAbove(target)].includes(entry)) {
        throw new RangeError("Cannot move a folder into itself");
      }
      checkDepth(target, heightOf(entry));
    }
    const atMs = this.now();
    source.children.delete(entry);
    source.modifiedMs = Math.max(source.modifiedMs, atMs);
    entry.parent = target;
    entry.modifiedMs = Math.max(entry.modifiedMs, atMs);
    if (entry.kind === "folder") entry.rollupMs = Math.max(entry.rollupMs, atMs);
    if (this.rollupRules.moveOut) touchRollup(source, atMs);
    this.#enter(entry, target, atMs);
  }

  /** Deletes: an item gets a tip version that says so, a folder is hidden, its content is not. */
  delete(id: string): void {
    const entry = this.entry(id);
    if (entry.isHidden) return;
    const atMs = this.now();
    entry.isHidden = true;
    if (entry.kind === "folder") {
      this.#changed(entry, atMs, this.rollupRules.folderHide);
      return;
    }
    if (tipOf(entry) !== null) this.#append(entry, { type: "deletion", atMs });
    this.#changed(entry, atMs, this.rollupRules.delete);
  }

  /** Brings back what was deleted: an item by a copy of the version before, a folder as it was. */
  restore(id: string): void {
    const entry = this.entry(id);
    if (!entry.isHidden) return;
    const atMs = this.now();
    entry.isHidden = false;
    if (entry.kind === "folder") {
      this.#changed(entry, atMs, this.rollupRules.folderHide);
      return;
    }
    if (tipOf(entry) !== null) {
      this.#append(entry, { type: "next", options: {}, author: this.author(undefined), atMs });
    }
    this.#changed(entry, atMs, this.rollupRules.delete);
  }

  /** Hides an entry without a version that says so. */
  hide(id: string): void {
    const entry = this.entry(id);
    entry.isHidden = true;
    const { folderHide, delete: isDeletionRolledUp } = this.rollupRules;
    this.#changed(entry, this.now(), entry.kind === "folder" ? folderHide : isDeletionRolledUp);
  }

  /** Ends the processing of an item's tip: its times move, its number does not. */
  finishProcessing(itemId: string): void {
    const item = this.item(itemId);
    const tip = tipOf(item);
    if (tip === null) return;
    tip.processState = "PROCESSING_COMPLETE";
    tip.modifiedMs = Math.max(tip.modifiedMs, this.now());
    touchRollup(item.parent, tip.modifiedMs);
  }

  /** Takes an entry and what lies below it away for good, as other kinds of hub do. */
  purge(id: string): void {
    const entry = this.entry(id);
    if (entry.parent === null) throw new RangeError("Cannot purge the root of a project");
    const parent = entry.parent;
    const atMs = this.now();
    parent.children.delete(entry);
    parent.modifiedMs = Math.max(parent.modifiedMs, atMs);
    this.#forget(entry);
    if (this.rollupRules.delete) touchRollup(parent, atMs);
  }

  /** Turns a client or user away from a folder and all below it, with 403 or 404. */
  denyAccess(id: string, principal: string, status: 403 | 404 = 403): void {
    const folder = this.folder(id);
    folder.denied.set(principal, status);
    if (this.rollupRules.permission) touchRollup(folder, this.now());
  }

  /** Takes a denial back. */
  allowAccess(id: string, principal: string): void {
    const folder = this.folder(id);
    folder.denied.delete(principal);
    if (this.rollupRules.permission) touchRollup(folder, this.now());
  }

  /** Lets a member of the project read a folder and all below it, or no longer. */
  grant(id: string, userId: string, isGranted = true): void {
    const folder = this.folder(id);
    if (isGranted) folder.granted.add(userId);
    else folder.granted.delete(userId);
    if (this.rollupRules.permission) touchRollup(folder, this.now());
  }

  #append(item: Item, draft: VersionDraft): Version {
    const version = buildVersion(item, draft, this.ids);
    item.versions.push(version);
    this.versionsById.set(version.id, version);
    item.modifiedBy = version.modifiedBy;
    return version;
  }

  #enter(entry: Folder | Item, parent: Folder, atMs: number): void {
    parent.children.add(entry);
    parent.modifiedMs = Math.max(parent.modifiedMs, atMs);
    touchRollup(parent, atMs);
  }

  #changed(entry: Folder | Item, atMs: number, isRolledUp: boolean): void {
    entry.modifiedMs = Math.max(entry.modifiedMs, atMs);
    if (isRolledUp) touchRollup(entry.kind === "folder" ? entry : entry.parent, atMs);
  }

  #forget(entry: Folder | Item): void {
    if (entry.kind === "item") {
      this.itemsById.delete(entry.id);
      for (const version of entry.versions) this.versionsById.delete(version.id);
      return;
    }
    this.foldersById.delete(entry.id);
    for (const child of entry.children) this.#forget(child);
  }

  #checkIsFree(id: string): void {
    if (this.foldersById.has(id) || this.itemsById.has(id)) {
      throw new RangeError(`Cannot add entry, its id is taken: current value is "${id}"`);
    }
  }
}

// Folders below the root of a project are counted from one.
function checkDepth(parent: Folder, height: number): void {
  const depth = [...foldersAbove(parent)].length + height;
  if (depth > DEEPEST_FOLDER) {
    throw new RangeError(
      `Cannot nest folders deeper than ${DEEPEST_FOLDER}: current value is ${depth}`,
    );
  }
}

function checkIsLive(item: Item): void {
  if (!item.isHidden) return;
  throw new RangeError(`Cannot change item as it is deleted: current value is "${item.id}"`);
}

function heightOf(folder: Folder): number {
  let height = 1;
  for (const child of folder.children) {
    if (child.kind === "folder") height = Math.max(height, 1 + heightOf(child));
  }
  return height;
}
