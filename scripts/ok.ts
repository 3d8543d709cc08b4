/**
 * `deno task ok`: format, lint, types and all tests; and where Debian's server is, those once more that
 * depend on the server.
 */
import { runCommandLine } from "../local/command.ts";
import { hasSystemPostgres } from "../local/database.ts";
import { parseFlags } from "../local/flags.ts";
import { repositoryRoot } from "../local/paths.ts";
import { createTerminal } from "../local/terminal.ts";
import { addTallies, NO_TALLY, runStep, showTally } from "./steps.ts";
import { runTestCommand } from "./test_command.ts";

const USAGE = `deno task ok

Checks format, lint and types, and runs all tests: on the embedded database, and those that depend on
the server on Debian's as well where it is installed. Takes about fifteen minutes.
The last line is "N passed, N failed"; status 1 where something failed.

  --help  this text`;

const terminal = createTerminal();

async function main(): Promise<number> {
  if (parseFlags(Deno.args, { help: { type: "boolean", short: "h" } }).help) {
    terminal.line(USAGE);
    return 0;
  }
  const deno = Deno.execPath();
  let tally = NO_TALLY;
  const step = async (title: string, ...args: string[]) => {
    tally = addTallies(tally, await runStep(terminal, title, deno, args));
  };
  await step("format", "fmt", "--check");
  await step("lint", "lint");
  await step("types", "check", "--quiet", ...await sourceFolders());
  tally = addTallies(tally, await runTestCommand(terminal, "embedded"));
  if (await hasSystemPostgres()) {
    tally = addTallies(tally, await runTestCommand(terminal, "system", await serverTests()));
  } else {
    terminal.line("note: no PostgreSQL server of Debian here: the tests ran on the embedded one");
  }
  showTally(terminal, tally);
  return tally.failed === 0 ? 0 : 1;
}

async function sourceFolders(): Promise<string[]> {
  const folders: string[] = [];
  for (const name of ["client", "local", "scripts", "supabase/functions", "tests", "bench"]) {
    const info = await Deno.stat(`${repositoryRoot()}/${name}`).catch(() => null);
    if (info?.isDirectory) folders.push(`${name}/`);
  }
  return folders;
}

/**
 * The tests that could come out otherwise on another server: SQL, what drives it, and the whole
 * chain. The tables of cases are about providers and would only say the same thing again.
 */
async function serverTests(): Promise<string[]> {
  const paths = ["tests/db", "tests/local/database", "tests/e2e/start_test.ts"];
  for await (const { name } of Deno.readDir(`${repositoryRoot()}/tests/sync`)) {
    if (name.endsWith("_test.ts") || name.endsWith("model")) paths.push(`tests/sync/${name}`);
  }
  return paths.sort();
}

await runCommandLine(main);
