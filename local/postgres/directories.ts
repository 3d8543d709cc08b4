/** Folders outside the repository: where the server's program files and, at need, its data lie. */

import { StackError } from "../failure.ts";

/** Copies a file tree; `skip` names entries to leave out. Symbolic links stay links. */
export async function copyTree(
  from: string,
  to: string,
  skip: (name: string) => boolean = () => false,
): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (skip(entry.name)) continue;
    const source = `${from}/${entry.name}`;
    const target = `${to}/${entry.name}`;
    if (entry.isDirectory) await copyTree(source, target, skip);
    else if (entry.isSymlink) await Deno.symlink(await Deno.readLink(source), target);
    else await Deno.copyFile(source, target);
  }
}

/** Opens a tree to everyone for reading, whatever the umask made of it. */
async function makeReadable(path: string): Promise<void> {
  const { isDirectory, isSymlink, mode } = await Deno.lstat(path);
  if (isSymlink) return;
  const isProgram = isDirectory || ((mode ?? 0) & 0o100) !== 0;
  await Deno.chmod(path, isProgram ? 0o755 : 0o644);
  if (!isDirectory) return;
  for await (const entry of Deno.readDir(path)) await makeReadable(`${path}/${entry.name}`);
}

/**
 * Returns the folder that `build` fills, made once and kept: it appears under its name only when
 * complete, so an interrupted or parallel start never sees half of it.
 */
export async function cachedDirectory(
  name: string,
  build: (directory: string) => Promise<void>,
): Promise<string> {
  const path = `${await sharedDirectory()}/${name}-${Deno.uid()}`;
  if (await isOwnDirectory(path)) return path;
  const draft = await Deno.makeTempDir({ dir: await sharedDirectory(), prefix: `${name}-` });
  try {
    await build(draft);
    await makeReadable(draft);
    await Deno.rename(draft, path);
  } catch (cause) {
    await Deno.remove(draft, { recursive: true });
    // Another start was first: its folder is as good as this one.
    if (await isOwnDirectory(path)) return path;
    throw cause;
  }
  return path;
}

/** Returns a folder every account can reach, for what may not lie under a closed home. */
export async function sharedDirectory(): Promise<string> {
  for (const path of ["/var/tmp", "/tmp"]) {
    const found = await Deno.stat(path).catch(() => null);
    if (found !== null && ((found.mode ?? 0) & 0o1777) === 0o1777) return path;
  }
  throw new StackError("Neither /var/tmp nor /tmp is open to all accounts of this machine");
}

/** Tells whether `path` is there. Refuses one that another account could have prepared. */
async function isOwnDirectory(path: string): Promise<boolean> {
  const found = await Deno.lstat(path).catch((cause) => {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  });
  if (found === null) return false;
  const isClosed = ((found.mode ?? 0) & 0o022) === 0;
  if (found.isDirectory && found.uid === Deno.uid() && isClosed) return true;
  throw new StackError(`${path} belongs to someone else or is open to writing: remove it first`);
}
