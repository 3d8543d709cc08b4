import type { Terminal } from "../local/terminal.ts";
import { addTallies, NO_TALLY, type Tally } from "./steps.ts";
import { startTestDatabase, type TestDatabase } from "./test_database.ts";
import { groupTests, type TestGroup } from "./test_groups.ts";
import type { TestOptions } from "./test_options.ts";
import { runThenShow } from "./test_output.ts";
import { runTests } from "./test_run.ts";

type RunGroup = (group: TestGroup) => Promise<void>;

/**
 * Runs the tests in several lanes at once, each with a database of its own, and the end-to-end tests
 * beside them; last, and one after the other, those that have to be alone. The output of a group of
 * tests is shown in one piece when the group has ended, and kept in the file `record`.
 */
export async function runInLanes(
  options: TestOptions,
  record: string,
  terminal: Terminal,
): Promise<Tally> {
  const { shared, alone, endToEnd } = await groupTests(options);
  let tally = NO_TALLY;
  const runner = (env: Readonly<Record<string, string>>): RunGroup => async ({ name, files }) => {
    const title = terminal.style("bold", `== ${name}`);
    const counted = await runTests(files, {
      filter: options.filter,
      env,
      run: runThenShow(title, record),
    });
    tally = addTallies(tally, counted);
  };
  const boot = () =>
    startTestDatabase(options.server, (line) => terminal.line(terminal.style("dim", line)));
  const onDatabase = ({ coordinates }: TestDatabase) =>
    runner({ CONNECTOR_TEST_STACK: coordinates });

  // The first boot fetches what this machine lacks; others at the same time would get in its way.
  await using first = await boot();
  terminal.line(terminal.style("dim", `stand-ins: ${first.standIns.join(", ") || "none"}`));
  const waiting = [...shared];
  const laneOfItsOwn = async () => {
    await using database = await boot();
    await takeAll(waiting, onDatabase(database));
  };
  await allEnded([
    takeAll(waiting, onDatabase(first)),
    ...Array.from({ length: options.lanes - 1 }, laneOfItsOwn),
    takeAll([...endToEnd], runner({ CONNECTOR_E2E_DATABASE: options.server })),
  ]);
  await takeAll([...alone], onDatabase(first));
  return tally;
}

/** Takes from a queue, which others may share, until nothing waits in it. */
async function takeAll(waiting: TestGroup[], run: RunGroup): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
}

/** As Promise.all(), but a failure does not leave the others behind at work. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) {
    if (result.status === "rejected") throw result.reason;
  }
}
