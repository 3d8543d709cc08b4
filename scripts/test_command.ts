import { repositoryRoot } from "../local/paths.ts";
import type { Terminal } from "../local/terminal.ts";
import type { Tally } from "./steps.ts";
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
    // Only the end is kept: that is where the counts are.
    last = (last + text).slice(-1_000);
    await Deno.stdout.write(chunk);
  }
  const { success } = await child.status;
  const counts = /(\d+) passed, (\d+) failed\s*$/.exec(last);
  if (counts === null) return { passed: 0, failed: 1 };
  const failed = Number(counts[2]);
  return { passed: Number(counts[1]), failed: success ? failed : Math.max(failed, 1) };
}
