import { type DiskEntry, scanDirectory } from "./disk_scan.ts";
import { hashText, mix32 } from "./random_ids.ts";

/** A file or folder that is new on disk. */
export interface NewMirrorEntry {
  readonly id: string;
  /** Id of the folder above. */
  readonly parent: string;
  readonly entry: DiskEntry;
  /** Stands for the content. */
  readonly contentSeed: number;
  /** It was there before anybody looked. */
  readonly isQuiet: boolean;
}

/** What a mirror asks of the model it writes to. */
export interface MirrorTarget {
  /** An id made from a text alone. */
  idOf(text: string, isDirectory: boolean): string;
  has(id: string): boolean;
  add(entry: NewMirrorEntry): void;
  /** The content of a file has changed. */
  edit(id: string, entry: DiskEntry, contentSeed: number): void;
  move(id: string, parent: string): void;
  rename(id: string, name: string): void;
  remove(id: string): void;
}

interface Known {
  readonly id: string;
  readonly entry: DiskEntry;
}

/** Keeps a folder of a model as a directory on disk is. Ids come from the paths. */
export class FolderMirror {
  readonly #target: MirrorTarget;
  readonly #directory: string;
  readonly #parent: string;
  readonly #ignored: ReadonlySet<string>;
  readonly #known = new Map<string, Known>();

  constructor(
    target: MirrorTarget,
    options: {
      readonly directory: string;
      readonly parent: string;
      readonly ignored: ReadonlySet<string>;
    },
  ) {
    this.#target = target;
    this.#directory = options.directory;
    this.#parent = options.parent;
    this.#ignored = options.ignored;
  }

  /** Number of files and folders mirrored. */
  get size(): number {
    return this.#known.size;
  }

  /** Every directory that is mirrored, the topmost ("") included. */
  directories(): string[] {
    const found = [""];
    for (const [path, { entry }] of this.#known) if (entry.isDirectory) found.push(path);
    return found;
  }

  /**
   * Looks at what lies directly in these directories, and at all of a directory that is new there.
   * `isQuiet` leaves the change logs alone. Answers the directories that were new.
   */
  async refresh(directories: readonly string[], isQuiet = false): Promise<string[]> {
    const found = new Map<string, DiskEntry>();
    const scanned = new Set<string>();
    const pending = [...directories];
    const added: string[] = [];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (scanned.has(path)) continue;
      scanned.add(path);
      for (const entry of await scanDirectory(this.#directory, path, this.#ignored)) {
        found.set(entry.path, entry);
        if (!entry.isDirectory || this.#known.get(entry.path)?.entry.isDirectory) continue;
        added.push(entry.path);
        pending.push(entry.path);
      }
    }
    // From here on nothing waits: a reader of the feed sees all of a batch or none of it.
    this.#apply(found, this.#missing(found, scanned), isQuiet);
    return added;
  }

  // Known things whose place was looked at and which are not there, or are of another kind.
  #missing(found: ReadonlyMap<string, DiskEntry>, scanned: ReadonlySet<string>): Set<string> {
    const missing = new Set<string>();
    for (const [path, { entry }] of this.#known) {
      if (!scanned.has(parentOf(path))) continue;
      if (found.get(path)?.isDirectory !== entry.isDirectory) missing.add(path);
    }
    return missing;
  }

  #apply(found: Map<string, DiskEntry>, missing: Set<string>, isQuiet: boolean): void {
    const missingByIdentity = new Map<string, string>();
    for (const path of missing) {
      const identity = this.#known.get(path)?.entry.identity ?? null;
      if (identity !== null) missingByIdentity.set(identity, path);
    }
    // Shorter paths first: a folder is there before what lies in it.
    for (const path of [...found.keys()].sort((left, right) => depthOf(left) - depthOf(right))) {
      const entry = found.get(path);
      // A directory that is not known itself yet brings its content with it when it is found.
      if (entry === undefined || !this.#hasFolder(parentOf(path))) continue;
      // Another kind of thing under the same name is another thing.
      if (missing.delete(path)) this.#remove(path);
      const known = this.#known.get(path);
      if (known !== undefined) {
        this.#update(path, known, entry);
        continue;
      }
      const origin = missingByIdentity.get(entry.identity ?? "");
      if (origin !== undefined && this.#isSameKind(origin, entry)) {
        this.#move(origin, entry, missing);
      } else {
        this.#add(entry, isQuiet);
      }
    }
    for (const path of missing) this.#remove(path);
  }

  #hasFolder(path: string): boolean {
    return path === "" || this.#known.get(path)?.entry.isDirectory === true;
  }

  #isSameKind(origin: string, entry: DiskEntry): boolean {
    return this.#known.get(origin)?.entry.isDirectory === entry.isDirectory;
  }

  #add(entry: DiskEntry, isQuiet: boolean): void {
    const id = this.#freeId(entry);
    const parent = this.#idOf(parentOf(entry.path));
    this.#target.add({ id, parent, entry, contentSeed: fingerprint(entry), isQuiet });
    this.#known.set(entry.path, { id, entry });
  }

  #update(path: string, { id, entry: old }: Known, entry: DiskEntry): void {
    this.#known.set(path, { id, entry });
    if (entry.isDirectory || fingerprint(old) === fingerprint(entry)) return;
    this.#target.edit(id, entry, fingerprint(entry));
  }

  #move(origin: string, entry: DiskEntry, missing: Set<string>): void {
    const known = this.#known.get(origin);
    if (known === undefined) return;
    missing.delete(origin);
    if (parentOf(origin) !== parentOf(entry.path)) {
      this.#target.move(known.id, this.#idOf(parentOf(entry.path)));
    }
    if (!origin.endsWith(`/${entry.name}`) && origin !== entry.name) {
      this.#target.rename(known.id, entry.name);
    }
    for (const [path, each] of [...this.#known]) {
      if (path !== origin && !path.startsWith(`${origin}/`)) continue;
      this.#known.delete(path);
      missing.delete(path);
      const moved = entry.path + path.slice(origin.length);
      this.#known.set(moved, { id: each.id, entry: { ...each.entry, path: moved } });
    }
    this.#update(entry.path, { ...known, entry: { ...known.entry, path: entry.path } }, entry);
  }

  #remove(path: string): void {
    const known = this.#known.get(path);
    // Something else may stand at this place by now, or a folder above may have gone first.
    if (known === undefined) return;
    if (this.#target.has(known.id)) this.#target.remove(known.id);
    for (const each of [...this.#known.keys()]) {
      if (each === path || each.startsWith(`${path}/`)) this.#known.delete(each);
    }
  }

  #idOf(path: string): string {
    return path === "" ? this.#parent : this.#known.get(path)?.id ?? this.#parent;
  }

  // The same path has the same id in every run, unless a renamed file still has it.
  #freeId({ path, isDirectory }: DiskEntry): string {
    for (let turn = 0;; turn++) {
      const id = this.#target.idOf(`${this.#parent}/${path}#${turn}`, isDirectory);
      if (!this.#target.has(id)) return id;
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function depthOf(path: string): number {
  return path.split("/").length;
}

// Stands for the content: reading every file for a true checksum would take too long.
function fingerprint(entry: DiskEntry): number {
  return mix32(mix32(entry.sizeBytes) ^ hashText(String(entry.modifiedMs)));
}
