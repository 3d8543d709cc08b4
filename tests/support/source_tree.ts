import { fileURLToPath } from "node:url";

/** One file as text; its path is relative to the root, with forward slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Turns a `file:` URL into a path that ends as the URL does. */
export function fromFileUrl(url: URL): string {
  return fileURLToPath(url);
}

/** Reads all files below `folder` (relative to `root`, ends with a slash) whose name ends so. */
export async function readTree(
  root: string,
  folder: string,
  ending: string,
): Promise<TextFile[]> {
  const files: TextFile[] = [];
  for await (const entry of Deno.readDir(`${root}${folder}`)) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) files.push(...await readTree(root, `${path}/`, ending));
    else if (entry.name.endsWith(ending)) {
      files.push({ path, text: await Deno.readTextFile(`${root}${path}`) });
    }
  }
  return files.sort((left, right) => left.path < right.path ? -1 : 1);
}
