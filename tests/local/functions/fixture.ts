import { join } from "node:path";
import { findFunctionsDeno } from "../../../local/functions/deno_binary.ts";
import { listFunctions } from "../../../local/functions/function_list.ts";
import { type Functions, startFunctions } from "../../../local/functions/runner.ts";

/** A repository of small functions, served, and removed again when disposed of. */
export interface ServedFunctions extends AsyncDisposable {
  readonly root: string;
  readonly logFolder: string;
  readonly functions: Functions;
}

/** Options of {@linkcode serveSources}. */
export interface ServeOptions {
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly idleTimeoutMs?: number;
}

/** Writes each source as the `index.ts` of a function named by its key, and serves them all. */
export async function serveSources(
  sources: Readonly<Record<string, string>>,
  options: ServeOptions = {},
): Promise<ServedFunctions> {
  const root = await Deno.makeTempDir({ prefix: "functions_test_" });
  const supabase = join(root, "supabase");
  await Deno.mkdir(join(supabase, "functions"), { recursive: true });
  await Deno.writeTextFile(join(root, "deno.json"), "{}");
  await Deno.writeTextFile(join(supabase, "config.toml"), options.config ?? "");
  for (const [slug, source] of Object.entries(sources)) {
    await Deno.mkdir(join(supabase, "functions", slug), { recursive: true });
    await Deno.writeTextFile(join(supabase, "functions", slug, "index.ts"), source);
  }
  const logFolder = join(root, "logs");
  const functions = startFunctions({
    deno: await findFunctionsDeno(),
    root,
    functions: await listFunctions(root),
    logFolder,
    env: () => options.env ?? {},
    ...(options.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: options.idleTimeoutMs }),
  });
  return {
    root,
    logFolder,
    functions,
    async [Symbol.asyncDispose]() {
      await functions.stop();
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** Calls a function directly, at `path` below its slug. */
export async function call(
  { functions }: ServedFunctions,
  slug: string,
  path = "",
  init: RequestInit = {},
): Promise<Response> {
  const target = functions.get(slug);
  if (target === undefined) throw new Error(`There is no function "${slug}"`);
  return await target.fetch(new Request(`http://127.0.0.1/${slug}${path}`, init));
}
