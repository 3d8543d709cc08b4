/** `deno task test`: installs what it needs, boots a database, runs every test, and counts. */
import { join } from "node:path";
import { runCommandLine } from "../local/command.ts";
import { StackError } from "../local/failure.ts";
import { beginNotes } from "../local/leaks/run_folder.ts";
import { repositoryRoot } from "../local/paths.ts";
import { createTerminal } from "../local/terminal.ts";
import { runRecorded } from "./recorded.ts";
import { OUTPUT_FILE, searchRun } from "./secret_search.ts";
import { addTallies, checkFunctionTypes, type Tally, tallyLine } from "./steps.ts";
import { parseTestOptions, TEST_USAGE, type TestOptions } from "./test_options.ts";
import { readJunit } from "./test_report.ts";
import { startTestDatabase } from "./test_database.ts";

const NOTHING: Tally = { passed: 0, failed: 0 };
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
  let tally = NOTHING;
  if (options.paths.length > 0) tally = addTallies(tally, await withDatabase(options, folder));
  if (options.endToEndPaths.length > 0) {
    const { endToEndPaths, server } = options;
    const env = { CONNECTOR_E2E_DATABASE: server };
    tally = addTallies(tally, await runTests(endToEndPaths, options, folder, env));
  }
  if (tally.passed + tally.failed === 0) throw new StackError("No test has run");
  tally = addTallies(tally, await searchRun(folder, terminal, options));
  if (options.isEverything) tally = addTallies(tally, await checkFunctionTypes(terminal));
  terminal.line(tallyLine(tally));
  return tally.failed === 0 ? 0 : 1;
}

async function withDatabase(options: TestOptions, folder: string): Promise<Tally> {
  const log = (line: string) => terminal.line(terminal.style("dim", line));
  await using database = await startTestDatabase(options.server, log);
  log(`stand-ins: ${database.standIns.join(", ") || "none"}`);
  const env = { CONNECTOR_TEST_STACK: database.coordinates };
  return await runTests(options.paths, options, folder, env);
}

async function runTests(
  paths: readonly string[],
  options: TestOptions,
  secretsFolder: string,
  env: Readonly<Record<string, string>>,
): Promise<Tally> {
  const folder = await Deno.makeTempDir({ prefix: "file_connector_report_" });
  const report = join(folder, "report.xml");
  // Types are checked by `deno task ok`; here they would only be checked again and again.
  const flags = ["test", "-A", "--no-check", `--junit-path=${report}`];
  const filter = options.filter === undefined ? [] : [`--filter=${options.filter}`];
  const isSuccess = await runRecorded(
    Deno.execPath(),
    [...flags, ...filter, ...paths],
    { ...env, CONNECTOR_TEST_ROOT: repositoryRoot() },
    join(secretsFolder, OUTPUT_FILE),
  );
  const tally = readJunit(await Deno.readTextFile(report).catch(() => ""));
  await Deno.remove(folder, { recursive: true });
  // A test file that cannot even be loaded, or a leak, fails the run without failing a test.
  return isSuccess || tally.failed > 0 ? tally : addTallies(tally, { passed: 0, failed: 1 });
}

await runCommandLine(main);
