import { join } from "node:path";
import { repositoryRoot } from "../local/paths.ts";
import { addTallies, failedCheck, type Tally } from "./steps.ts";
import type { RunProgram } from "./test_output.ts";
import { readJunit } from "./test_report.ts";

/** How tests are run. */
export interface TestRun {
  readonly filter: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly run: RunProgram;
}

/** Runs the tests of `paths` in one process, and counts them. */
export async function runTests(
  paths: readonly string[],
  { filter, env, run }: TestRun,
): Promise<Tally> {
  const folder = await Deno.makeTempDir({ prefix: "file_connector_report_" });
  const report = join(folder, "report.xml");
  // Types are checked by `deno task ok`; here they would only be checked again and again.
  const flags = ["test", "-A", "--no-check", `--junit-path=${report}`];
  const filters = filter === undefined ? [] : [`--filter=${filter}`];
  const isSuccess = await run(Deno.execPath(), [...flags, ...filters, ...paths], {
    ...env,
    CONNECTOR_TEST_ROOT: repositoryRoot(),
  });
  const tally = readJunit(await Deno.readTextFile(report).catch(() => ""));
  await Deno.remove(folder, { recursive: true });
  // A test file that cannot even be loaded, or a leak, fails the run without failing a test.
  if (isSuccess || tally.failed > 0) return tally;
  return addTallies(tally, failedCheck(`${paths.join(", ")}: the run failed, but no test of it`));
}
