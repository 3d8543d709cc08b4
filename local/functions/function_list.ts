import { join } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";
import { oneLine, StackError } from "../failure.ts";

/** The platform's own pattern: a folder such as `_shared` is not a function. */
const SLUG = /^[A-Za-z][A-Za-z0-9_-]*$/;

const FunctionsConfig = z.looseObject({
  functions: z.record(
    z.string(),
    z.looseObject({
      enabled: z.boolean().default(true),
      // The platform's default: a function without a stanza wants a signed-in caller.
      verify_jwt: z.boolean().default(true),
    }),
  ).default({}),
});

/** One function to serve, as `supabase/config.toml` describes it. */
export interface FunctionSpec {
  readonly slug: string;
  /** Absolute path of its `index.ts`. */
  readonly entrypoint: string;
  readonly verifyJwt: boolean;
}

async function readConfig(path: string): Promise<z.infer<typeof FunctionsConfig>> {
  try {
    return FunctionsConfig.parse(parse(await Deno.readTextFile(path)));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { functions: {} };
    throw new StackError(`Cannot read "${path}": ${oneLine(cause)}`, { cause });
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

/** Lists the functions below `<root>/supabase/functions`, by slug. */
export async function listFunctions(root: string): Promise<readonly FunctionSpec[]> {
  const config = await readConfig(join(root, "supabase", "config.toml"));
  const folder = join(root, "supabase", "functions");
  const specs: FunctionSpec[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const entrypoint = join(folder, entry.name, "index.ts");
    const stanza = config.functions[entry.name];
    if (!entry.isDirectory || !SLUG.test(entry.name) || stanza?.enabled === false) continue;
    if (!await isFile(entrypoint)) continue;
    specs.push({ slug: entry.name, entrypoint, verifyJwt: stanza?.verify_jwt ?? true });
  }
  return specs.sort((a, b) => a.slug < b.slug ? -1 : 1);
}
