import { refusalOf, topFoldersOf, type Viewer } from "./access.ts";
import type { ApsState } from "./aps_state.ts";
import { type Folder, type Item, type Project, tipOf } from "./aps_types.ts";
import { lastLive } from "./versions.ts";

/** A part of an account, as an endpoint names it. */
export interface ProjectScope {
  readonly projectId: string;
  /** By default the whole project. */
  readonly folderIds?: readonly string[] | undefined;
  /** The app whose rights count; by default one that may read everything. */
  readonly clientId?: string | undefined;
  /** The user whose rights count, too. */
  readonly userId?: string | null | undefined;
  /** Leaves out the folders of other products that stand beside Project Files. */
  readonly isProjectFilesOnly?: boolean | undefined;
}

/** A file in a scope. */
export interface FileInScope {
  readonly id: string;
  /** The tip's name; for a deleted file, the name it had. */
  readonly name: string;
  readonly size: number | null;
  /** The number of the tip; 0 for an item without a version. */
  readonly version: number;
  /**
   * Names of the folders below the scope's top, outermost first. The top of a whole project is its
   * root: there the first name is that of a top folder.
   */
  readonly folderNames: readonly string[];
  /** It was deleted, or a folder above it was. */
  readonly isDeleted: boolean;
}

/**
 * Every file of a scope that the caller may read, deleted ones too: what a perfect copy of the
 * project would know. It is worked out by walking, without the API's code. Files nobody may read
 * are not in it.
 */
export function filesInScope(model: ApsState, scope: ProjectScope): FileInScope[] {
  const project = model.project(scope.projectId);
  const viewer = viewerOf(model, project, scope);
  const given = new Set(scope.folderIds);
  const found = new Map<string, FileInScope>();
  for (const top of topsOf(model, project, scope, viewer)) {
    const folderNames = given.has(top.id) ? [] : [top.name];
    collect(top, folderNames, isHiddenAbove(top), { found, given, viewer });
  }
  return [...found.values()].sort((left, right) => left.id < right.id ? -1 : 1);
}

function viewerOf(model: ApsState, project: Project, scope: ProjectScope): Viewer | null {
  if (scope.clientId === undefined) return null;
  if (!project.hub.provisionedClients.has(scope.clientId)) {
    throw new RangeError(`Cannot read project as the app is not provisioned in its account`);
  }
  const user = typeof scope.userId === "string" ? model.users.get(scope.userId) ?? null : null;
  return { clientId: scope.clientId, user };
}

function topsOf(
  model: ApsState,
  project: Project,
  scope: ProjectScope,
  viewer: Viewer | null,
): readonly Folder[] {
  if (scope.folderIds !== undefined) return scope.folderIds.map((id) => model.folder(id));
  const tops = viewer === null
    ? [...project.root.children].filter((child) => child.kind === "folder")
    : topFoldersOf(project, viewer);
  return tops.filter(({ isSystem }) => !(isSystem && scope.isProjectFilesOnly === true));
}

function collect(
  folder: Folder,
  folderNames: readonly string[],
  isDeleted: boolean,
  context: {
    readonly found: Map<string, FileInScope>;
    readonly given: ReadonlySet<string>;
    readonly viewer: Viewer | null;
  },
): void {
  const { found, given, viewer } = context;
  if (viewer !== null && refusalOf(folder, viewer) !== null) return;
  for (const child of folder.children) {
    if (child.kind === "item") {
      if (!found.has(child.id)) found.set(child.id, view(child, folderNames, isDeleted));
    } // A folder that is named itself is a top of its own.
    else if (!given.has(child.id)) {
      collect(child, [...folderNames, child.name], isDeleted || child.isHidden, context);
    }
  }
}

function view(item: Item, folderNames: readonly string[], isBelowDeleted: boolean): FileInScope {
  const tip = tipOf(item);
  const live = lastLive(item);
  return {
    id: item.id,
    name: live?.name ?? item.displayName,
    size: live?.size ?? null,
    version: tip?.number ?? 0,
    folderNames,
    isDeleted: isBelowDeleted || item.isHidden || (tip !== null && tip.deletedName !== null),
  };
}

function isHiddenAbove(folder: Folder): boolean {
  for (let each: Folder | null = folder; each !== null; each = each.parent) {
    if (each.isHidden) return true;
  }
  return false;
}
