import { hashText } from "../emulator/random_ids.ts";
import { mediaTypeOf } from "../emulator/media_types.ts";
import { type ApsIds, versionId } from "./aps_ids.ts";
import { SYSTEM } from "./aps_state.ts";
import { type Author, type Item, type Version } from "./aps_types.ts";
import type { NewItem, NewVersion } from "./model_requests.ts";
import { extensionOf } from "./names.ts";

/** What a version is made of. */
export type VersionDraft =
  | {
    readonly type: "first";
    readonly options: NewItem;
    readonly author: Author;
    readonly createdMs: number;
    readonly modifiedMs: number;
  }
  /** What `options` does not tell is taken from the last version that is no deletion. */
  | {
    readonly type: "next";
    readonly options: NewVersion;
    readonly author: Author;
    readonly atMs: number;
  }
  | { readonly type: "deletion"; readonly atMs: number };

/** The version that comes next. */
export function buildVersion(item: Item, draft: VersionDraft, ids: ApsIds): Version {
  const number = item.versions.length + 1;
  const base = {
    id: versionId(item.parent.project.hub.region, fileTokenOf(item, ids), number),
    item,
    number,
    revisionLabel: String(number),
  };
  switch (draft.type) {
    case "first":
      return { ...base, ...content(item, draft.options, null, number, ids), ...stamps(draft) };
    case "next": {
      const { options, author, atMs } = draft;
      const last = lastLive(item);
      return {
        ...base,
        ...content(item, options, last, number, ids),
        ...stamps({ author, createdMs: atMs, modifiedMs: atMs }),
      };
    }
    case "deletion": {
      const { atMs } = draft;
      const name = ids.guid(`deleted:${item.id}:${number}`);
      return {
        ...base,
        name,
        displayName: name,
        size: null,
        mimeType: null,
        storageId: null,
        deletedName: lastLive(item)?.name ?? item.displayName,
        processState: "PROCESSING_COMPLETE",
        ...stamps({ author: SYSTEM, createdMs: atMs, modifiedMs: atMs }),
      };
    }
  }
}

/** The newest version that is no deletion. */
export function lastLive(item: Item): Version | null {
  return item.versions.findLast((version) => version.deletedName === null) ?? null;
}

function content(
  item: Item,
  options: NewVersion & { readonly displayName?: string | undefined },
  last: Version | null,
  number: number,
  ids: ApsIds,
) {
  const name = options.name ?? last?.name ?? item.displayName;
  const isModel = item.fileKind === "C4RModel";
  const size = options.size === undefined
    ? last?.size ?? (last === null ? 1024 : null)
    : options.size;
  const extension = extensionOf(name);
  const storage = `urn:adsk.objects:os.object:wip.dm.prod/${ids.guid(`${item.id}:${number}`)}`;
  return {
    name,
    displayName: options.displayName ?? name,
    size,
    mimeType: mimeTypeFor(options, last, extension),
    // Models that several people work on have no storage of their own.
    storageId: isModel ? null : extension === null ? storage : `${storage}.${extension}`,
    deletedName: null,
    processState: "PROCESSING_COMPLETE" as const,
  };
}

function mimeTypeFor(
  options: NewVersion,
  last: Version | null,
  extension: string | null,
): string | null {
  if (options.mimeType !== undefined) return options.mimeType;
  if (options.name === undefined && last !== null) return last.mimeType;
  return mediaTypeOf(extension);
}

function stamps(
  given: { readonly author: Author; readonly createdMs: number; readonly modifiedMs: number },
) {
  return {
    createdMs: given.createdMs,
    createdBy: given.author,
    modifiedMs: given.modifiedMs,
    modifiedBy: given.author,
  };
}

// Mostly the lineage's own characters, but not always: nobody may build one id from the other.
function fileTokenOf(item: Item, ids: ApsIds): string {
  const token = item.id.slice(item.id.lastIndexOf(":") + 1);
  return hashText(token) % 16 === 0 ? ids.token(`file:${token}`) : token;
}
