/**
 * What the processes of one test run note for its search for secrets: values that were issued,
 * texts that were written, and searches that were made. Each process appends to files of its own in
 * the folder that CONNECTOR_TEST_SECRETS names; without it nothing is ever noted. `deno task test`
 * makes that folder, which only its owner can read, and removes it at the end of the run.
 */
import { join } from "node:path";
import { z } from "zod";

/** The variable that names the folder of the run. */
const RUN_FOLDER = "CONNECTOR_TEST_SECRETS";

const Entries = {
  secrets: z.object({ name: z.string(), value: z.string() }),
  texts: z.object({ name: z.string(), text: z.string() }),
  files: z.object({ file: z.number(), table: z.string() }),
  searches: z.object({
    name: z.string(),
    values: z.number(),
    bytes: z.number(),
    tookMs: z.number(),
    leaks: z.array(z.object({ secret: z.string(), place: z.string() })),
    /** Why the search could not be made. */
    failure: z.string().nullable(),
  }),
} as const;

/** What is noted, by kind. */
export type Noted = { readonly [Kind in keyof typeof Entries]: z.infer<typeof Entries[Kind]> };

/** Kinds of notes. */
export type NoteKind = keyof Noted;

/** The search of one stack, or of what a run has written. */
export type Search = Noted["searches"];

/** The folder of the run; null outside of a test run. */
export function runFolder(): string | null {
  return Deno.env.get(RUN_FOLDER) || null;
}

// Opened when the program is loaded: a test may not leave open what it has opened.
let files = openFiles(runFolder());

/** Takes notes in `folder` from now on: here, and in every process that is started here. */
export function beginNotes(folder: string): void {
  Deno.env.set(RUN_FOLDER, folder);
  files = openFiles(folder);
}

function openFiles(folder: string | null): Readonly<Record<NoteKind, Deno.FsFile>> | null {
  if (folder === null) return null;
  const id = crypto.randomUUID();
  const open = (kind: NoteKind) =>
    Deno.openSync(join(folder, `${kind}-${id}.jsonl`), {
      append: true,
      create: true,
      mode: 0o600,
    });
  return {
    secrets: open("secrets"),
    texts: open("texts"),
    files: open("files"),
    searches: open("searches"),
  };
}

const encoder = new TextEncoder();

/** Notes something at once, so that a process that is killed has noted it. */
export function note<Kind extends NoteKind>(kind: Kind, entry: Noted[Kind]): void {
  if (files === null) return;
  const line = encoder.encode(`${JSON.stringify(entry)}\n`);
  const file = files[kind];
  for (let at = 0; at < line.length;) at += file.writeSync(line.subarray(at));
}

/** Tells whether notes are taken. */
export function isNoted(): boolean {
  return files !== null;
}

/** Reads what all processes of a run have noted, oldest first within each of them. */
export async function* readNotes(
  folder: string,
  kind: NoteKind,
): AsyncGenerator<unknown> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(`${kind}-`)) continue;
    const text = await Deno.readTextFile(join(folder, name));
    const lines = text.split("\n");
    // What follows the last line end was cut off with its process, or is just being written.
    lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

/** The values that a run has issued so far. */
export async function notedSecrets(folder: string): Promise<readonly Noted["secrets"][]> {
  const secrets: Noted["secrets"][] = [];
  for await (const entry of readNotes(folder, "secrets")) {
    secrets.push(Entries.secrets.parse(entry));
  }
  return secrets;
}

/** The texts that the processes of a run have written. */
export async function* notedTexts(folder: string): AsyncGenerator<Noted["texts"]> {
  for await (const entry of readNotes(folder, "texts")) yield Entries.texts.parse(entry);
}

/** Which table each file of the database was a table of. */
export async function notedFiles(folder: string): Promise<ReadonlyMap<number, string>> {
  const tables = new Map<number, string>();
  for await (const entry of readNotes(folder, "files")) {
    const { file, table } = Entries.files.parse(entry);
    tables.set(file, table);
  }
  return tables;
}

/** The searches that were made in the course of a run. */
export async function notedSearches(folder: string): Promise<readonly Search[]> {
  const searches: Search[] = [];
  for await (const entry of readNotes(folder, "searches")) {
    searches.push(Entries.searches.parse(entry));
  }
  return searches;
}
