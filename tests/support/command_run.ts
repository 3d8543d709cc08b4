/** Runs commands that talk to a project, against the test run's REST interface and a fake function. */
import { join } from "node:path";
import { importJWK, SignJWT } from "jose";
import { registerSecret, registerText } from "../../local/leaks/register.ts";
import { createTerminal } from "../../local/terminal.ts";
import type { ProjectDeps } from "../../scripts/project_command.ts";
import { readTestStack } from "./test_stack.ts";

/** Answers in place of the project; `null` lets the project answer. */
export type Respond = (request: Request) => Response | null | Promise<Response | null>;

/** How a command is run. */
export interface CommandRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly isInteractive?: boolean;
  readonly respond?: Respond;
}

/** What a command did. */
export interface CommandResult {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
  /** Method and path of what was asked, in order. */
  readonly asked: readonly string[];
}

/** The flags that lead to the test run's project, with its secret key. */
export function projectFlags(): string[] {
  const { api_url, secret_key } = readTestStack();
  return ["--url", api_url, "--key", secret_key];
}

/** The flags that lead there as a signed-in user. */
export async function userFlags(userId: string): Promise<string[]> {
  const { api_url, publishable_key } = readTestStack();
  const token = await signToken(userId);
  return ["--url", api_url, "--token", token, "--publishable-key", publishable_key];
}

async function signToken(userId: string): Promise<string> {
  const { api_url, signing_key } = readTestStack();
  const token = await new SignJWT({ role: "authenticated" })
    .setProtectedHeader({ alg: "ES256", kid: String(signing_key["kid"]), typ: "JWT" })
    .setSubject(userId).setAudience("authenticated").setIssuer(`${api_url}/auth/v1`)
    .setIssuedAt().setExpirationTime("10m").sign(await importJWK(signing_key, "ES256"));
  registerSecret("user_token", token);
  return token;
}

/** Runs a command in an empty folder. */
export async function runCommand(
  command: (args: readonly string[], deps: ProjectDeps) => Promise<number>,
  args: readonly string[],
  run: CommandRun = {},
): Promise<CommandResult> {
  const folder = await Deno.makeTempDir();
  const asked: string[] = [];
  let [output, errors] = ["", ""];
  const deps: ProjectDeps = {
    terminal: createTerminal({
      isInteractive: run.isInteractive ?? false,
      columns: () => 200,
      write: (text) => output += text,
      writeError: (text) => errors += text,
    }),
    fetch: async (input, init) => {
      const request = new Request(input, init);
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      return await run.respond?.(request.clone()) ?? await fetch(request);
    },
    env: (name) => run.env?.[name],
    envFile: join(folder, ".env"),
  };
  try {
    const status = await command(["--state-dir", folder, ...args], deps);
    registerText("the output of a command", output + errors);
    return { status, output, errors, asked };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
