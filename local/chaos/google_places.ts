import { arrangeDrive } from "../google/arrangement.ts";
import type { DriveModel } from "../google/drive_model.ts";
import type { Item } from "../google/drive_types.ts";
import { generateTree } from "../google/generated_tree.ts";
import { filesInScope, type ViewScope } from "../google/scope_view.ts";
import { isBelow, subtree } from "../google/visibility.ts";
import type { Chance } from "./chance.ts";
import { pathOf, type Place } from "./place.ts";

/** What a place of an emulated Drive is like. */
export interface GooglePlaceOptions {
  readonly layout: "shared_drive" | "shared_folder";
  readonly name: string;
  readonly files: number;
  readonly filesPerFolder?: number;
  readonly reader: string;
}

const OWNER = "owner@example.com";

/** How often each change is made. */
const CHANGES = {
  create: 30,
  createFolder: 5,
  rename: 15,
  edit: 15,
  move: 12,
  trash: 8,
  untrash: 6,
  delete: 4,
  renameFolder: 5,
} as const;

/** Makes a shared drive or a shared folder, full of files. */
export function createGooglePlace(
  model: DriveModel,
  chance: Chance,
  options: GooglePlaceOptions,
): Place {
  const { layout, name, files, filesPerFolder = 10, reader } = options;
  const { folderId, driveId } = arrangeDrive(model, { layout, name, owner: OWNER, reader });
  generateTree(model, { parent: folderId, files, filesPerFolder, seed: files });
  const view: ViewScope = driveId === null
    ? { type: "folders", folderIds: [folderId] }
    : { type: "drive", driveId };
  return {
    endpointType: "google_drive",
    config: driveId === null ? { folder_id: folderId } : { drive_id: driveId },
    change: () => change(model, chance, model.item(folderId)),
    truth: () =>
      filesInScope(model, reader, view).map((file) => ({
        id: file.id,
        name: file.name,
        path: pathOf(file.folderNames, file.name),
        size: file.size,
      })),
  };
}

function change(model: DriveModel, chance: Chance, top: Item): void {
  const items = [...subtree(top)];
  const inside = items.filter((item) => item !== top);
  const folders = items.filter(({ children }) => children !== null);
  const pick = (fits: (item: Item) => boolean) => chance.pick(inside.filter(fits));
  const isFile = ({ children }: Item) => children === null;
  const parent = chance.pick(folders) ?? top;
  const kind = chance.weighted(CHANGES);
  const name = `${kind} ${chance.between(1, 999)}`;
  const size = chance.between(0, 1_000_000);
  if (kind === "create") return void model.createFile({ parent: parent.id, name, size });
  if (kind === "createFolder") return void model.createFolder({ parent: parent.id, name });
  const item = pick(
    kind === "edit"
      ? (each) => isFile(each) && each.size !== null
      : kind === "rename"
      ? isFile
      : kind === "renameFolder"
      ? (each) => !isFile(each)
      : kind === "untrash"
      ? ({ isExplicitlyTrashed }) => isExplicitlyTrashed
      : () => true,
  );
  if (item === undefined) return;
  switch (kind) {
    case "rename":
    case "renameFolder":
      return model.rename(item.id, name);
    case "edit":
      return model.edit(item.id, { size });
    case "move":
      return isBelow(parent, item) ? undefined : model.move(item.id, parent.id);
    case "trash":
      return model.trash(item.id);
    case "untrash":
      return model.untrash(item.id);
    case "delete":
      return model.delete(item.id);
  }
}
