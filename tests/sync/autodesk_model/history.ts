/** What was true of a project, step by step. */
import { refusalOf } from "../../../local/autodesk/access.ts";
import { foldersAbove, type Item } from "../../../local/autodesk/aps_types.ts";
import { type FileInScope, filesInScope } from "../../../local/autodesk/scope_view.ts";
import { lastLive } from "../../../local/autodesk/versions.ts";
import { CLIENT_ID } from "../../support/autodesk_sync.ts";
import { pathOf } from "../../support/case_table.ts";
import { type ExpectedFile, type History, rememberAll } from "../model/history.ts";
import type { Playground } from "./playground.ts";

/** The memory of one sequence. */
export interface ProjectHistory extends History {
  /** Whether a file is there, but not to be seen by the application at the moment. */
  isOutOfSight(id: string): boolean;
}

/**
 * Creates the memory of a sequence. To it, what cannot be seen is there all the same: access that is
 * lost deletes nothing.
 */
export function createHistory({ model, view }: Playground): ProjectHistory {
  const living = (clientId?: string) =>
    filesInScope(model, { ...view, clientId }).filter(({ isDeleted }) => !isDeleted);
  let types: readonly string[] | null = null;

  const memory = rememberAll({
    files: () => living().flatMap(toExpected),
    *folders() {
      for (const folder of model.folders.values()) {
        const way = [folder, ...foldersAbove(folder)];
        const isInScope = view.folderIds === undefined
          ? !way.some(({ isSystem }) => isSystem)
          : way.some(({ id }) => view.folderIds?.includes(id));
        if (isInScope && !way.some(({ isHidden }) => isHidden)) yield folder.id;
      }
    },
    *items() {
      for (const entry of [...model.folders.values(), ...model.items.values()]) {
        yield { id: entry.id, foldersAbove: [...foldersAbove(entry)].map(({ id }) => id) };
      }
    },
  });

  function toExpected({ id, name, size, folderNames }: FileInScope): readonly ExpectedFile[] {
    const item = model.item(id);
    if (!isWanted(item, name)) return [];
    const bytes = size === null || !Number.isSafeInteger(size) ? null : String(size);
    const mimeType = lastLive(item)?.mimeType ?? null;
    const path = pathOf([...folderNames, name]);
    return [{ id, name, path, size: bytes, mimeType, driveId: null }];
  }

  // The rules of `file_types`, for the types that the sequences choose.
  function isWanted(item: Item, name: string): boolean {
    if (types === null || types.includes("*")) return true;
    return types.includes(lastLive(item)?.mimeType ?? "") ||
      (types.includes("pdf") && name.toLowerCase().endsWith(".pdf"));
  }

  const viewer = { clientId: CLIENT_ID, user: null };
  const parents = new Map<string, Set<string>>();
  const lastSlipped = new Map<string, number>();

  function noteSlipped(): void {
    for (const item of model.items.values()) {
      const known = (parents.get(item.id) ?? new Set()).add(item.parent.id);
      parents.set(item.id, known);
      const isSlipped = known.size > 1 && refusalOf(item, viewer) === 404;
      if (isSlipped) lastSlipped.set(item.id, memory.step());
    }
  }

  const seen = () => new Set(living(CLIENT_ID).map(({ id }) => id));
  return {
    ...memory,
    note() {
      memory.note();
      noteSlipped();
    },
    chooseTypes(chosen) {
      types = chosen;
      memory.chooseTypes(chosen);
      noteSlipped();
    },
    /**
     * Autodesk answers for a file that was moved to where the application sees nothing as for one that
     * is nowhere: 404, while the folder that it was in is still there.
     */
    mayBeGone: (id, since) => memory.mayBeGone(id, since) || (lastSlipped.get(id) ?? -1) >= since,
    expected() {
      const visible = seen();
      return memory.expected().filter(({ id }) => visible.has(id));
    },
    isOutOfSight: (id) => !seen().has(id) && living().some((file) => file.id === id),
  };
}
