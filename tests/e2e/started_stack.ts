/** `deno task start` as a person runs it: a process of its own, watched from outside. */
import { join } from "node:path";
import { registerText } from "../../local/leaks/register.ts";
import { isProcessAlive } from "../../local/processes.ts";
import { readStackFile, type StackFile } from "../../local/stack_file.ts";
import { waitFor } from "../support/wait_for.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const BOOT_DEADLINE_MS = 300_000;
const STOP_DEADLINE_MS = 60_000;

/** A process that runs `deno task start`. */
export interface StartProcess {
  readonly pid: number;
  /** All it has written so far. */
  output(): string;
  readonly status: Promise<Deno.CommandStatus>;
  signal(name: Deno.Signal): void;
}

/** Runs `deno task start` with the given flags, on the database the test run asks for. */
export function runStart(flags: readonly string[]): StartProcess {
  const database = Deno.env.get("CONNECTOR_E2E_DATABASE") ?? "embedded";
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      join(ROOT, "local", "start.ts"),
      `--database=${database}`,
      ...flags,
    ],
    cwd: ROOT,
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text;
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  return {
    pid: child.pid,
    output: () => output,
    status: child.status.then(async (status) => {
      await collected;
      registerText("the output of deno task start", output);
      return status;
    }),
    signal: (name) => child.kill(name),
  };
}

/** Waits until the stack of `stateDir` is up; fails at once when its process has ended. */
export async function waitForStack(start: StartProcess, stateDir: string): Promise<StackFile> {
  let hasEnded = false;
  void start.status.then(() => hasEnded = true);
  return await waitFor("the stack to be up", async () => {
    if (hasEnded) throw new Error(`The stack has ended:\n${start.output()}`);
    return await readStackFile(stateDir);
  }, { deadlineMs: BOOT_DEADLINE_MS, everyMs: 200 });
}

/** Interrupts a start as Ctrl-C does, and waits for its end. */
export async function interrupt(start: StartProcess): Promise<Deno.CommandStatus> {
  start.signal("SIGINT");
  const timer = setTimeout(() => start.signal("SIGKILL"), STOP_DEADLINE_MS);
  const status = await start.status;
  clearTimeout(timer);
  return status;
}

/** Returns the ids of all processes below `pid`; Linux tells them in /proc. */
export async function descendantsOf(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    const stat = await Deno.readTextFile(`/proc/${entry.name}/stat`).catch(() => "");
    // The second field is the program's name in parentheses, and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    parents.set(Number(entry.name), Number(fields[1]));
  }
  const found: number[] = [];
  const pending = [pid];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const [child, itsParent] of parents) {
      if (itsParent !== parent) continue;
      found.push(child);
      pending.push(child);
    }
  }
  return found;
}

/** Those of `pids` that still exist. */
export function alive(pids: readonly number[]): number[] {
  return pids.filter(isProcessAlive);
}
