/** What must be right before anything is changed. All that is not is found in one go. */
import { StackError } from "../../local/failure.ts";
import { SUPABASE_CLI } from "../../local/supabase_cli.ts";
import { findFunctionsUrl, findLocalAddresses, projectAddress } from "./addresses.ts";
import { readRelations, type Relations } from "./database.ts";
import { DISPATCH_TOKEN, functionSecrets, type Settings } from "./settings.ts";
import { checkSettings } from "./settings_problems.ts";
import { checkLogin, type Target } from "./target.ts";
import type { VaultSecrets } from "./vault.ts";

/** Read in place of a reference while there is none, so that the rest can be checked. */
const NO_REF = "<project>";

/** Why there will be no deployment. */
export interface Refusal {
  /** The first line of each says what is wrong; those that follow belong to it. */
  readonly problems: readonly string[];
  /** Sentences that may say why. */
  readonly notes: readonly string[];
}

/** What a deployment will do, once nothing speaks against it. */
export interface DeployPlan {
  /** The functions' secrets. */
  readonly secrets: Settings;
  readonly vault: VaultSecrets;
  readonly functionsUrl: string;
  readonly relations: Relations;
  /** Sentences that are no problem, and worth a look. */
  readonly notes: readonly string[];
  /** What was found to be right, in a line. */
  readonly summary: string;
}

/** Checks everything; answers what is wrong, or the plan. */
export async function checkAll(
  target: Target,
  settings: Settings | { readonly problem: string },
): Promise<Refusal | DeployPlan> {
  const project = checkProject(target);
  const local = "problem" in settings
    ? { problems: [settings.problem], notes: [] }
    : checkLocally(settings, target.project?.ref ?? NO_REF);
  const login = await checkLogin(target);
  const database = await checkDatabase(target, "problem" in login);
  const problems = [
    ...project,
    ...("problems" in local ? local.problems : []),
    ...("problem" in login ? [login.problem] : []),
    ...("problem" in database ? [database.problem] : []),
  ].filter((problem) => problem !== "");
  if ("problems" in local || "problem" in login || "problem" in database || problems.length > 0) {
    return { problems, notes: local.notes };
  }
  const known = new Set(Object.keys(local.secrets));
  const staying = login.names.filter((name) => name.startsWith("CONNECTOR_") && !known.has(name));
  const stay = staying.length === 0
    ? []
    : [`not among these settings, and left as they are in the project: ${staying.join(", ")}`];
  return { ...local, relations: database.relations, notes: [...local.notes, ...stay] };
}

function checkProject({ project }: Target): string[] {
  if (project !== null) return [];
  return [
    `There is no project: run \`npx --yes ${SUPABASE_CLI} link --project-ref <ref>\`, or give ` +
    "--project-ref",
  ];
}

function checkLocally(
  settings: Settings,
  ref: string,
): Refusal | Omit<DeployPlan, "relations"> {
  const url = findFunctionsUrl(settings, ref);
  const report = checkSettings(settings, projectAddress(ref === NO_REF ? "a".repeat(20) : ref));
  const problems = [
    ...report.problems,
    ...("problem" in url ? [url.problem] : []),
    ...findLocalAddresses(settings),
  ];
  const misspelt = report.unread.length === 0
    ? []
    : [`no function asks for ${report.unread.join(", ")}: misspelt?`];
  if ("problem" in url || problems.length > 0) return { problems, notes: misspelt };
  const secrets = functionSecrets(settings);
  const count = Object.keys(secrets).length;
  return {
    secrets,
    functionsUrl: url.url,
    vault: {
      connector_functions_url: url.url,
      connector_dispatch_token: settings[DISPATCH_TOKEN] ?? "",
    },
    notes: [...(url.note === undefined ? [] : [url.note]), ...misspelt],
    summary: `${count} settings; ${report.providers.join(" and ")}`,
  };
}

async function checkDatabase(
  { database, isDirect }: Target,
  isLoginMissing: boolean,
): Promise<{ readonly relations: Relations } | { readonly problem: string }> {
  // Through the CLI it needs the login: one sentence about that is enough.
  if (isLoginMissing && !isDirect) return { problem: "" };
  try {
    return { relations: await readRelations(database) };
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    return { problem: `Cannot reach the project's database: ${cause.message}` };
  }
}
