import type { FileRecord } from "../providers/types.ts";

/** Says whether a file is wanted by an endpoint's `file_types`. */
export type FileFilter = (
  file: Pick<FileRecord, "file_name" | "file_type" | "mime_type">,
) => boolean;

/** The filter of an endpoint that wants every file. */
export const wantsAll: FileFilter = () => true;

/**
 * Builds the filter of `endpoints.file_types`: `*`, an extension with or without dot (`pdf`,
 * `.tar.gz`), or a MIME type whose parts may be `*` (`image/*`). Case does not matter. `null` wants
 * everything; an empty list wants nothing.
 */
export function createFileFilter(fileTypes: readonly string[] | null): FileFilter {
  if (fileTypes === null) return wantsAll;
  const patterns = fileTypes.map((pattern) => pattern.trim().toLowerCase());
  if (patterns.some((pattern) => pattern === "*" || pattern === "*/*")) return wantsAll;
  const mimePatterns = patterns.filter((pattern) => pattern.includes("/"));
  const extensions = patterns
    .filter((pattern) => !pattern.includes("/"))
    .map((pattern) => pattern.replace(/^\*?\./, ""))
    .filter((extension) => extension !== "");
  return (file) =>
    extensions.some((extension) => hasExtension(file, extension)) ||
    (file.mime_type !== null &&
      mimePatterns.some((pattern) => isMimeType(file.mime_type, pattern)));
}

function hasExtension(
  file: Pick<FileRecord, "file_name" | "file_type">,
  extension: string,
): boolean {
  // The name is asked too: `tar.gz` is never a `file_type`, which holds the last part alone.
  return file.file_type?.toLowerCase() === extension ||
    file.file_name.toLowerCase().endsWith(`.${extension}`);
}

function isMimeType(mimeType: string | null, pattern: string): boolean {
  // Parameters do not take part: `text/plain; charset=utf-8` is a `text/plain`.
  const [type, subtype] = (mimeType ?? "").toLowerCase().split(";", 1)[0]?.trim().split("/", 2) ??
    [];
  const [wantedType, wantedSubtype] = pattern.split("/", 2);
  return (wantedType === "*" || wantedType === type) &&
    (wantedSubtype === "*" || wantedSubtype === subtype);
}
