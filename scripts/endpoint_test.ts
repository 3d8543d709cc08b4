/** `deno task endpoint:test`: checks step by step whether an endpoint can be synced. */
import { join } from "node:path";
import { StackError } from "../local/failure.ts";
import { repositoryRoot } from "../local/paths.ts";
import { createTerminal, type Terminal } from "../local/terminal.ts";
import { parseEndpointTestOptions, USAGE } from "./endpoint_test_options.ts";
import { printReport } from "./endpoint_test_report.ts";
import { plainText } from "../local/plain_text.ts";
import { findProject, type ProjectSources } from "./project_access.ts";
import { askTestEndpoint } from "./test_endpoint_call.ts";

/** Status of wrong use, or of a function that cannot be reached. */
const UNUSABLE = 2;

/** What the command touches. */
export interface EndpointTestDeps extends Pick<ProjectSources, "env" | "envFile"> {
  readonly terminal: Terminal;
  readonly fetch: typeof fetch;
}

/** Runs the command; answers its exit status. */
export async function runEndpointTest(
  args: readonly string[],
  deps: EndpointTestDeps,
): Promise<number> {
  try {
    const options = parseEndpointTestOptions(args);
    if (options.isHelp) {
      deps.terminal.line(USAGE);
      return 0;
    }
    const project = await findProject(options.project, { ...deps, stateDir: options.stateDir });
    // Apart from the report, which may go into a file or another program.
    deps.terminal.error(`asking ${project.url} (from ${project.source})`);
    const report = await askTestEndpoint(project, options.request, deps.fetch);
    printReport(report, options.isJson, deps.terminal);
    return report.ok ? 0 : 1;
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    deps.terminal.error(`error: ${plainText(cause.message)}`);
    return UNUSABLE;
  }
}

if (import.meta.main) {
  Deno.exit(
    await runEndpointTest(Deno.args, {
      terminal: createTerminal(),
      fetch: globalThis.fetch,
      env: (name) => Deno.env.get(name),
      envFile: join(repositoryRoot(), ".env"),
    }),
  );
}
