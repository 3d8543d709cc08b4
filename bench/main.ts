/** `deno task bench`: the table of what the connector promises of its speed. */
import { runCommandLine } from "../local/command.ts";
import { oneLine } from "../local/failure.ts";
import { createTerminal } from "../local/terminal.ts";
import { describeMachine } from "./machine.ts";
import { BENCH_USAGE, parseBenchOptions } from "./options.ts";
import { reportLines, toMarkdown } from "./report.ts";
import { writeSection } from "./results.ts";
import type { Measured } from "./row.ts";
import { ROWS } from "./rows.ts";
import { createWorld } from "./world.ts";

const terminal = createTerminal();

async function main(): Promise<number> {
  const known = ROWS.map(({ name }) => name);
  const options = parseBenchOptions(Deno.args, known);
  if (options.isHelp) {
    terminal.line(BENCH_USAGE + known.join(", "));
    return 0;
  }
  const say = (line: string) => terminal.line(terminal.style("dim", line));
  const sizes = { rounds: options.rounds, scale: options.isQuick ? 0.1 : 1 };
  await using world = await createWorld(sizes, say);
  const wanted = ROWS.filter(({ name }) =>
    options.rows.length === 0 || options.rows.includes(name)
  );
  const measured: Measured[] = [];
  let failures = 0;
  for (const row of wanted) {
    say(`measuring ${row.name}`);
    try {
      measured.push({ row, results: await row.measure(world) });
    } catch (cause) {
      // The others are worth having all the same.
      failures += 1;
      terminal.error(`${row.name}: ${oneLine(cause)}`);
    }
  }
  const machine = await describeMachine(world);
  for (const line of reportLines(measured)) terminal.line(line);
  terminal.line(machine.join("; "));
  if (wanted.length === ROWS.length && !options.isQuick && failures === 0) {
    const section = toMarkdown(measured, machine, options.rounds);
    terminal.line(await writeSection("Benchmark", section));
  }
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) await runCommandLine(main);
