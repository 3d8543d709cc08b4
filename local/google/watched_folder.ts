import type { DiskEntry } from "../emulator/disk_scan.ts";
import type { MirrorTarget, NewMirrorEntry } from "../emulator/folder_mirror.ts";
import { hashText, idText } from "../emulator/random_ids.ts";
import {
  type WatchedFolder,
  type WatchedFolderOptions,
  watchFolder as watchFolderInto,
} from "../emulator/watched_folder.ts";
import type { DriveModel } from "./drive_model.ts";

export type { WatchedFolder, WatchedFolderOptions };

/** Brings a directory into the model, quietly, and keeps the model true to it. */
export function watchFolder(
  model: DriveModel,
  options: WatchedFolderOptions,
): Promise<WatchedFolder> {
  return watchFolderInto(new DriveMirrorTarget(model), options);
}

class DriveMirrorTarget implements MirrorTarget {
  readonly #model: DriveModel;

  constructor(model: DriveModel) {
    this.#model = model;
  }

  idOf(text: string): string {
    return `1${idText(hashText(`first:${text}`), hashText(`second:${text}`), 32)}`;
  }

  has(id: string): boolean {
    return this.#model.items.has(id);
  }

  add({ id, parent, entry, contentSeed, isQuiet }: NewMirrorEntry): void {
    const common = {
      id,
      name: entry.name,
      parent,
      createdTime: new Date(entry.createdMs).toISOString(),
      modifiedTime: new Date(entry.modifiedMs).toISOString(),
      isQuiet,
    };
    if (entry.isDirectory) this.#model.createFolder(common);
    else this.#model.createFile({ ...common, size: entry.sizeBytes, contentSeed });
  }

  edit(id: string, entry: DiskEntry, contentSeed: number): void {
    const modifiedTime = new Date(entry.modifiedMs).toISOString();
    this.#model.edit(id, { size: entry.sizeBytes, modifiedTime, contentSeed });
  }

  move(id: string, parent: string): void {
    this.#model.move(id, parent);
  }

  rename(id: string, name: string): void {
    this.#model.rename(id, name);
  }

  remove(id: string): void {
    this.#model.delete(id);
  }
}
