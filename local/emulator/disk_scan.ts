/** A file or directory as the disk shows it. */
export interface DiskEntry {
  /** Relative to the scanned directory, with `/` between the names. */
  readonly path: string;
  readonly name: string;
  readonly isDirectory: boolean;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly createdMs: number;
  /** Device and inode, by which a rename is recognised; `null` where the system has none. */
  readonly identity: string | null;
}

/** Directories that hold no documents, and much of it. */
export const DEFAULT_IGNORED: ReadonlySet<string> = new Set([".git", ".local", "node_modules"]);

// lstat calls under way at once, so that a huge directory does not exhaust file handles.
const BATCH = 256;

/** What lies directly in a directory; `path` is relative to `base`, "" for `base` itself. */
export async function scanDirectory(
  base: string,
  path: string,
  ignored: ReadonlySet<string>,
): Promise<DiskEntry[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path === "" ? base : `${base}/${path}`)) {
      // Symbolic links are not followed: they may lead out of the folder or in a circle.
      if ((entry.isFile || entry.isDirectory) && !ignored.has(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    // Gone since it was seen, or not ours to read: nothing of it can be shown.
    if (isGoneOrClosed(error)) return [];
    throw error;
  }
  names.sort();
  const entries: DiskEntry[] = [];
  for (let start = 0; start < names.length; start += BATCH) {
    const batch = names.slice(start, start + BATCH);
    for (const entry of await Promise.all(batch.map((name) => inspect(base, path, name)))) {
      if (entry !== null) entries.push(entry);
    }
  }
  return entries;
}

async function inspect(base: string, directory: string, name: string): Promise<DiskEntry | null> {
  const path = directory === "" ? name : `${directory}/${name}`;
  try {
    const info = await Deno.lstat(`${base}/${path}`);
    const modifiedMs = info.mtime?.getTime() ?? 0;
    const createdMs = info.birthtime?.getTime() ?? info.ctime?.getTime() ?? modifiedMs;
    return {
      path,
      name,
      isDirectory: info.isDirectory,
      sizeBytes: info.size,
      modifiedMs,
      createdMs,
      identity: info.ino === null ? null : `${info.dev}:${info.ino}`,
    };
  } catch (error) {
    if (isGoneOrClosed(error)) return null;
    throw error;
  }
}

function isGoneOrClosed(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop;
}
