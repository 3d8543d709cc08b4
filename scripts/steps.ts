import { repositoryRoot } from "../local/paths.ts";
import { findFunctionsDeno } from "../local/functions/deno_binary.ts";
import { listFunctions } from "../local/functions/function_list.ts";
import type { Terminal } from "../local/terminal.ts";

/** How many checks passed and how many did not. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Adds two tallies. */
export function addTallies(one: Tally, other: Tally): Tally {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed };
}

/** The line every command of this kind ends with. */
export function tallyLine({ passed, failed }: Tally): string {
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
  if (!isSuccess) terminal.line(terminal.style("red", `${title} failed`));
  return { passed: isSuccess ? 1 : 0, failed: isSuccess ? 0 : 1 };
}

/** Type-checks the functions under the version of Deno they run under on the platform. */
export async function checkFunctionTypes(terminal: Terminal): Promise<Tally> {
  const deno = await findFunctionsDeno();
  const entrypoints = (await listFunctions(repositoryRoot())).map(({ entrypoint }) => entrypoint);
  if (deno.note !== undefined) terminal.line(`note: ${deno.note}`);
  const args = ["check", "--no-lock", "--quiet", ...entrypoints, "local/functions/serve.ts"];
  return await runStep(terminal, `types of the functions, Deno ${deno.version}`, deno.path, args);
}
