/** `deno task endpoint:add`: checks an endpoint that is to be, and adds it. */
import { parseEndpointAddOptions, USAGE } from "./endpoint_add_options.ts";
import { type Ask, newEndpoint } from "./endpoint_questions.ts";
import { printReport, type TestReport } from "./endpoint_test_report.ts";
import type { NewEndpoint } from "./new_endpoint.ts";
import { DENO_TASK } from "../local/deno_task.ts";
import { plainJson, plainText } from "../local/plain_text.ts";
import { refuseUnknownUser } from "./known_user.ts";
import { dataOf, openProject, type ProjectClient } from "./project_client.ts";
import { liveProjectDeps, type ProjectDeps, toStatus } from "./project_command.ts";
import { askTestEndpoint } from "./test_endpoint_call.ts";

/** What the command touches. */
export interface EndpointAddDeps extends ProjectDeps {
  /** `null`: nobody is there to be asked. */
  readonly ask: Ask | null;
}

/** Runs the command; answers its exit status. */
export function runEndpointAdd(args: readonly string[], deps: EndpointAddDeps): Promise<number> {
  const { terminal } = deps;
  return toStatus(terminal, async () => {
    const options = parseEndpointAddOptions(args);
    if (options.isHelp) {
      terminal.line(USAGE);
      return 0;
    }
    const project = await openProject(options, deps);
    const wanted = newEndpoint(options, { terminal, ask: deps.ask, userId: project.userId });
    if (project.userId === null) await refuseUnknownUser(wanted.user_id, project);
    const checks = options.skipsChecks ? null : await check(wanted, project, deps);
    if (checks !== null && !options.isJson) printReport(checks, false, terminal);
    if (checks?.ok === false && !options.isForced) {
      if (options.isJson) terminal.line(plainJson({ endpoint: null, checks }));
      terminal.error("not added: mend what failed, or add it all the same with --force");
      return 1;
    }
    const endpoint = await insert(wanted, project);
    if (options.isJson) terminal.line(plainJson({ endpoint, checks }));
    else terminal.line(success(endpoint, wanted));
    return 0;
  });
}

async function check(
  { endpoint_type, endpoint_config, project_id }: NewEndpoint,
  { access }: ProjectClient,
  { fetch }: ProjectDeps,
): Promise<TestReport> {
  return await askTestEndpoint(access, { endpoint_type, endpoint_config, project_id }, fetch);
}

async function insert(wanted: NewEndpoint, { db, access }: ProjectClient) {
  const inserted = await db.from("endpoints").insert(wanted)
    .select("id, name, endpoint_type, user_id, enabled, schedule_type").single();
  return dataOf(inserted, access);
}

function success(
  { id, name, enabled, schedule_type }: Awaited<ReturnType<typeof insert>>,
  { endpoint_type }: NewEndpoint,
): string {
  const added = `added ${plainText(name)} (${plainText(endpoint_type)}): ${plainText(id)}`;
  if (!enabled) return `${added}\nIt is disabled: set enabled to true when it may be synced.`;
  return schedule_type === "manual"
    ? `${added}\nIt is synced when asked for: ${DENO_TASK} sync:now --id ${plainText(id)}`
    : `${added}\nIts first sync begins at the next full minute: ${DENO_TASK} sync:log --follow`;
}

/** Asks on the terminal, if both ends of it are one. */
function liveAsk(): Ask | null {
  const isTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  return isTerminal ? (question) => prompt(question.trimEnd()) : null;
}

if (import.meta.main) {
  Deno.exit(await runEndpointAdd(Deno.args, { ...liveProjectDeps(), ask: liveAsk() }));
}
