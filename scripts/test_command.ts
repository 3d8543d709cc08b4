import { repositoryRoot } from "../local/paths.ts";
import type { Terminal } from "../local/terminal.ts";
import { failedCheck, FAILURES_TITLE, type Tally } from "./steps.ts";
import { lanesOfMachine } from "./test_options.ts";

/**
 * Runs `deno task test` on a database (all tests, or those in `paths`), on all processors, shows its
 * output, and reads the counts of its last line.
 */
export async function runTestCommand(
  terminal: Terminal,
  database: "embedded" | "system",
  paths: readonly string[] = [],
): Promise<Tally> {
  terminal.line(terminal.style("bold", `== tests, ${database} database`));
  const flags = [`--database=${database}`, `--lanes=${lanesOfMachine()}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/test.ts", ...flags, ...paths],
    cwd: repositoryRoot(),
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let last = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    const text = decoder.decode(chunk, { stream: true });
    // Only the end is kept: that is where the counts are, and what failed.
    last = (last + text).slice(-50_000);
    await Deno.stdout.write(chunk);
  }
  const { success } = await child.status;
  return readTestOutput(last, success) ??
    failedCheck(`tests, ${database} database: they broke off`);
}

/**
 * Reads the end of what `deno task test` prints: what failed, and the counts; null where the counts are
 * missing.
 */
export function readTestOutput(output: string, isSuccess: boolean): Tally | null {
  const counts = /(?:^|\n)(\d+) passed, (\d+) failed\s*$/.exec(output);
  if (counts === null) return null;
  const title = output.lastIndexOf(`${FAILURES_TITLE}\n`);
  const told = title < 0 ? "" : output.slice(title + FAILURES_TITLE.length, counts.index).trim();
  const failed = Number(counts[2]);
  return {
    passed: Number(counts[1]),
    failed: isSuccess ? failed : Math.max(failed, 1),
    failures: told === "" ? [] : [told],
  };
}
