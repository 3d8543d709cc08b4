import { resolve } from "node:path";
import { DEFAULT_IGNORED } from "./disk_scan.ts";
import { FolderMirror, type MirrorTarget } from "./folder_mirror.ts";

/** Which directory is served, and how it is watched. */
export interface WatchedFolderOptions {
  readonly directory: string;
  /** Id of the folder that takes the content. */
  readonly parent: string;
  /** Names of files and directories to leave out. */
  readonly ignored?: ReadonlySet<string>;
  /** The whole directory is looked at again this often, whatever the watcher says. */
  readonly rescanIntervalMs?: number;
  /** Events are gathered for this long. */
  readonly gatherMs?: number;
  /** Told of an error in the background; the folder goes on being watched. */
  readonly onError?: (error: unknown) => void;
}

/** A directory on disk that a model follows. */
export interface WatchedFolder {
  /** Files and folders served now. */
  readonly size: number;
  /** Looks at the whole directory now. */
  rescan(): Promise<void>;
  stop(): Promise<void>;
}

const RESCAN_INTERVAL_MS = 15_000;
const GATHER_MS = 60;

/** Brings a directory into a model, quietly, and keeps the model true to it. */
export async function watchFolder(
  target: MirrorTarget,
  options: WatchedFolderOptions,
): Promise<WatchedFolder> {
  const directory = await Deno.realPath(resolve(options.directory));
  const ignored = options.ignored ?? DEFAULT_IGNORED;
  const mirror = new FolderMirror(target, { directory, parent: options.parent, ignored });
  const watcher = new FolderWatcher(mirror, directory, ignored, options);
  await mirror.refresh([""], true);
  watcher.start();
  return {
    get size() {
      return mirror.size;
    },
    rescan: () => watcher.rescan(),
    stop: () => watcher.stop(),
  };
}

class FolderWatcher {
  readonly #mirror: FolderMirror;
  readonly #directory: string;
  readonly #ignored: ReadonlySet<string>;
  readonly #options: WatchedFolderOptions;
  readonly #dirty = new Set<string>();
  #events: Deno.FsWatcher | null = null;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #rescanning: ReturnType<typeof setInterval> | undefined;
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    mirror: FolderMirror,
    directory: string,
    ignored: ReadonlySet<string>,
    options: WatchedFolderOptions,
  ) {
    this.#mirror = mirror;
    this.#directory = directory;
    this.#ignored = ignored;
    this.#options = options;
  }

  start(): void {
    try {
      this.#events = Deno.watchFs(this.#directory, { recursive: true });
      this.#follow(this.#events).catch((error: unknown) => this.#options.onError?.(error));
    } catch (error) {
      // Too many watches, or a file system without events: the regular rescan has to do.
      this.#options.onError?.(error);
    }
    const intervalMs = this.#options.rescanIntervalMs ?? RESCAN_INTERVAL_MS;
    this.#rescanning = setInterval(() => void this.rescan(), intervalMs);
  }

  rescan(): Promise<void> {
    for (const path of this.#mirror.directories()) this.#dirty.add(path);
    return this.#flush();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#rescanning);
    clearTimeout(this.#gathering);
    this.#events?.close();
    await this.#work;
  }

  async #follow(events: Deno.FsWatcher): Promise<void> {
    for await (const event of events) {
      if (event.kind === "access") continue;
      for (const path of event.paths) this.#mark(path);
    }
  }

  #mark(path: string): void {
    const names = path.slice(this.#directory.length + 1).split(/[/\\]/);
    if (names.some((name) => this.#ignored.has(name))) return;
    this.#dirty.add(names.slice(0, -1).join("/"));
    this.#gathering ??= setTimeout(() => void this.#flush(), this.#options.gatherMs ?? GATHER_MS);
  }

  // One refresh at a time, in order.
  #flush(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#work = this.#work.then(() => this.#refresh()).catch((error: unknown) => {
      // The next event or rescan tries again.
      this.#options.onError?.(error);
    });
    return this.#work;
  }

  async #refresh(): Promise<void> {
    if (this.#isStopped || this.#dirty.size === 0) return;
    const directories = [...this.#dirty];
    this.#dirty.clear();
    const added = await this.#mirror.refresh(directories);
    if (added.length === 0 || this.#isStopped) return;
    // A new directory may have been filled before it was watched: look at it once more.
    for (const path of added) this.#dirty.add(path);
    this.#gathering ??= setTimeout(() => void this.#flush(), this.#options.gatherMs ?? GATHER_MS);
  }
}
