/** A part of a provider that endpoints read while it changes. */

/** A file as it must stand in `public.files`. */
export interface TrueFile {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly size: string | null;
}

/** A part of an emulated provider. */
export interface Place {
  readonly endpointType: "google_drive" | "autodesk_construction_cloud";
  readonly config: Readonly<Record<string, string>>;
  /** Does one change, as a person would; which one is up to chance. */
  change(): void;
  /** What a perfect copy would hold now. */
  truth(): readonly TrueFile[];
}

/** The path of a file below the folders of these names; a slash within a name is escaped. */
export function pathOf(folderNames: readonly string[], name: string): string {
  return [...folderNames, name].map((part) => "/" + part.replace(/[\\/]/g, "\\$&")).join("");
}
