/** Child processes: started with their output in a file, signalled by id, and waited for. */

import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import process from "node:process";

/** How a child process is to be started. */
export interface ProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Added to this process's environment, or all there is when `clearEnv` is set. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clearEnv?: boolean;
  readonly uid?: number;
  readonly gid?: number;
  /** Standard output and error are appended here: the child can outlive its starter. */
  readonly logFile: string;
}

/** How a process ended: `code` is null when a signal ended it. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** How {@linkcode ManagedProcess.stop} asks, and how long it waits before it kills. */
export interface StopOptions {
  readonly signal?: Deno.Signal;
  readonly deadlineMs?: number;
}

/** A child process in a session of its own, so that Ctrl-C at the terminal does not reach it. */
export interface ManagedProcess {
  readonly pid: number;
  /** Resolves when the process has ended, however it ended. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  isRunning(): boolean;
  /** Sends a signal; a process that has ended is left alone. */
  signal(name: Deno.Signal): void;
  /** Asks the process to end (SIGTERM unless told), kills it after the deadline, and waits. */
  stop(options?: StopOptions): Promise<ProcessExit>;
}

/** Starts a process. Rejects when the command cannot be run at all. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const log = openSync(options.logFile, "a", 0o600);
  try {
    const child = spawn(options.command, [...options.args ?? []], {
      stdio: ["ignore", log, log],
      detached: true,
      env: { ...(options.clearEnv ? {} : Deno.env.toObject()), ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    let isRunning = true;
    const exited = new Promise<ProcessExit>((resolve) => {
      child.on("exit", (code, signal) => {
        isRunning = false;
        resolve({ code, signal });
      });
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.on("error", (cause) => {
        reject(new Error(`Cannot run ${options.command}: ${cause.message}`, { cause }));
      });
      if (child.pid !== undefined) resolve(child.pid);
    });
    return manage(pid, exited, () => isRunning);
  } finally {
    closeSync(log);
  }
}

function manage(
  pid: number,
  exited: Promise<ProcessExit>,
  isRunning: () => boolean,
): ManagedProcess {
  const signal = (name: Deno.Signal) => {
    if (isRunning()) signalProcess(pid, name);
  };
  return {
    pid,
    exited,
    isRunning,
    signal,
    async stop({ signal: first = "SIGTERM", deadlineMs = 10_000 } = {}) {
      signal(first);
      const timer = setTimeout(() => signal("SIGKILL"), deadlineMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Tells whether a process of this id exists; one that belongs to another user counts. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // Not being allowed to signal it proves that it is there.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

/** Sends a signal to a process by id. A process that is gone is no error. */
export function signalProcess(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (cause) {
    // It ended between the question and the signal: that is what the signal was for.
    if (isProcessAlive(pid)) throw cause;
  }
}

/** Waits until no process of this id exists; false when the deadline passes first. */
export async function waitForProcessEnd(pid: number, deadlineMs: number): Promise<boolean> {
  const deadline = Date.now() + deadlineMs;
  while (isProcessAlive(pid)) {
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}

/** What a command that ran to its end left behind. */
export interface CommandResult {
  readonly code: number;
  /** Standard output, then standard error. */
  readonly output: string;
}

/** How {@linkcode runCommand} runs a command. */
export interface CommandOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clearEnv?: boolean;
  readonly uid?: number;
  readonly gid?: number;
  readonly signal?: AbortSignal;
}

/** Runs a command to its end and returns its output, whatever its exit code. */
export async function runCommand(options: CommandOptions): Promise<CommandResult> {
  const { command, ...rest } = options;
  const child = new Deno.Command(command, {
    ...rest,
    args: [...options.args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/**
 * Returns the last lines of a text file that are not blank; none when there is no such file.
 * What lies before byte `from` is an earlier process's.
 */
export async function readLastLines(path: string, count: number, from = 0): Promise<string[]> {
  try {
    const bytes = await Deno.readFile(path);
    return lastLines(new TextDecoder().decode(bytes.subarray(from)), count);
  } catch (cause) {
    // A process that wrote nothing has no log: there is nothing to quote.
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
}

/** Returns the last lines of `text` that are not blank. */
export function lastLines(text: string, count: number): string[] {
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").slice(-count);
}
