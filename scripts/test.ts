/** `deno task test`: installs what it needs, boots a database, runs every test, and counts. */
import { runCommandLine } from "../local/command.ts";
import { StackError } from "../local/failure.ts";
import { createTerminal } from "../local/terminal.ts";
import { addTallies, checkFunctionTypes, type Tally, tallyLine } from "./steps.ts";
import { parseTestOptions, TEST_USAGE, type TestOptions } from "./test_options.ts";
import { startTestDatabase } from "./test_database.ts";
import { runInLanes } from "./test_lanes.ts";
import { runTests } from "./test_run.ts";

const NOTHING: Tally = { passed: 0, failed: 0 };
const terminal = createTerminal();

async function main(): Promise<number> {
  const options = await parseTestOptions(Deno.args);
  if (options.isHelp) {
    terminal.line(TEST_USAGE);
    return 0;
  }
  let tally = await (options.lanes > 1 ? runInLanes(options, terminal) : runInTurn(options));
  if (options.isEverything) tally = addTallies(tally, await checkFunctionTypes(terminal));
  if (tally.passed + tally.failed === 0) throw new StackError("No test has run");
  terminal.line(tallyLine(tally));
  return tally.failed === 0 ? 0 : 1;
}

async function runInTurn({ paths, endToEndPaths, filter, server }: TestOptions): Promise<Tally> {
  let tally = NOTHING;
  if (paths.length > 0) {
    const log = (line: string) => terminal.line(terminal.style("dim", line));
    await using database = await startTestDatabase(server, log);
    log(`stand-ins: ${database.standIns.join(", ") || "none"}`);
    const env = { CONNECTOR_TEST_STACK: database.coordinates };
    tally = addTallies(tally, await runTests(paths, { filter, env }));
  }
  if (endToEndPaths.length > 0) {
    const env = { CONNECTOR_E2E_DATABASE: server };
    tally = addTallies(tally, await runTests(endToEndPaths, { filter, env }));
  }
  return tally;
}

await runCommandLine(main);
