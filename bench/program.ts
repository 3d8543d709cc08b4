import { join } from "node:path";
import type { z } from "zod";
import { repositoryRoot } from "../local/paths.ts";

/** How a program of `bench/programs` is run. */
export interface ProgramOptions {
  readonly deno: string;
  readonly name: string;
  readonly args: readonly string[];
  /** Of the runtime. */
  readonly flags?: readonly string[];
}

/** A program that has said that it is ready, and goes on. */
export interface RunningProgram<Said> {
  readonly said: Said;
  readonly pid: number;
  stop(): Promise<void>;
}

function spawn({ deno, name, args, flags = [] }: ProgramOptions): Deno.ChildProcess {
  const root = repositoryRoot();
  const config = `--config=${join(root, "deno.json")}`;
  const script = join(root, "bench", "programs", `${name}.ts`);
  return new Deno.Command(deno, {
    args: ["run", "-A", "--no-lock", "--quiet", ...flags, config, script, ...args],
    cwd: root,
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Runs a program to its end and reads the line of JSON it prints. */
export async function runProgram<Schema extends z.ZodType>(
  options: ProgramOptions,
  schema: Schema,
): Promise<z.output<Schema>> {
  const { success, stdout } = await spawn(options).output();
  if (!success) throw new Error(`The program ${options.name} failed`);
  return schema.parse(JSON.parse(new TextDecoder().decode(stdout)));
}

/** Starts a program and waits for its line of JSON. */
export async function startProgram<Schema extends z.ZodType>(
  options: ProgramOptions,
  schema: Schema,
): Promise<RunningProgram<z.output<Schema>>> {
  const child = spawn(options);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The program ${options.name} ended without a word`);
    text += value;
  }
  return {
    said: schema.parse(JSON.parse(text)),
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
    },
  };
}
