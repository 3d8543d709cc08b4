/** `deno task undeploy`: turns the connector's schedule off. */
import { DENO_TASK } from "../local/deno_task.ts";
import { StackError } from "../local/failure.ts";
import { SUPABASE_CLI } from "../local/supabase_cli.ts";
import { readRelations } from "./deploy/database.ts";
import { type DeployDeps, FAILED, liveDeployDeps, REFUSED } from "./deploy/deps.ts";
import { parseUndeployOptions, UNDEPLOY_USAGE, type UndeployOptions } from "./deploy/options.ts";
import { readSchedule, turnOff } from "./deploy/schedule.ts";
import { openTarget, type Target } from "./deploy/target.ts";
import { plainText } from "../local/plain_text.ts";

const REMAINS = `What remains:
  work under way   goes on until no endpoint is due; docs/operations.md, "Switching it off and on", stops it
  the jobs         are off, not gone: select cron.unschedule(jobname) from cron.job where jobname like 'connector-%'
  functions        still answer: npx --yes ${SUPABASE_CLI} functions delete <name>
  secrets          of the functions: npx --yes ${SUPABASE_CLI} secrets unset <NAME>
  Vault            delete from vault.secrets where name like 'connector_%'
  tables           with all that was synced and all tokens: docs/deployment.md, "Removing"
\`${DENO_TASK} deploy\` turns the schedule on again.`;

/** Runs the command; answers its exit status. */
export async function runUndeploy(args: readonly string[], deps: DeployDeps): Promise<number> {
  try {
    const options = parseUndeployOptions(args);
    if (options.isHelp) {
      deps.terminal.line(UNDEPLOY_USAGE);
      return 0;
    }
    await using target = await openTarget(options.target, deps, []);
    if (target.project === null && !target.isDirect) {
      throw new StackError("There is no project: link one, or give --project-ref or --remote-db");
    }
    return await undeploy(options, target, deps);
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    deps.terminal.error(`error: ${plainText(cause.message)}`);
    return REFUSED;
  }
}

async function undeploy(
  { isDryRun }: UndeployOptions,
  { database, project }: Target,
  { terminal }: DeployDeps,
): Promise<number> {
  try {
    if (project !== null) terminal.line(`project ${project.ref} (from ${project.source})`);
    if (!(await readRelations(database)).cron) {
      terminal.line("✓ schedule: there is none");
      return 0;
    }
    const schedule = await readSchedule(database);
    const on = [...schedule].filter(([, state]) => state === "on").map(([name]) => name);
    if (!isDryRun) await turnOff(database, schedule);
    const done = isDryRun ? "would turn off" : "turned off";
    const result = on.length === 0 ? "off" : `${done} ${on.join(", ")}`;
    terminal.line(`${isDryRun ? "·" : "✓"} schedule: ${result}`);
    terminal.line(isDryRun ? "Nothing was changed." : REMAINS);
    return 0;
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    terminal.error(`✗ schedule: ${plainText(cause.message)}`);
    return FAILED;
  }
}

if (import.meta.main) Deno.exit(await runUndeploy(Deno.args, liveDeployDeps()));
