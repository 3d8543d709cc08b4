/** `deno task test`: installs what it needs, boots databases, runs every test, and counts. */
import { join } from "node:path";
import { runCommandLine } from "../local/command.ts";
import { StackError } from "../local/failure.ts";
import { beginNotes } from "../local/leaks/run_folder.ts";
import { createTerminal } from "../local/terminal.ts";
import { OUTPUT_FILE, searchRun } from "./secret_search.ts";
import { addTallies, checkFunctionTypes, NO_TALLY, showTally, type Tally } from "./steps.ts";
import { startTestDatabase } from "./test_database.ts";
import { runInLanes } from "./test_lanes.ts";
import { parseTestOptions, TEST_USAGE, type TestOptions } from "./test_options.ts";
import { runRecorded } from "./test_output.ts";
import { runTests } from "./test_run.ts";

const terminal = createTerminal();

async function main(): Promise<number> {
  const options = await parseTestOptions(Deno.args);
  if (options.isHelp) {
    terminal.line(TEST_USAGE);
    return 0;
  }
  // What is issued and written in the run, to be searched in the end; nobody else may read it.
  const folder = await Deno.makeTempDir({ prefix: "file_connector_secrets_" });
  try {
    beginNotes(folder);
    return await runEverything(options, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runEverything(options: TestOptions, folder: string): Promise<number> {
  const record = join(folder, OUTPUT_FILE);
  const run = options.lanes > 1
    ? runInLanes(options, record, terminal)
    : runInTurn(options, record);
  let tally = await run;
  if (tally.passed + tally.failed === 0) throw new StackError("No test has run");
  tally = addTallies(tally, await searchRun(folder, terminal, options));
  if (options.isEverything) tally = addTallies(tally, await checkFunctionTypes(terminal));
  showTally(terminal, tally);
  return tally.failed === 0 ? 0 : 1;
}

async function runInTurn(
  { paths, endToEndPaths, filter, server }: TestOptions,
  record: string,
): Promise<Tally> {
  const run = runRecorded(record);
  let tally = NO_TALLY;
  if (paths.length > 0) {
    const log = (line: string) => terminal.line(terminal.style("dim", line));
    await using database = await startTestDatabase(server, log);
    log(`stand-ins: ${database.standIns.join(", ") || "none"}`);
    const env = { CONNECTOR_TEST_STACK: database.coordinates };
    tally = addTallies(tally, await runTests(paths, { filter, env, run }));
  }
  if (endToEndPaths.length > 0) {
    const env = { CONNECTOR_E2E_DATABASE: server };
    tally = addTallies(tally, await runTests(endToEndPaths, { filter, env, run }));
  }
  return tally;
}

await runCommandLine(main);
