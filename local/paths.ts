import { dirname, join } from "node:path";

/** The repository's root folder. */
export function repositoryRoot(): string {
  return dirname(import.meta.dirname ?? Deno.cwd());
}

/** Where the embedded stack keeps its state unless told otherwise; git ignores it. */
export function defaultStateDir(): string {
  return join(repositoryRoot(), ".local");
}
