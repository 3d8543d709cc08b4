import { seededRandom } from "../emulator/random_ids.ts";
import type { ApsModel } from "./aps_model.ts";

/** What a generated tree looks like. */
export interface GeneratedTreeOptions {
  /** The folder to fill. */
  readonly parent: string;
  readonly items: number;
  /** Folders over which the items are spread; by default one for each ten items. */
  readonly folders?: number | undefined;
  readonly seed?: number | undefined;
  /** Folders in one folder; by default 8. */
  readonly foldersPerFolder?: number | undefined;
  /** The creation times are spread over this range; by default 2016 to 2026. */
  readonly createdBetween?: readonly [first: string, last: string] | undefined;
}

const KINDS = ["pdf", "dwg", "rvt", "ifc", "docx", "xlsx", "jpg", "nwc", "csv", "zip"];
const SUBJECTS = ["Plan", "Report", "Section", "Photo", "Drawing", "Schedule", "Detail", "Model"];
const PLACES = ["North", "South", "Tower", "Harbour", "Bridge", "Station", "Library", "Depot"];

/**
 * Fills a folder with a tree of items that depends on the options alone. Answers the ids of its
 * folders.
 */
export function generateTree(model: ApsModel, options: GeneratedTreeOptions): readonly string[] {
  const random = seededRandom(options.seed ?? 1);
  const [first, last] = options.createdBetween ?? ["2016-01-01T00:00:00Z", "2026-01-01T00:00:00Z"];
  const firstMs = Date.parse(first);
  const stepMs = (Date.parse(last) - firstMs) / Math.max(options.items, 1);
  const folderIds = generateFolders(model, options, first);
  for (let index = 0; index < options.items; index++) {
    const folder = Math.floor(index * folderIds.length / options.items);
    const createdMs = Math.floor(firstMs + (index + random()) * stepMs);
    generateItem(model, folderIds[folder] ?? options.parent, index, createdMs, random);
  }
  return folderIds;
}

function generateFolders(
  model: ApsModel,
  options: GeneratedTreeOptions,
  createdTime: string,
): string[] {
  const count = options.folders ?? Math.ceil(options.items / 10);
  const perFolder = options.foldersPerFolder ?? 8;
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const above = index < perFolder ? options.parent : ids[Math.floor(index / perFolder) - 1];
    const name = `${PLACES[index % PLACES.length]} ${index + 1}`;
    ids.push(model.createFolder({ name, parent: above ?? options.parent, createdTime }).id);
  }
  return ids;
}

function generateItem(
  model: ApsModel,
  parent: string,
  index: number,
  createdMs: number,
  random: () => number,
): void {
  const subject = SUBJECTS[Math.floor(random() * SUBJECTS.length)];
  const kind = KINDS[Math.floor(random() * KINDS.length)];
  const modifiedMs = createdMs + Math.floor(random() * 30 * 24 * 3600 * 1000);
  model.createItem({
    parent,
    name: `${subject} ${index + 1}.${kind}`,
    size: Math.floor(Math.exp(random() * 18) * 64),
    createdTime: new Date(createdMs).toISOString(),
    modifiedTime: new Date(modifiedMs).toISOString(),
    // Real answers mostly have none.
    ...(random() < 0.8 ? { mimeType: null } : {}),
  });
}
