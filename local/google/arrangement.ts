import type { DriveModel } from "./drive_model.ts";

/** How content is laid out so that a service account can read it. */
export const LAYOUTS = ["shared_folder", "shared_drive"] as const;

/** How content is laid out so that a service account can read it. */
export type Layout = typeof LAYOUTS[number];

/** Where content is to be put. */
export interface Arrangement {
  /** The folder that takes the content. */
  readonly folderId: string;
  /** The shared drive it lies on, if any. */
  readonly driveId: string | null;
}

/**
 * Makes the place for some content: a folder in the owner's My Drive, shared with the reader, or a
 * shared drive with both as members.
 */
export function arrangeDrive(
  model: DriveModel,
  options: {
    readonly layout: Layout;
    /** Name of the folder or shared drive. */
    readonly name: string;
    readonly owner: string;
    readonly reader: string;
  },
): Arrangement {
  const owner = model.addAccount({ email: options.owner });
  model.account(options.reader);
  if (options.layout === "shared_drive") {
    const members = [owner.email, options.reader];
    const drive = model.createDrive({ name: options.name, members });
    return { folderId: drive.id, driveId: drive.id };
  }
  const folder = model.createFolder({ name: options.name, parent: owner.root.id });
  model.share(folder.id, options.reader);
  return { folderId: folder.id, driveId: null };
}
