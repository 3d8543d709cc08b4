/** What the commands that talk to a Supabase project have in common: flags, failures, statuses. */
import { join, resolve } from "node:path";
import { StackError } from "../local/failure.ts";
import { defaultStateDir, repositoryRoot } from "../local/paths.ts";
import { createTerminal, type Terminal } from "../local/terminal.ts";
import { plainText } from "../local/plain_text.ts";
import type { ProjectFlags, ProjectSources } from "./project_access.ts";

/** Status of what was asked for and did not come about. */
const FAILED = 1;

/** Status of wrong use, or of a project that cannot be reached. */
const UNUSABLE = 2;

/** What such a command touches. */
export interface ProjectDeps extends Pick<ProjectSources, "env" | "envFile"> {
  readonly terminal: Terminal;
  readonly fetch: typeof fetch;
}

/** The project understood, and said no; the message says why. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** The flags that every one of these commands has. */
export const PROJECT_FLAGS = {
  url: { type: "string" },
  key: { type: "string" },
  token: { type: "string" },
  "publishable-key": { type: "string" },
  "state-dir": { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** The part of `--help` about {@linkcode PROJECT_FLAGS}. */
export const PROJECT_USAGE = `  --url URL              the Supabase project (SUPABASE_URL)
  --key KEY              a secret key of it (SUPABASE_SECRET_KEY): acts for everybody
  --token JWT            in place of a key: a signed-in user's access token
  --publishable-key KEY  goes with --token (SUPABASE_PUBLISHABLE_KEY)
  --state-dir DIR        where the local stack keeps its state
  --json                 the answer as JSON
  --help                 this text

Address and keys come from the flags, else from the environment, from .env, or from the stack that
runs on this machine (deno task start). Keep keys out of the shell's history: use the environment.`;

/** What {@linkcode PROJECT_FLAGS} were given. */
export interface ProjectOptions {
  readonly isJson: boolean;
  readonly project: ProjectFlags;
  readonly stateDir: string;
}

/** Reads the flags of {@linkcode PROJECT_FLAGS}. */
export function readProjectOptions(flags: {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  readonly "publishable-key"?: string | undefined;
  readonly "state-dir"?: string | undefined;
  readonly json?: boolean | undefined;
}): ProjectOptions {
  const { url, key, token, "publishable-key": publishableKey } = flags;
  return {
    isJson: flags.json ?? false,
    project: { url, key, token, publishableKey },
    stateDir: resolve(flags["state-dir"] ?? defaultStateDir()),
  };
}

/** Runs a command to its status; a failure that a person can act on is one line on standard error. */
export async function toStatus(terminal: Terminal, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof StackError || cause instanceof Refusal)) throw cause;
    terminal.error(`error: ${plainText(cause.message)}`);
    return cause instanceof Refusal ? FAILED : UNUSABLE;
  }
}

/** What a command touches when a person runs it. */
export function liveProjectDeps(): ProjectDeps {
  return {
    terminal: createTerminal(),
    fetch: globalThis.fetch,
    env: (name) => Deno.env.get(name),
    envFile: join(repositoryRoot(), ".env"),
  };
}
