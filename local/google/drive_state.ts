import { ChangeLogs, driveLogName, userLogName } from "./change_logs.ts";
import { type Account, FOLDER_TYPE, type Item, type SharedDrive } from "./drive_types.ts";
import { hashText, idText } from "../emulator/random_ids.ts";
import { SequencedLog } from "./sequenced_log.ts";
import { isShared } from "./visibility.ts";

/** What a new model is made with. */
export interface DriveModelOptions {
  /** Decides every id; equal seeds and equal operations give equal ids. */
  readonly seed?: number;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** Fields of a new item that differ from the plain ones. */
export type NewItem = Partial<Omit<Item, "id" | "children">> & {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
};

/** The state of an emulated Drive, and the one way by which it changes. */
export class DriveState {
  readonly seed: number;
  readonly now: () => number;
  readonly logs = new ChangeLogs();
  /** Every item but the roots, in the order in which it last changed. */
  readonly listingOrder = new SequencedLog<Item, null>();
  /** Goes up with every change of anything; caches are valid for one revision. */
  revision = 0;
  protected readonly accountsByEmail = new Map<string, Account>();
  protected readonly drivesById = new Map<string, SharedDrive>();
  protected readonly itemsById = new Map<string, Item>();
  #serial = 0;

  constructor(options: DriveModelOptions = {}) {
    this.seed = options.seed ?? 1;
    this.now = options.now ?? Date.now;
  }

  /** All accounts, by e-mail. */
  get accounts(): ReadonlyMap<string, Account> {
    return this.accountsByEmail;
  }

  /** All shared drives, by id. */
  get drives(): ReadonlyMap<string, SharedDrive> {
    return this.drivesById;
  }

  /** All items, roots included, by id. */
  get items(): ReadonlyMap<string, Item> {
    return this.itemsById;
  }

  /** The account of this e-mail address; throws where there is none. */
  account(email: string): Account {
    const account = this.accountsByEmail.get(email);
    if (account === undefined) {
      throw new RangeError(`Cannot find account: current value is "${email}"`);
    }
    return account;
  }

  /** The item of this id; throws where there is none. */
  item(id: string): Item {
    const item = this.itemsById.get(id);
    if (item === undefined) throw new RangeError(`Cannot find item: current value is "${id}"`);
    return item;
  }

  /** The shared drive of this id; throws where there is none. */
  drive(id: string): SharedDrive {
    const drive = this.drivesById.get(id);
    if (drive === undefined) {
      throw new RangeError(`Cannot find shared drive: current value is "${id}"`);
    }
    return drive;
  }

  /** The next id of a file or folder. */
  protected nextId(): string {
    this.#serial++;
    return `1${idText(this.seed, this.#serial, 32)}`;
  }

  /** The id of a root: an account's My Drive or a shared drive. */
  protected rootIdFor(name: string, kind: "user" | "drive"): string {
    const ending = kind === "user" ? "Uk9PVA" : "9PVA";
    return `0A${idText(this.seed, hashText(`${kind}:${name}`), 17 - ending.length)}${ending}`;
  }

  /** Adds an item below its parents, without an entry in any log. */
  protected insert(fields: NewItem): Item {
    if (this.itemsById.has(fields.id)) {
      throw new RangeError(`Cannot add item, its id is taken: current value is "${fields.id}"`);
    }
    const nowMs = this.now();
    const item: Item = {
      size: null,
      parents: [],
      children: fields.mimeType === FOLDER_TYPE ? new Set() : null,
      driveId: null,
      ownerEmail: null,
      isExplicitlyTrashed: false,
      trashedMs: null,
      trashedBy: null,
      createdMs: nowMs,
      modifiedMs: nowMs,
      lastModifiedBy: fields.ownerEmail ?? null,
      version: 1,
      revision: 1,
      originalName: fields.name,
      fullExtension: null,
      shortcut: null,
      sharedWith: null,
      viewedBy: null,
      contentSeed: 0,
      isRoot: false,
      ...fields,
    };
    this.itemsById.set(item.id, item);
    for (const parent of item.parents) parent.children?.add(item);
    if (!item.isRoot) this.listingOrder.append(item, null);
    this.revision++;
    return item;
  }

  /** Applies a change to one item and notes it in the log of everybody who saw or sees the item. */
  protected change(item: Item, apply: () => void): void {
    const audience = this.#audience(item);
    apply();
    for (const name of this.#audience(item)) audience.add(name);
    item.version++;
    this.revision++;
    if (!item.isRoot && this.itemsById.has(item.id)) this.listingOrder.append(item, null);
    this.#note(audience, item);
  }

  /** Notes a new item in the logs. */
  protected announce(item: Item): void {
    this.#note(this.#audience(item), item);
  }

  /** Notes something about a shared drive in the log of one account. */
  protected noteDrive(email: string, driveId: string): void {
    this.revision++;
    this.logs.note(userLogName(email), { type: "drive", id: driveId, atMs: this.now() });
  }

  /** Notes an item in one log only. */
  protected noteIn(logName: string, item: Item): void {
    this.logs.note(logName, { type: "file", id: item.id, atMs: this.now() });
  }

  /** Takes an item and what lies below it out of the model. */
  protected purge(item: Item): void {
    for (const child of item.children ?? []) {
      child.parents = child.parents.filter((parent) => parent !== item);
      if (child.parents.length === 0) this.purge(child);
    }
    for (const parent of item.parents) parent.children?.delete(item);
    this.itemsById.delete(item.id);
    this.listingOrder.remove(item);
    this.revision++;
  }

  #note(logNames: Iterable<string>, item: Item): void {
    for (const name of logNames) this.noteIn(name, item);
  }

  // Members of a shared drive follow its own log; the users' logs hold what was shared one by one.
  #audience(item: Item): Set<string> {
    const names = new Set<string>();
    if (item.driveId !== null) names.add(driveLogName(item.driveId));
    for (const email of this.accountsByEmail.keys()) {
      if (isShared(item, email)) names.add(userLogName(email));
    }
    return names;
  }
}
