/** `deno task new:provider NAME`: writes the skeleton of a provider. */
import { parseArgs } from "node:util";
import { runCommandLine } from "../local/command.ts";
import { oneLine, UsageError } from "../local/failure.ts";
import { repositoryRoot } from "../local/paths.ts";
import { runCommand } from "../local/processes.ts";
import { createTerminal } from "../local/terminal.ts";
import { toProviderName } from "./provider_name.ts";
import { scaffoldProvider } from "./provider_scaffold.ts";

const USAGE = `deno task new:provider NAME

Writes the skeleton of a provider that compiles and passes its tests: its folder, its line in the
registry, its function, its stanza in config.toml, its row in the README, a migration that makes its
type known to the database, and data for the contract tests. CONTRIBUTING.md goes on from there.

NAME is the endpoint_type, such as acme_files.`;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { help: { type: "boolean" } },
      allowPositionals: true,
    });
  } catch (cause) {
    throw new UsageError(`${oneLine(cause)} (see --help)`, { cause });
  }
}

async function main(): Promise<number> {
  const terminal = createTerminal();
  const { values, positionals: [name, ...more] } = parse(Deno.args);
  if (values.help === true) {
    terminal.line(USAGE);
    return 0;
  }
  if (name === undefined || more.length > 0) throw new UsageError("Give one NAME (see --help)");
  const root = repositoryRoot();
  const paths = await scaffoldProvider(root, name, new Date());
  // The template is formatted; names of another length may break lines elsewhere.
  const formatted = paths.filter((path) => /\.(ts|json|md)$/.test(path));
  await runCommand({
    command: Deno.execPath(),
    args: ["fmt", "--quiet", ...formatted],
    cwd: root,
    signal: AbortSignal.timeout(60_000),
  });
  for (const path of paths) terminal.line(`wrote ${path}`);
  terminal.line(
    `next: CONTRIBUTING.md, "A provider", from step 2 (${toProviderName(name).display})`,
  );
  return 0;
}

await runCommandLine(main);
