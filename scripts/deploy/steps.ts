/** The steps of a deployment, in their order. */
import { listFunctions } from "../../local/functions/function_list.ts";
import { StackError } from "../../local/failure.ts";
import { VERSION } from "../../supabase/functions/_shared/version.ts";
import type { DeployPlan } from "./checks.ts";
import { withPrivateFile } from "./database.ts";
import type { DeployDeps } from "./deps.ts";
import { waitForHealth } from "./health.ts";
import { listPendingMigrations } from "./migrations.ts";
import { JOBS, readSchedule, turnOn } from "./schedule.ts";
import { writeEnvFile } from "./settings.ts";
import type { Target } from "./target.ts";
import { compareVault, writeVault } from "./vault.ts";

/** What a step works with. */
export interface StepContext {
  readonly plan: DeployPlan;
  readonly target: Target;
  readonly deps: DeployDeps;
}

/** What came of a step, in a line for people. */
export type StepResult = string | { readonly warning: string };

/** One step: what it would do, and doing it. */
export interface Step {
  readonly name: string;
  preview(context: StepContext): Promise<string>;
  run(context: StepContext): Promise<StepResult>;
}

/**
 * Migrations come before functions, as new functions call new SQL, while the functions that are there
 * go on with the new schema. They come before secrets and Vault too: one that fails leaves a running
 * project as it was. Secrets and Vault, which share the dispatch token, are set one after the other:
 * a tick between them is refused, and the next one makes up for it.
 *
 * The migrations schedule the tick, so in a fresh project it runs before there are functions. It calls
 * them only for endpoints that are due, and a fresh project has none. Where the schedule was turned
 * off, it stays off until everything else is in place.
 */
export const STEPS: readonly Step[] = [
  { name: "migrations", preview: previewMigrations, run: pushMigrations },
  { name: "secrets", preview: previewSecrets, run: setSecrets },
  { name: "vault", preview: previewVault, run: updateVault },
  { name: "functions", preview: previewFunctions, run: deployFunctions },
  { name: "schedule", preview: previewSchedule, run: turnScheduleOn },
  { name: "health", preview: previewHealth, run: checkHealth },
];

async function previewMigrations({ plan, target, deps }: StepContext): Promise<string> {
  const names = await listPendingMigrations(deps.root, target.database, plan.relations.migrations);
  return names.length === 0 ? "nothing new" : `would apply ${names.length}: ${names.join(", ")}`;
}

async function pushMigrations({ plan, target, deps }: StepContext): Promise<string> {
  const names = await listPendingMigrations(deps.root, target.database, plan.relations.migrations);
  // Even with nothing new: the CLI refuses a checkout that is older than the database.
  await target.cli.run(["db", "push", target.remoteFlag, "--skip-vault", "--yes"]);
  return names.length === 0 ? "nothing new" : `applied ${names.length}: ${names.join(", ")}`;
}

function previewSecrets({ plan }: StepContext): Promise<string> {
  return Promise.resolve(`would set ${Object.keys(plan.secrets).sort().join(", ")}`);
}

async function setSecrets({ plan, target }: StepContext): Promise<string> {
  await withPrivateFile(
    writeEnvFile(plan.secrets),
    (file) => target.cli.run(["secrets", "set", "--env-file", file, "--yes"]),
  );
  return `set ${Object.keys(plan.secrets).sort().join(", ")}`;
}

async function previewVault({ plan, target }: StepContext): Promise<string> {
  if (!plan.relations.vault) return `would write ${Object.keys(plan.vault).join(", ")}`;
  const differences = await compareVault(target.database, plan.vault);
  if (differences.length === 0) return "as it should be";
  return `would write ${differences.map(({ name, state }) => `${name} (${state})`).join(", ")}`;
}

async function updateVault({ plan, target }: StepContext): Promise<string> {
  const differences = await compareVault(target.database, plan.vault);
  await writeVault(target.database, plan.vault, differences);
  if (differences.length === 0) return "as it should be";
  return `wrote ${differences.map(({ name }) => name).join(", ")}`;
}

async function previewFunctions({ deps }: StepContext): Promise<string> {
  return `would deploy ${await namesOfFunctions(deps)}`;
}

async function deployFunctions({ target, deps }: StepContext): Promise<string> {
  await target.cli.run(["functions", "deploy", "--use-api", "--yes"]);
  return `deployed ${await namesOfFunctions(deps)}`;
}

async function namesOfFunctions({ root }: DeployDeps): Promise<string> {
  return (await listFunctions(root)).map(({ slug }) => slug).join(", ");
}

async function previewSchedule({ plan, target }: StepContext): Promise<string> {
  const names = plan.relations.cron
    ? [...await readSchedule(target.database)].filter(([, state]) => state !== "on")
      .map(([name]) => name)
    : JOBS.map(({ name }) => name);
  return names.length === 0 ? "on" : `would turn on ${names.join(", ")}`;
}

async function turnScheduleOn({ target }: StepContext): Promise<string> {
  const changed = await turnOn(target.database, await readSchedule(target.database));
  return changed.length === 0 ? "on" : `turned on ${changed.join(", ")}`;
}

function previewHealth({ plan }: StepContext): Promise<string> {
  return Promise.resolve(`would ask ${plan.functionsUrl}/health`);
}

async function checkHealth({ plan, deps }: StepContext): Promise<StepResult> {
  const { status, message } = await waitForHealth(plan.functionsUrl, VERSION, deps);
  if (status === "ok") return "ok";
  if (status === "degraded") return { warning: `degraded: ${message}` };
  throw new StackError(
    `${plan.functionsUrl}/health: ${status}: ${message} (docs/operations.md, "Nothing is synced")`,
  );
}
