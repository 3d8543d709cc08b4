import type { DiskEntry } from "../emulator/disk_scan.ts";
import type { MirrorTarget, NewMirrorEntry } from "../emulator/folder_mirror.ts";
import {
  type WatchedFolder,
  type WatchedFolderOptions,
  watchFolder as watchFolderInto,
} from "../emulator/watched_folder.ts";
import { folderId, lineageId } from "./aps_ids.ts";
import type { ApsModel } from "./aps_model.ts";

export type { WatchedFolder, WatchedFolderOptions };

/** Brings a directory into a folder of the model, and keeps the model true to it. */
export function watchFolder(
  model: ApsModel,
  options: WatchedFolderOptions,
): Promise<WatchedFolder> {
  return watchFolderInto(new ProjectMirrorTarget(model, options.parent), options);
}

class ProjectMirrorTarget implements MirrorTarget {
  readonly #model: ApsModel;
  readonly #parent: string;

  constructor(model: ApsModel, parent: string) {
    this.#model = model;
    this.#parent = parent;
  }

  idOf(text: string, isDirectory: boolean): string {
    const { region } = this.#model.folder(this.#parent).project.hub;
    const token = this.#model.ids.token(`disk:${text}`);
    return isDirectory ? folderId(region, token) : lineageId(region, token);
  }

  has(id: string): boolean {
    return this.#model.items.has(id) || this.#model.folders.has(id);
  }

  add({ id, parent, entry, isQuiet }: NewMirrorEntry): void {
    // Afterwards the time is that of the upload: the service does not know the disk's.
    const times = isQuiet
      ? {
        createdTime: new Date(entry.createdMs).toISOString(),
        modifiedTime: new Date(Math.max(entry.createdMs, entry.modifiedMs)).toISOString(),
      }
      : {};
    const common = { id, parent, name: entry.name, isLegacyName: true, ...times };
    if (entry.isDirectory) this.#model.createFolder(common);
    else this.#model.createItem({ ...common, size: entry.sizeBytes });
  }

  edit(id: string, entry: DiskEntry): void {
    this.#model.addVersion(id, { size: entry.sizeBytes });
  }

  move(id: string, parent: string): void {
    this.#model.move(id, parent);
  }

  rename(id: string, name: string): void {
    this.#model.rename(id, name, { isLegacyName: true });
  }

  remove(id: string): void {
    this.#model.delete(id);
  }
}
