import type { DriveModel } from "./drive_model.ts";
import { mix32, seededRandom } from "../emulator/random_ids.ts";

/** What a generated tree looks like. */
export interface GeneratedTreeOptions {
  /** The folder, root or shared drive to fill. */
  readonly parent: string;
  readonly files: number;
  readonly seed?: number;
  /** Files in one folder; by default 50. */
  readonly filesPerFolder?: number;
  /** Folders in one folder; by default 8. */
  readonly foldersPerFolder?: number;
  /** The creation times are spread over this range; by default 2016 to 2026. */
  readonly createdBetween?: readonly [first: string, last: string];
}

const KINDS = ["pdf", "docx", "xlsx", "jpg", "dwg", "rvt", "txt", "csv", "pptx", "zip"];
const SUBJECTS = ["Plan", "Report", "Contract", "Photo", "Drawing", "Budget", "Minutes", "Model"];
const PLACES = ["North", "South", "Tower", "Harbour", "Bridge", "Station", "Library", "Depot"];
const EDITOR_KIND = "application/vnd.google-apps.document";

/**
 * Fills a folder with a tree of files that depends on the options alone. Nothing appears in the
 * change logs: the tree was there all along. Answers the ids of its folders.
 */
export function generateTree(model: DriveModel, options: GeneratedTreeOptions): readonly string[] {
  const random = seededRandom(options.seed ?? 1);
  const filesPerFolder = options.filesPerFolder ?? 50;
  const folderIds = generateFolders(model, options, Math.ceil(options.files / filesPerFolder));
  const [first, last] = options.createdBetween ?? ["2016-01-01T00:00:00Z", "2026-01-01T00:00:00Z"];
  const firstMs = Date.parse(first);
  const stepMs = (Date.parse(last) - firstMs) / Math.max(options.files, 1);
  for (let index = 0; index < options.files; index++) {
    const createdMs = Math.floor(firstMs + (index + random()) * stepMs);
    const folder = folderIds[Math.floor(index / filesPerFolder)] ?? options.parent;
    generateFile(model, folder, index, createdMs, random);
  }
  return folderIds;
}

function generateFolders(
  model: DriveModel,
  options: GeneratedTreeOptions,
  count: number,
): string[] {
  const perFolder = options.foldersPerFolder ?? 8;
  const ids: string[] = [];
  const createdTime = options.createdBetween?.[0] ?? "2016-01-01T00:00:00Z";
  for (let index = 0; index < count; index++) {
    const above = index < perFolder ? options.parent : ids[Math.floor(index / perFolder) - 1];
    const name = `${PLACES[index % PLACES.length]} ${index + 1}`;
    const parent = above ?? options.parent;
    ids.push(model.createFolder({ name, parent, createdTime, isQuiet: true }).id);
  }
  return ids;
}

function generateFile(
  model: DriveModel,
  parent: string,
  index: number,
  createdMs: number,
  random: () => number,
): void {
  const subject = SUBJECTS[Math.floor(random() * SUBJECTS.length)];
  const isEditorFile = index % 20 === 19;
  const kind = KINDS[Math.floor(random() * KINDS.length)];
  const modifiedMs = createdMs + Math.floor(random() * 30 * 24 * 3600 * 1000);
  model.createFile({
    parent,
    name: isEditorFile ? `${subject} ${index + 1}` : `${subject} ${index + 1}.${kind}`,
    size: Math.floor(Math.exp(random() * 18) * 64),
    contentSeed: mix32(index),
    createdTime: new Date(createdMs).toISOString(),
    modifiedTime: new Date(modifiedMs).toISOString(),
    isQuiet: true,
    ...(isEditorFile ? { mimeType: EDITOR_KIND } : {}),
  });
}
