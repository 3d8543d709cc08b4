/** A checkout of its own, and the deploy commands run in it against the fake Management API. */
import { join } from "node:path";
import { createTerminal } from "../../local/terminal.ts";
import { runDeploy } from "../../scripts/deploy.ts";
import { runUndeploy } from "../../scripts/undeploy.ts";
import { VERSION } from "../../supabase/functions/_shared/version.ts";
import {
  ACCESS_TOKEN,
  type FakeManagementApi,
  PROJECT_REF,
  startFakeManagementApi,
} from "./fake_management_api.ts";
import { fromFileUrl } from "./source_tree.ts";
import { readTestStack } from "./test_stack.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const COPIED = ["deno.json", "supabase", "local", "scripts", "tests", "bench"];
/** What a program needs to run at all; nothing of a developer's own project. */
const KEPT = /^(PATH|HOME|DENO_.*|NPM_.*|npm_.*|SSL_CERT_.*|HTTPS?_PROXY|https?_proxy|NO_PROXY)$/;

/** How a command ended, and what it said. */
export interface CommandRun {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** A checkout that can be deployed. */
export interface DeployProject extends AsyncDisposable {
  readonly api: FakeManagementApi;
  readonly root: string;
  readonly remoteDb: string;
  deploy(...args: string[]): Promise<CommandRun>;
  undeploy(...args: string[]): Promise<CommandRun>;
}

/** How {@linkcode openDeployProject} makes it. */
export interface DeployProjectOptions {
  /** The content of `.env`; none: no such file. */
  readonly env?: string;
  readonly isLoggedIn?: boolean;
  readonly isLinked?: boolean;
}

/** Copies the repository and starts the fake API. */
export async function openDeployProject(
  { env, isLoggedIn = true, isLinked = true }: DeployProjectOptions,
): Promise<DeployProject> {
  await using parts = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "deploy_" });
  parts.defer(() => Deno.remove(folder, { recursive: true }));
  const root = join(folder, "checkout");
  await Deno.mkdir(root);
  for (const name of COPIED) await copy(join(ROOT, name), join(root, name));
  if (env !== undefined) await Deno.writeTextFile(join(root, ".env"), env);
  if (isLinked) {
    await Deno.mkdir(join(root, "supabase", ".temp"), { recursive: true });
    await Deno.writeTextFile(join(root, "supabase", ".temp", "project-ref"), PROJECT_REF);
  }
  const database = readTestStack().postgres_url;
  const api = parts.use(await startFakeManagementApi(folder, database));
  const environment = {
    ...Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => KEPT.test(name))),
    SUPABASE_PROFILE: api.profile,
    SUPABASE_HOME: join(folder, "home"),
    SUPABASE_NO_KEYRING: "1",
    SUPABASE_API_MAX_RETRIES: "0",
    ...(isLoggedIn ? { SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN } : {}),
  };
  const owned = parts.move();
  return {
    api,
    root,
    remoteDb: `${database}?sslmode=disable`,
    deploy: (...args) => runCommand(runDeploy, args, root, environment),
    undeploy: (...args) => runCommand(runUndeploy, args, root, environment),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function runCommand(
  command: typeof runDeploy,
  args: readonly string[],
  root: string,
  env: Readonly<Record<string, string>>,
): Promise<CommandRun> {
  let [output, errors, now] = ["", "", 0];
  const checks = { database: { message: null }, scheduler: { message: null } };
  const status = await command(args, {
    terminal: createTerminal({
      isInteractive: false,
      columns: () => 80,
      write: (text) => output += text,
      writeError: (text) => errors += text,
    }),
    root,
    env,
    fetch: () => Promise.resolve(Response.json({ status: "ok", version: VERSION, checks })),
    clock: () => now,
    pause: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  });
  return { status, output, errors };
}

async function copy(from: string, to: string): Promise<void> {
  const { isDirectory } = await Deno.lstat(from);
  if (!isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isSymlink } of Deno.readDir(from)) {
    // Neither a developer's settings nor the CLI's notes about their project.
    if (isSymlink || name.startsWith(".")) continue;
    await copy(join(from, name), join(to, name));
  }
}
