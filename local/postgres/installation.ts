/** A PostgreSQL ready to run: program files copied to a shared folder, with our stand-ins added. */

import { z } from "zod";
import {
  PLATFORM_EXTENSIONS,
  type PlatformExtension,
  standInFiles,
} from "../extensions/stand_ins.ts";
import { StackError } from "../failure.ts";
import { runCommand } from "../processes.ts";
import { cachedDirectory, copyTree } from "./directories.ts";
import { embeddedPostgresDirectory } from "./platform.ts";

/** Where the server comes from: the npm package, or the Debian packages of this machine. */
export type ServerSource = "embedded" | "system";

/** A server's program files and what they can do. */
export interface Installation {
  readonly binDirectory: string;
  readonly majorVersion: number;
  /** Extensions that are ours because this server lacks the real ones. */
  readonly standIns: readonly PlatformExtension[];
}

interface Layout {
  readonly version: string;
  /** Folders to copy: from the machine to below the cache folder. */
  readonly folders: readonly { readonly from: string; readonly to: string }[];
  readonly bin: string;
  readonly extensions: string;
}

const DEBIAN_LIBRARIES = "/usr/lib/postgresql";
const Manifest = z.object({ version: z.string() });
const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/** Copies the server of `source` into the cache, once for each version, and describes it. */
export async function installPostgres(source: ServerSource): Promise<Installation> {
  const layout = source === "embedded" ? await embeddedLayout() : await debianLayout();
  const sourceOf = (path: string) => {
    const folder = layout.folders.find(({ to }) => path === to || path.startsWith(`${to}/`));
    if (folder === undefined) throw new Error(`Cannot place ${path} in the copied tree`);
    return folder.from + path.slice(folder.to.length);
  };
  const { version } = layout;
  const present = await listFiles(sourceOf(layout.extensions));
  const standIns = PLATFORM_EXTENSIONS.filter((name) => !present.has(`${name}.control`));
  const files = (await Promise.all(standIns.map(standInFiles))).flat();
  const key = await fingerprint(JSON.stringify([source, [...present].sort(), files]));
  const root = await cachedDirectory(
    `file-connector-postgres-${version}-${key}`,
    async (directory) => {
      for (const { from, to } of layout.folders) {
        await copyTree(from, directory + to, isDevelopmentFile);
      }
      if (source === "embedded") await restoreSymlinks(directory);
      for (const { name, text } of files) {
        await Deno.writeTextFile(`${directory}${layout.extensions}/${name}`, text);
      }
    },
  );
  return { binDirectory: root + layout.bin, majorVersion: Number.parseInt(version), standIns };
}

/** Tells whether Debian's server packages are installed here. */
export async function hasSystemPostgres(): Promise<boolean> {
  return (await debianVersions()).length > 0;
}

async function embeddedLayout(): Promise<Layout> {
  const native = await embeddedPostgresDirectory();
  // Before its symbolic links are restored the program itself cannot be asked.
  const text = await Deno.readTextFile(`${native}/../package.json`);
  return {
    version: Manifest.parse(JSON.parse(text)).version,
    folders: [{ from: native, to: "/native" }],
    bin: "/native/bin",
    extensions: "/native/share/postgresql/extension",
  };
}

// The server finds its shared files relative to its program file: the layout has to stay.
async function debianLayout(): Promise<Layout> {
  const [newest] = await debianVersions();
  if (newest === undefined) {
    throw new StackError(`No PostgreSQL server is installed below ${DEBIAN_LIBRARIES}`);
  }
  const library = `${DEBIAN_LIBRARIES}/${newest}`;
  const share = `/usr/share/postgresql/${newest}`;
  return {
    version: await postgresVersion(`${library}/bin/postgres`),
    folders: [{ from: library, to: library }, { from: share, to: share }],
    bin: `${library}/bin`,
    extensions: `${share}/extension`,
  };
}

/** Returns the major versions installed from Debian's packages, newest first. */
async function debianVersions(): Promise<number[]> {
  const found = [...await listFiles(DEBIAN_LIBRARIES)].map(Number).filter(Number.isInteger);
  const servers = await Promise.all(found.map(async (version) => {
    const names = await listFiles(`${DEBIAN_LIBRARIES}/${version}/bin`);
    return names.has("postgres") && names.has("initdb");
  }));
  return found.filter((_, index) => servers[index]).sort((a, b) => b - a);
}

async function postgresVersion(program: string): Promise<string> {
  const { code, output } = await runCommand({ command: program, args: ["--version"] });
  const version = output.match(/\(PostgreSQL\) (\d+[\w.]*)/)?.[1];
  if (code === 0 && version !== undefined) return version;
  throw new StackError(`Cannot run ${program}: ${output.trim()}`);
}

/** npm packages hold no symbolic links: the package lists those to make. */
async function restoreSymlinks(directory: string): Promise<void> {
  const list = `${directory}/native/pg-symlinks.json`;
  for (const { source, target } of Symlinks.parse(JSON.parse(await Deno.readTextFile(list)))) {
    const name = source.slice(source.lastIndexOf("/") + 1);
    await Deno.symlink(name, `${directory}/${target}`).catch((cause) => {
      // An installer that runs the package's own script has made it already.
      if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
    });
  }
}

async function listFiles(directory: string): Promise<Set<string>> {
  const names = new Set<string>();
  try {
    for await (const entry of Deno.readDir(directory)) names.add(entry.name);
  } catch (cause) {
    // A folder that is not there holds nothing.
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return names;
}

function isDevelopmentFile(name: string): boolean {
  return name.endsWith(".a") || ["bitcode", "pgxs", "pkgconfig", "include"].includes(name);
}

async function fingerprint(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest).slice(0, 6)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
