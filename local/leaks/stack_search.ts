/** The search of one stack before it is gone, where a test run asks for it. */
import postgres from "postgres";
import { oneLine } from "../failure.ts";
import {
  keepEverything,
  keepUncompressed,
  keepUnlogged,
  searchDatabase,
  watchDatabase,
} from "./database_watch.ts";
import { isByDesign, Leaks, logsOf, searchTexts } from "./places.ts";
import { note, notedFiles, notedSecrets, runFolder } from "./run_folder.ts";
import { SecretIndex } from "./secret_index.ts";

/** What of a stack is searched. */
export interface SearchedStack {
  readonly superuserUrl: string;
  readonly stateDir: string;
  readonly isDurable: boolean;
}

/** Prepares a stack that was just made for its search: before anything is written to it. */
export async function prepareSearch({ superuserUrl }: SearchedStack): Promise<void> {
  if (runFolder() !== null) await connected(superuserUrl, keepEverything);
}

/** Prepares a stack's tables. One that may crash in a test keeps its unlogged tables as they are. */
export async function prepareTables({ superuserUrl, isDurable }: SearchedStack): Promise<void> {
  if (runFolder() === null) return;
  await connected(superuserUrl, async (sql) => {
    await keepUncompressed(sql);
    if (!isDurable) await keepUnlogged(sql);
  });
}

/** Searches tables, their past and logs for all that was issued so far, and notes the outcome. */
export async function searchStack(stack: SearchedStack): Promise<void> {
  const folder = runFolder();
  if (folder === null) return;
  const startedMs = Date.now();
  const leaks = new Leaks();
  let values = 0;
  let failure: string | null = null;
  try {
    const index = new SecretIndex(await notedSecrets(folder));
    values = index.size;
    await searchTexts(index, logsOf(stack.stateDir), leaks);
    await connected(stack.superuserUrl, async (sql) => {
      await searchDatabase(sql, await watchDatabase(sql), index, leaks, await notedFiles(folder));
    });
  } catch (cause) {
    // The stack has to be stopped all the same; the run fails in the end.
    failure = oneLine(cause);
  }
  note("searches", {
    name: `tables, their write-ahead log, and logs of the stack of process ${Deno.pid}`,
    values,
    bytes: leaks.bytes,
    tookMs: Date.now() - startedMs,
    leaks: leaks.all().filter((leak) => !isByDesign(leak)),
    failure,
  });
}

async function connected(
  url: string,
  use: (sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
