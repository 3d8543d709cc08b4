/** `deno task endpoint:test`: checks step by step whether an endpoint can be synced. */
import { join } from "node:path";
import { z } from "zod";
import { oneLine, StackError } from "../local/failure.ts";
import { repositoryRoot } from "../local/paths.ts";
import { createTerminal, type Terminal } from "../local/terminal.ts";
import { parseEndpointTestOptions, type TestRequest, USAGE } from "./endpoint_test_options.ts";
import { printReport, TestReport } from "./endpoint_test_report.ts";
import { plainText } from "../local/plain_text.ts";
import { findProject, type ProjectAccess, type ProjectSources } from "./project_access.ts";

/** The function answers within 25 seconds, plus what the way takes. */
const LONGEST_WAIT_MS = 45_000;

/** Status of wrong use, or of a function that cannot be reached. */
const UNUSABLE = 2;

const Refusal = z.object({ code: z.string(), message: z.string() });

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
    const report = await ask(project, options.request, deps.fetch);
    printReport(report, options.isJson, deps.terminal);
    return report.ok ? 0 : 1;
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    deps.terminal.error(`error: ${plainText(cause.message)}`);
    return UNUSABLE;
  }
}

async function ask(
  { url, headers, source }: ProjectAccess,
  request: TestRequest,
  fetch: EndpointTestDeps["fetch"],
): Promise<TestReport> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(`${url}/functions/v1/test-endpoint`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(request),
      // The key goes to the project and nowhere else.
      redirect: "error",
      signal: AbortSignal.timeout(LONGEST_WAIT_MS),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw new StackError(`Cannot reach ${url} (from ${source}): ${oneLine(cause)}`, { cause });
  }
  const body = parseJson(text);
  const report = TestReport.safeParse(body);
  if (status === 200 && report.success) return report.data;
  throw refused(status, body);
}

function refused(status: number, body: unknown): StackError {
  const refusal = Refusal.safeParse(body);
  // The gateway has no code "not_found" of its own: without one of ours there is no function.
  if (status === 404 && refusal.data?.code !== "not_found") {
    return new StackError(
      "The function test-endpoint is not deployed: run `supabase functions deploy test-endpoint`",
    );
  }
  if (refusal.success) return new StackError(`${refusal.data.code}: ${refusal.data.message}`);
  return new StackError(
    `The function test-endpoint answered with HTTP status ${status} and no report: look whether ` +
      "the address is that of the project, and into the function's logs",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page: the status says enough.
    return null;
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
