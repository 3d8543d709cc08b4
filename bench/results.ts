/** `bench/results.md`: one page, of which each command writes a section of its own. */
import { join } from "node:path";
import { repositoryRoot } from "../local/paths.ts";

/** The sections, in the order of the page. */
export const SECTIONS = ["Benchmark", "Load", "Chaos"] as const;

/** One of {@linkcode SECTIONS}. */
export type Section = typeof SECTIONS[number];

const HEAD = `# Results

What has been measured, each part by the command it names, and on the day it names: a command
replaces its own part and leaves the others as they are.
`;

interface Part {
  readonly name: string;
  readonly text: string;
}

/**
 * Puts a section into a page in place of the one that is there; the rest stays as it is. A page that
 * is empty gets a head, a section that is missing its place in the order.
 */
export function replaceSection(page: string, name: Section, body: string): string {
  const { head, parts } = split(page);
  const part = { name, text: `## ${name}\n\n${body.trim()}\n` };
  const others = parts.filter((other) => other.name !== name);
  const isLater = (other: Part) => rank(other.name) > rank(name);
  const at = others.findIndex(isLater);
  const place = at === -1 ? others.length : at;
  return [head.trim() === "" ? HEAD : head, ...others.toSpliced(place, 0, part).map(textOf)]
    .map((text) => `${text.trim()}\n`).join("\n");
}

/** Writes a section of `bench/results.md`, in the repository's format; answers what to tell of it. */
export async function writeSection(
  name: Section,
  body: string,
  path = join(repositoryRoot(), "bench", "results.md"),
): Promise<string> {
  await Deno.writeTextFile(path, replaceSection(await readPage(path), name, body));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--line-width=100", path],
    stdout: "null",
    stderr: "null",
  }).output();
  const rest = success ? "" : "; run `deno fmt bench` before it is committed";
  return `written to bench/results.md, section ${name}${rest}`;
}

async function readPage(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "";
    throw cause;
  }
}

/** Headings within fences are not looked for: no section has a fence. */
function split(page: string): { readonly head: string; readonly parts: readonly Part[] } {
  const [head = "", ...texts] = page.split(/^(?=## )/m);
  return {
    head,
    parts: texts.map((text) => ({ name: /^## (.*)$/m.exec(text)?.[1]?.trim() ?? "", text })),
  };
}

function textOf({ text }: Part): string {
  return text;
}

/** What is not known stays behind what is. */
function rank(name: string): number {
  const known = SECTIONS.findIndex((section) => section === name);
  return known === -1 ? SECTIONS.length : known;
}
