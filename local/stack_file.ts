import { join } from "node:path";
import { z } from "zod";
import { oneLine, StackError } from "./failure.ts";
import { isProcessAlive } from "./processes.ts";

const StackFileSchema = z.object({
  api_url: z.url(),
  functions_url: z.url(),
  rest_url: z.url(),
  /** A superuser's connection. */
  db_url: z.string(),
  publishable_key: z.string(),
  secret_key: z.string(),
  users: z.array(z.object({ id: z.guid(), email: z.string() })),
  pid: z.number().int(),
  /** Which parts are stand-ins for the platform's own. */
  stand_ins: z.array(z.string()),
});

/** What another program needs to know of a running stack: the content of `stack.json`. */
export type StackFile = z.infer<typeof StackFileSchema>;

function pathOf(stateDir: string): string {
  return join(stateDir, "stack.json");
}

/** Writes `stack.json`, readable by its owner alone: it holds the keys to everything. */
export async function writeStackFile(stateDir: string, content: StackFile): Promise<void> {
  const draft = `${pathOf(stateDir)}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await Deno.rename(draft, pathOf(stateDir));
}

/** Removes `stack.json`: the stack is no more. */
export async function removeStackFile(stateDir: string): Promise<void> {
  try {
    await Deno.remove(pathOf(stateDir));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

/** Reads `stack.json`; null when no stack runs in that directory. */
export async function readStackFile(stateDir: string): Promise<StackFile | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(pathOf(stateDir));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw new StackError(`Cannot read "${pathOf(stateDir)}": ${oneLine(cause)}`, { cause });
  }
  const content = StackFileSchema.safeParse(parseJson(text));
  // A damaged file, or one of a stack that was killed, speaks of nothing that still runs.
  return content.success && isProcessAlive(content.data.pid) ? content.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
