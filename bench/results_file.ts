import { join } from "node:path";
import { repositoryRoot } from "../local/paths.ts";

/** What `bench/results.md` holds, in this order; each part is written by a command of its own. */
export const SECTIONS = ["Benchmark", "Load", "Chaos"] as const;

/** A part of `bench/results.md`. */
export type Section = typeof SECTIONS[number];

const FILE = join("bench", "results.md");

const HEAD = [
  "# Results",
  "",
  "What was measured last, by `deno task bench`, `deno task load` and `deno task chaos`: each writes",
  "its own section and leaves the others as they are.",
].join("\n");

/** Writes one section of `bench/results.md`, formatted as the repository is; answers the file's name. */
export async function writeSection(section: Section, text: string): Promise<string> {
  const path = join(repositoryRoot(), FILE);
  const page = await Deno.readTextFile(path).catch((cause) => {
    if (cause instanceof Deno.errors.NotFound) return "";
    throw cause;
  });
  await Deno.writeTextFile(path, replaceSection(page, section, text));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", path],
    cwd: repositoryRoot(),
  }).output();
  if (!success) throw new Error(`Cannot format ${FILE}: run deno fmt`);
  return FILE;
}

/**
 * The page with this section in place of the one of that name, or added where it belongs. `text` is
 * what stands below the section's heading, with headings of the third level.
 */
export function replaceSection(page: string, section: Section, text: string): string {
  const parts = SECTIONS.flatMap((name) => {
    const content = name === section ? text.trim() : contentOf(page, name);
    return content === null ? [] : [`## ${name}\n\n${content}`];
  });
  return `${[HEAD, ...parts].join("\n\n")}\n`;
}

function contentOf(page: string, section: Section): string | null {
  const [, ...parts] = `\n${page}`.split(/\n(?=## )/);
  const part = parts.find((each) => each.split("\n", 1)[0] === `## ${section}`);
  return part === undefined ? null : part.slice(part.indexOf("\n") + 1).trim();
}
