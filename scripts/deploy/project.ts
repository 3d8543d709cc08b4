import { join } from "node:path";
import { StackError } from "../../local/failure.ts";

/** A project, and how it was found. */
export interface Project {
  readonly ref: string;
  readonly source: string;
}

const REF = /^[a-z]{20}$/;
/** Where `supabase link` writes it. */
const LINK_FILE = join("supabase", ".temp", "project-ref");

/** Finds the project as the Supabase CLI does: flag, environment, link. `null` where there is none. */
export async function findProjectRef(
  flag: string | undefined,
  env: Readonly<Record<string, string>>,
  root: string,
): Promise<Project | null> {
  const places: readonly (readonly [string, string | undefined])[] = [
    ["--project-ref", flag],
    ["SUPABASE_PROJECT_ID", env["SUPABASE_PROJECT_ID"]],
    ["supabase link", await readLink(join(root, LINK_FILE))],
  ];
  for (const [source, value] of places) {
    const ref = value?.trim() ?? "";
    if (ref === "" && source !== "--project-ref") continue;
    if (value === undefined) continue;
    if (REF.test(ref)) return { ref, source };
    throw new StackError(
      `Cannot use the project of ${source} as a reference has 20 lower-case letters, as in its ` +
        "address https://<reference>.supabase.co",
    );
  }
  return null;
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
