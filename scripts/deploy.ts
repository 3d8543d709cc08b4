/** `deno task deploy`: takes a Supabase project to a running connector. */
import { DENO_TASK } from "../local/deno_task.ts";
import { StackError } from "../local/failure.ts";
import { checkAll, type DeployPlan } from "./deploy/checks.ts";
import { type DeployDeps, FAILED, liveDeployDeps, REFUSED } from "./deploy/deps.ts";
import { DEPLOY_USAGE, type DeployOptions, parseDeployOptions } from "./deploy/options.ts";
import { readSettings } from "./deploy/settings.ts";
import { type StepResult, STEPS } from "./deploy/steps.ts";
import { openTarget, type Target } from "./deploy/target.ts";
import { plainText } from "../local/plain_text.ts";

const NEXT = `Next: add an endpoint (README.md), and check it with \`${DENO_TASK} endpoint:test\`.
For people's own accounts, enter the redirect address in the providers' consoles (docs/oauth-setup.md).
\`${DENO_TASK} undeploy\` turns the schedule off.`;

/** Runs the command; answers its exit status. */
export async function runDeploy(args: readonly string[], deps: DeployDeps): Promise<number> {
  try {
    const options = parseDeployOptions(args, deps.root);
    if (options.isHelp) {
      deps.terminal.line(DEPLOY_USAGE);
      return 0;
    }
    return await deploy(options, deps);
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    deps.terminal.error(`error: ${plainText(cause.message)}`);
    return REFUSED;
  }
}

async function deploy(options: DeployOptions, deps: DeployDeps): Promise<number> {
  const { terminal } = deps;
  const settings = await readSettings(options.envFile);
  const values = "problem" in settings ? [] : Object.values(settings);
  await using target = await openTarget(options.target, deps, values);
  if (target.project !== null) {
    terminal.line(`project ${target.project.ref} (from ${target.project.source})`);
  }
  const plan = await checkAll(target, settings);
  if ("problems" in plan) {
    for (const problem of plan.problems) terminal.error(problemLines(problem));
    for (const note of plan.notes) terminal.error(`! ${plainText(note)}`);
    terminal.error("Nothing was changed.");
    return REFUSED;
  }
  terminal.line(`✓ checks: ${plainText(plan.summary)}`);
  for (const note of plan.notes) terminal.line(`! ${plainText(note)}`);
  return await runSteps(plan, target, deps, options.isDryRun);
}

function problemLines(problem: string): string {
  const [first = "", ...rest] = problem.split("\n").map(plainText);
  return [`✗ ${first}`, ...rest.map((line) => `    ${line}`)].join("\n");
}

async function runSteps(
  plan: DeployPlan,
  target: Target,
  deps: DeployDeps,
  isDryRun: boolean,
): Promise<number> {
  const { terminal } = deps;
  const context = { plan, target, deps };
  for (const step of STEPS) {
    try {
      const result = await (isDryRun ? step.preview(context) : step.run(context));
      terminal.line(lineOf(step.name, result, isDryRun));
    } catch (cause) {
      if (!(cause instanceof StackError)) throw cause;
      terminal.error(`✗ ${step.name}: ${plainText(cause.message)}`);
      terminal.error("What is done stays done. Mend this, and run the command again.");
      return FAILED;
    }
  }
  terminal.line(isDryRun ? "Nothing was changed." : NEXT);
  return 0;
}

function lineOf(name: string, result: StepResult, isDryRun: boolean): string {
  if (typeof result !== "string") return `! ${name}: ${plainText(result.warning)}`;
  return `${isDryRun ? "·" : "✓"} ${name}: ${plainText(result)}`;
}

if (import.meta.main) Deno.exit(await runDeploy(Deno.args, liveDeployDeps()));
