import { z } from "zod";
import type { FileRecord, FolderRecord } from "../../supabase/functions/_shared/providers/types.ts";
import { toStorableText } from "./text.ts";

const base = {
  id: z.string().min(1),
  name: z.string().min(1),
  parent_id: z.string().min(1).nullish(),
};

/** A folder as the API shows it; only what is read is asked for. */
export const Folder = z.object({ type: z.literal("folder"), ...base });

/** A file as the API shows it. */
export const File = z.object({
  type: z.literal("file"),
  ...base,
  url: z.url(),
  size: z.int().nonnegative().nullish(),
  mime_type: z.string().min(1).nullish(),
  created_at: z.iso.datetime({ offset: true }).nullish(),
  updated_at: z.iso.datetime({ offset: true }).nullish(),
});

/** The folder as the engine knows it. */
export function toFolder(folder: z.infer<typeof Folder>, isRoot = false): FolderRecord {
  return {
    external_folder_id: folder.id,
    external_parent_id: folder.parent_id ?? null,
    folder_name: toStorableText(folder.name),
    is_root: isRoot,
  };
}

/** The file as the engine knows it. */
export function toFile(file: z.infer<typeof File>): FileRecord {
  const name = toStorableText(file.name);
  return {
    external_file_id: file.id,
    external_parent_id: file.parent_id ?? null,
    file_name: name,
    file_link: file.url,
    file_size: file.size === null || file.size === undefined ? null : String(file.size),
    file_type: /[^.]\.([^.\s]{1,20})$/.exec(name)?.[1]?.toLowerCase() ?? null,
    mime_type: file.mime_type ?? null,
    external_created_at: file.created_at ?? null,
    external_updated_at: file.updated_at ?? null,
    file_metadata: {},
  };
}
