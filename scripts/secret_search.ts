/** The last check of a test run: nothing that it has issued stands anywhere in clear. */
import { join } from "node:path";
import { isByDesign, Leaks, type Place, searchTexts } from "../local/leaks/places.ts";
import {
  type Noted,
  notedSearches,
  notedSecrets,
  notedTexts,
  type Search,
} from "../local/leaks/run_folder.ts";
import { SecretIndex } from "../local/leaks/secret_index.ts";
import { showBytes } from "../local/show_bytes.ts";
import type { Terminal } from "../local/terminal.ts";
import type { Tally } from "./steps.ts";
import type { TestOptions } from "./test_options.ts";

/** Where the output of the tests is kept, in the folder of the run. */
export const OUTPUT_FILE = "output.txt";

/** Kinds of secret that a run of all tests issues, or the register has not been told of them. */
const KINDS = [
  "access_token",
  "assertion",
  "client_secret",
  "code",
  "code_verifier",
  "dispatch_token",
  "private_key",
  "refresh_token",
  "secret_key",
  "signing_key",
  "token_key",
  "user_token",
];

/** Searches what the tests have written, and counts the searches of their stacks. */
export async function searchRun(
  folder: string,
  terminal: Terminal,
  { isEverything, paths }: Pick<TestOptions, "isEverything" | "paths">,
): Promise<Tally> {
  const secrets = await notedSecrets(folder);
  const searches = [...await notedSearches(folder), await searchWritten(folder, secrets)];
  const problems = searches.flatMap(problemsOf);
  const kinds = new Set(secrets.map(({ name }) => name));
  const unseen = isEverything ? KINDS.filter((kind) => !kinds.has(kind)) : [];
  if (unseen.length > 0) problems.push(`no value was registered of: ${unseen.join(", ")}`);
  if (paths.length > 0 && searches.length < 2) problems.push("no database was searched");
  for (const problem of problems) {
    terminal.line(terminal.style("red", `search for secrets: ${problem}`));
  }
  const tookMs = searches.reduce((sum, search) => sum + search.tookMs, 0);
  const bytes = searches.reduce((sum, search) => sum + search.bytes, 0);
  terminal.line(
    `search for secrets: ${secrets.length} values, ${searches.length} searches, ` +
      `${showBytes(bytes)}, ${tookMs} ms, ` +
      `${problems.length} found in clear`,
  );
  return {
    passed: searches.filter((search) => problemsOf(search).length === 0).length,
    failed: problems.length,
    failures: problems.map((problem) => `search for secrets: ${problem}`),
  };
}

function problemsOf({ name, leaks, failure }: Search): string[] {
  const found = leaks.map(({ secret, place }) => `${secret} is in clear in ${place} (${name})`);
  return failure === null ? found : [...found, `cannot search ${name}: ${failure}`];
}

/** Searches logs, answers and output that the processes of the run have handed over. */
async function searchWritten(
  folder: string,
  secrets: readonly Noted["secrets"][],
): Promise<Search> {
  const startedMs = Date.now();
  const index = new SecretIndex(secrets);
  const leaks = new Leaks();
  await searchTexts(index, notedTexts(folder), leaks);
  await searchTexts(index, outputOf(folder), leaks);
  return {
    name: "what the tests have logged, answered and printed",
    values: index.size,
    bytes: leaks.bytes,
    tookMs: Date.now() - startedMs,
    leaks: leaks.all().filter((leak) => !isByDesign(leak)),
    failure: null,
  };
}

async function* outputOf(folder: string): AsyncGenerator<Place> {
  const text = await Deno.readTextFile(join(folder, OUTPUT_FILE)).catch(() => "");
  yield { name: "the output of the test run", text };
}
