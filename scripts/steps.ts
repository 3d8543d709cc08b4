import { repositoryRoot } from "../local/paths.ts";
import { findFunctionsDeno } from "../local/functions/deno_binary.ts";
import { listFunctions } from "../local/functions/function_list.ts";
import type { Terminal } from "../local/terminal.ts";

/** How many checks passed and how many did not. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** What is known of each failure: its name first, then why, in lines. */
  readonly failures: readonly string[];
}

/** Nothing was checked yet. */
export const NO_TALLY: Tally = { passed: 0, failed: 0, failures: [] };

/** A check that failed, with what is known of it. */
export function failedCheck(failure: string): Tally {
  return { passed: 0, failed: 1, failures: [failure] };
}

/** Adds two tallies. */
export function addTallies(one: Tally, other: Tally): Tally {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    failures: [...one.failures, ...other.failures],
  };
}

/** The line above what failed, where anything did. */
export const FAILURES_TITLE = "== what failed";

/**
 * The lines every command of this kind ends with: what failed, which may stand far above in the output
 * of the tests, and the counts.
 */
export function showTally(terminal: Terminal, tally: Tally): void {
  if (tally.failures.length > 0) {
    terminal.line(terminal.style("bold", FAILURES_TITLE));
    for (const failure of tally.failures) terminal.line(failure);
  }
  terminal.line(tallyLine(tally));
}

function tallyLine({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

/** Runs a program in the repository's root, its output going where ours goes; true on success. */
export async function runVisibly(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: repositoryRoot(),
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system", ...env },
    stdin: "null",
  }).spawn();
  return (await child.status).success;
}

/** Runs one named step as a check of its own. */
export async function runStep(
  terminal: Terminal,
  title: string,
  command: string,
  args: readonly string[],
): Promise<Tally> {
  terminal.line(terminal.style("bold", `== ${title}`));
  const isSuccess = await runVisibly(command, args);
  if (isSuccess) return { ...NO_TALLY, passed: 1 };
  terminal.line(terminal.style("red", `${title} failed`));
  return failedCheck(title);
}

/** Type-checks the functions under the version of Deno they run under on the platform. */
export async function checkFunctionTypes(terminal: Terminal): Promise<Tally> {
  const deno = await findFunctionsDeno();
  const entrypoints = (await listFunctions(repositoryRoot())).map(({ entrypoint }) => entrypoint);
  if (deno.note !== undefined) terminal.line(`note: ${deno.note}`);
  const args = ["check", "--no-lock", "--quiet", ...entrypoints, "local/functions/serve.ts"];
  return await runStep(terminal, `types of the functions, Deno ${deno.version}`, deno.path, args);
}
