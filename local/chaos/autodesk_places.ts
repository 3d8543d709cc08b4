import type { ApsModel } from "../autodesk/aps_model.ts";
import type { Folder, Item } from "../autodesk/aps_types.ts";
import { foldersAbove } from "../autodesk/aps_types.ts";
import { arrangeProject } from "../autodesk/arrangement.ts";
import { generateTree } from "../autodesk/generated_tree.ts";
import { filesInScope } from "../autodesk/scope_view.ts";
import type { Chance } from "./chance.ts";
import { pathOf, type Place } from "./place.ts";

/** What an emulated project is like. */
export interface AutodeskPlaceOptions {
  readonly name: string;
  readonly files: number;
  readonly folders: number;
  readonly clientId: string;
}

/** How often each change is made. */
const CHANGES = {
  create: 30,
  createFolder: 3,
  addVersion: 20,
  rename: 12,
  move: 12,
  delete: 8,
  restore: 8,
  renameFolder: 4,
} as const;

/** Folders may be nested no deeper than this; a few levels less leaves room for moves. */
const DEEPEST = 8;

/** Makes a project, full of files. */
export function createAutodeskPlace(
  model: ApsModel,
  chance: Chance,
  { name, files, folders, clientId }: AutodeskPlaceOptions,
): Place {
  const place = arrangeProject(model, { clientId, hubName: name, projectName: name });
  generateTree(model, { parent: place.folderId, items: files, folders, seed: files });
  const scope = { projectId: place.projectId, clientId };
  return {
    endpointType: "autodesk_construction_cloud",
    config: { client_id: clientId, project_id: place.projectId },
    change: () => change(model, chance, model.folder(place.folderId)),
    truth: () =>
      filesInScope(model, scope).filter(({ isDeleted }) => !isDeleted).map((file) => ({
        id: file.id,
        name: file.name,
        path: pathOf(file.folderNames, file.name),
        size: file.size === null ? null : String(file.size),
      })),
  };
}

function* below(folder: Folder): Generator<Folder | Item> {
  for (const child of folder.children) {
    yield child;
    if (child.kind === "folder") yield* below(child);
  }
}

function change(model: ApsModel, chance: Chance, top: Folder): void {
  const entries = [...below(top)];
  const folders: Folder[] = [top];
  const items: Item[] = [];
  for (const entry of entries) {
    if (entry.kind === "item") items.push(entry);
    else if ([...foldersAbove(entry)].length < DEEPEST) folders.push(entry);
  }
  const parent = chance.pick(folders.filter(({ isHidden }) => !isHidden)) ?? top;
  const kind = chance.weighted(CHANGES);
  const name = `${kind} ${chance.between(1, 999)}.pdf`;
  const size = chance.between(0, 1_000_000);
  if (kind === "create") return void model.createItem({ parent: parent.id, name, size });
  if (kind === "createFolder") return void model.createFolder({ parent: parent.id, name });
  if (kind === "renameFolder") {
    const folder = chance.pick(folders.filter((each) => each !== top && !each.isHidden));
    if (folder !== undefined) model.rename(folder.id, name);
    return;
  }
  const isHidden = kind === "restore";
  // Whole folders come and go, too.
  const candidates = kind === "delete" || isHidden ? entries : items;
  const entry = chance.pick(candidates.filter((each) => each.isHidden === isHidden));
  if (entry === undefined) return;
  switch (kind) {
    case "addVersion":
      return void model.addVersion(entry.id, { size });
    case "rename":
      return model.rename(entry.id, name);
    case "move":
      return model.move(entry.id, parent.id);
    case "delete":
      return model.delete(entry.id);
    case "restore":
      return model.restore(entry.id);
  }
}
