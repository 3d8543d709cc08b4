/** The project a command works on: found, and reached. */
import { z } from "zod";
import { StackError } from "../../local/failure.ts";
import { SUPABASE_CLI } from "../../local/supabase_cli.ts";
import { type Cli, createCli } from "./cli.ts";
import { connectDirectly, connectThroughCli, type Database } from "./database.ts";
import type { DeployDeps } from "./deps.ts";
import type { TargetOptions } from "./options.ts";
import { findProjectRef, type Project } from "./project.ts";
import { createRedactor } from "./redact.ts";

const NOT_LOGGED_IN = /access token not provided/i;
const Secrets = z.object({ secrets: z.array(z.object({ name: z.string() })) });

/** A project with its two doors. */
export interface Target extends AsyncDisposable {
  readonly project: Project | null;
  readonly cli: Cli;
  readonly database: Database;
  /** What the CLI is told about the database. */
  readonly remoteFlag: string;
  readonly isDirect: boolean;
}

/** Finds the project; `secrets` are values that no message may show. */
export async function openTarget(
  { projectRef, remoteDb }: TargetOptions,
  { env, root }: DeployDeps,
  secrets: readonly string[],
): Promise<Target> {
  const project = await findProjectRef(projectRef, env, root);
  refuseOtherProject(project, remoteDb);
  const redact = createRedactor([
    ...secrets,
    ...["SUPABASE_ACCESS_TOKEN", "SUPABASE_DB_PASSWORD"].flatMap((name) => env[name] ?? []),
    ...(remoteDb === undefined ? [] : [remoteDb, URL.parse(remoteDb)?.password ?? ""]),
  ]);
  const cli = createCli({ root, env, projectRef: project?.ref ?? null, redact });
  const database = remoteDb === undefined
    ? connectThroughCli(cli)
    : connectDirectly(remoteDb, redact);
  return {
    project,
    cli,
    database,
    remoteFlag: remoteDb === undefined ? "--remote" : `--remote=${remoteDb}`,
    isDirect: remoteDb !== undefined,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Migrations in one project and functions in another would be hard to find out later. */
function refuseOtherProject(project: Project | null, remoteDb: string | undefined): void {
  const url = remoteDb === undefined ? null : URL.parse(remoteDb);
  if (project === null || url === null) return;
  const named = /^db\.([a-z]{20})\.supabase\.co$/.exec(url.hostname)?.[1] ??
    /^postgres\.([a-z]{20})$/.exec(decodeURIComponent(url.username))?.[1];
  if (named === undefined || named === project.ref) return;
  throw new StackError(
    `Cannot use --remote-db as it is the database of ${named}, and the project is ${project.ref} ` +
      `(from ${project.source})`,
  );
}

/**
 * Asks the project something as the person who is logged in: the names of its functions' secrets.
 * Answers what is wrong where it does not answer.
 */
export async function checkLogin(
  { cli, project }: Target,
): Promise<{ readonly names: readonly string[] } | { readonly problem: string }> {
  try {
    if (project === null) {
      await cli.run(["projects", "list", "--output-format", "json"]);
      return { names: [] };
    }
    const out = await cli.run(["secrets", "list", "--output-format", "json"]);
    return { names: Secrets.parse(JSON.parse(out)).secrets.map(({ name }) => name) };
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    if (NOT_LOGGED_IN.test(cause.message)) {
      return {
        problem: `You are not logged in: run \`npx --yes ${SUPABASE_CLI} login\`, or set ` +
          "SUPABASE_ACCESS_TOKEN",
      };
    }
    const whose = project === null ? "your projects" : `the project ${project.ref}`;
    return { problem: `Cannot reach ${whose} with this login: ${cause.message}` };
  }
}
