import { driveLogName, userLogName } from "./change_logs.ts";
import { DriveState } from "./drive_state.ts";
import {
  type Account,
  extensionOf,
  FOLDER_TYPE,
  type Item,
  type SharedDrive,
  SHORTCUT_TYPE,
} from "./drive_types.ts";
import { mediaTypeOf } from "../emulator/media_types.ts";
import { hashText, mix32 } from "../emulator/random_ids.ts";
import type { Edit, NewAccount, NewDrive, NewEntry, NewFile } from "./model_requests.ts";
import { isBelow, subtree } from "./visibility.ts";

/** An emulated Drive in memory, with the operations that people do on a real one. */
export class DriveModel extends DriveState {
  /** Adds an account with an empty My Drive; an account that exists is given back as it is. */
  addAccount(options: NewAccount): Account {
    const existing = this.accountsByEmail.get(options.email);
    if (existing !== undefined) return existing;
    const account: Account = {
      email: options.email,
      displayName: options.displayName ?? options.email.replace(/@.*/, ""),
      permissionId: String(mix32(hashText(options.email))).padStart(20, "1"),
      isServiceAccount: options.isServiceAccount ?? false,
      root: this.insert({
        id: this.rootIdFor(options.email, "user"),
        name: "My Drive",
        mimeType: FOLDER_TYPE,
        ownerEmail: options.email,
        isRoot: true,
      }),
    };
    this.accountsByEmail.set(account.email, account);
    return account;
  }

  /** Adds a shared drive; each member's log gets one entry. */
  createDrive(options: NewDrive): SharedDrive {
    const id = options.id ?? this.rootIdFor(`${options.name}:${this.drivesById.size}`, "drive");
    const drive: SharedDrive = {
      id,
      name: options.name,
      createdMs: this.now(),
      members: new Set(),
      // A shared drive's root folder has this name whatever the drive is called.
      root: this.insert({ id, name: "Drive", mimeType: FOLDER_TYPE, driveId: id, isRoot: true }),
    };
    this.drivesById.set(id, drive);
    for (const email of options.members ?? []) this.addMember(id, email);
    return drive;
  }

  /** Renames a shared drive. */
  renameDrive(driveId: string, name: string): void {
    const drive = this.drive(driveId);
    drive.name = name;
    for (const email of drive.members) this.noteDrive(email, driveId);
  }

  /** Deletes a shared drive with all that is on it. */
  deleteDrive(driveId: string): void {
    const drive = this.drive(driveId);
    for (const email of drive.members) this.noteDrive(email, driveId);
    this.purge(drive.root);
    this.drivesById.delete(driveId);
  }

  /** Makes an account a member: one drive entry in its log, none for the drive's items. */
  addMember(driveId: string, email: string): void {
    this.drive(driveId).members.add(this.account(email).email);
    this.noteDrive(email, driveId);
  }

  /** Ends a membership. */
  removeMember(driveId: string, email: string): void {
    this.drive(driveId).members.delete(email);
    this.noteDrive(email, driveId);
  }

  /** Adds a folder. */
  createFolder(options: NewEntry): Item {
    return this.#create(options, { mimeType: FOLDER_TYPE });
  }

  /** Adds a file. */
  createFile(options: NewFile): Item {
    const mimeType = options.mimeType ?? mediaTypeOf(extensionOf(options.name));
    return this.#create(options, {
      mimeType,
      size: options.size === undefined ? "1024" : sizeText(options.size),
      contentSeed: options.contentSeed ?? mix32(hashText(options.name)),
      fullExtension: fullExtensionOf(options.name),
    });
  }

  /** Adds a shortcut; its target may be deleted later, or be a folder above it. */
  createShortcut(options: NewEntry & { readonly target: string }): Item {
    const target = this.item(options.target);
    return this.#create(options, {
      mimeType: SHORTCUT_TYPE,
      shortcut: { targetId: target.id, targetMimeType: target.mimeType },
    });
  }

  /** Gives an item another name. */
  rename(id: string, name: string): void {
    const item = this.#changeable(id);
    this.change(item, () => {
      item.name = name;
      // An extension that a new name does not have stays: Drive does not clear it.
      item.fullExtension = fullExtensionOf(name) ?? item.fullExtension;
    });
  }

  /** Changes a file's content: a new revision with a new modification time. */
  edit(id: string, edit: Edit = {}): void {
    const item = this.#changeable(id);
    this.change(item, () => {
      if (edit.size !== undefined) item.size = sizeText(edit.size);
      item.revision++;
      item.contentSeed = edit.contentSeed ?? mix32(item.contentSeed + item.revision);
      item.modifiedMs = timeMs(edit.modifiedTime) ?? this.now();
      item.lastModifiedBy = edit.by ?? item.ownerEmail;
    });
  }

  /** Moves an item, with all below it, into another folder: the modification time stays. */
  move(id: string, parent: string): void {
    const item = this.#changeable(id);
    const target = this.#folder(parent);
    if (isBelow(target, item)) throw new RangeError(`Cannot move "${id}" below itself`);
    this.change(item, () => {
      for (const old of item.parents) old.children?.delete(item);
      item.parents = [target];
      target.children?.add(item);
      this.#settle(item, target);
    });
  }

  /** Puts a legacy file into one more folder. */
  addParent(id: string, parent: string): void {
    const item = this.#changeable(id);
    const target = this.#folder(parent);
    if (isBelow(target, item)) throw new RangeError(`Cannot put "${id}" below itself`);
    this.change(item, () => {
      item.parents = [...item.parents.filter((each) => each !== target), target];
      target.children?.add(item);
    });
  }

  /** Takes a legacy file out of one of its folders. */
  removeParent(id: string, parent: string): void {
    const item = this.#changeable(id);
    const folder = this.item(parent);
    if (item.parents.length < 2) throw new RangeError(`Cannot take "${id}" out of its only folder`);
    this.change(item, () => {
      item.parents = item.parents.filter((each) => each !== folder);
      folder.children?.delete(item);
    });
  }

  /** Puts an item in the trash; what lies below is trashed with it and gets no entry of its own. */
  trash(id: string, by?: string): void {
    const item = this.#changeable(id);
    this.change(item, () => {
      item.isExplicitlyTrashed = true;
      item.trashedMs = this.now();
      item.trashedBy = by ?? item.ownerEmail;
    });
  }

  /** Takes an item out of the trash. */
  untrash(id: string): void {
    const item = this.#changeable(id);
    this.change(item, () => {
      item.isExplicitlyTrashed = false;
      item.trashedMs = null;
      item.trashedBy = null;
    });
  }

  /** Deletes an item, and all below it, for ever; only the item itself gets an entry. */
  delete(id: string): void {
    const item = this.#changeable(id);
    this.change(item, () => this.purge(item));
  }

  /** Gives an account access to an item and all below it. */
  share(id: string, email: string): void {
    const item = this.item(id);
    this.account(email);
    this.change(item, () => {
      item.sharedWith ??= new Map();
      item.sharedWith.set(email, this.now());
    });
  }

  /** Takes that access away. */
  unshare(id: string, email: string): void {
    const item = this.item(id);
    this.change(item, () => {
      item.sharedWith?.delete(email);
      if (item.sharedWith?.size === 0) item.sharedWith = null;
    });
  }

  /** Looks at an item: an entry in the log, though nothing that a sync keeps has changed. */
  view(id: string, email: string): void {
    const item = this.item(id);
    item.viewedBy ??= new Map();
    item.viewedBy.set(email, this.now());
    item.version++;
    this.revision++;
    this.noteIn(item.driveId === null ? userLogName(email) : driveLogName(item.driveId), item);
  }

  #create(options: NewEntry, fields: Partial<Item> & { readonly mimeType: string }): Item {
    const parent = this.#folder(options.parent);
    const owner = parent.driveId === null ? options.owner ?? parent.ownerEmail : null;
    if (owner !== null && fields.mimeType !== FOLDER_TYPE && this.account(owner).isServiceAccount) {
      throw new RangeError(
        `Cannot create a file owned by a service account: current value is "${owner}"`,
      );
    }
    const createdMs = timeMs(options.createdTime) ?? this.now();
    const { children: _, ...rest } = fields;
    const item = this.insert({
      ...rest,
      id: options.id ?? this.nextId(),
      name: options.name,
      originalName: options.name,
      parents: [parent],
      driveId: parent.driveId,
      ownerEmail: owner,
      createdMs,
      modifiedMs: timeMs(options.modifiedTime) ?? createdMs,
    });
    if (!options.isQuiet) this.announce(item);
    return item;
  }

  // On a shared drive things belong to the drive; off it, to the owner of where they were put.
  #settle(item: Item, parent: Item): void {
    if (item.driveId === parent.driveId) return;
    for (const each of subtree(item)) {
      each.driveId = parent.driveId;
      each.ownerEmail = parent.driveId === null ? parent.ownerEmail : null;
    }
  }

  #changeable(id: string): Item {
    const item = this.item(id);
    if (item.isRoot) throw new RangeError(`Cannot change a root folder: current value is "${id}"`);
    return item;
  }

  #folder(id: string): Item {
    const item = this.item(id);
    if (item.children === null) throw new RangeError(`Cannot use "${id}" as a folder`);
    return item;
  }
}

function sizeText(size: string | number | bigint | null): string | null {
  return size === null ? null : String(size);
}

function timeMs(time: string | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new RangeError(`Cannot read time: current value is "${time}"`);
  return ms;
}

function fullExtensionOf(name: string): string | null {
  const compound = /.\.(tar\.[A-Za-z0-9]+)$/.exec(name)?.[1];
  return compound ?? extensionOf(name);
}
